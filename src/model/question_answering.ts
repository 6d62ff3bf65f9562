/**
 * BertForQuestionAnswering: two scores a token, x W^T + b, for the first and the last token of the answer.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { Tensor2D } from "../runtime/tensor.ts";
import { BertBackbone } from "./backbone.ts";
import { type BertInputs, matrixRows, put, type RaggedBatch } from "./batch.ts";
import { Classifier } from "./classifier.ts";
import type { BertConfig } from "./config.ts";
import type { StepContext } from "./context.ts";
import { type EncoderInputs, EncoderModel, type HeadPass, ModelOutput } from "./encoder_model.ts";
import { Linear } from "./layers.ts";
import { crossEntropy, flatten, IGNORE_INDEX, type Labels } from "./losses.ts";
import { denseResult } from "./results.ts";

/** What a forward pass of question answering gives; tensors live until the model's next forward pass. */
export class QuestionAnsweringModelOutput extends ModelOutput {
  /** [B, T]; -10000 at masked positions. */
  get start_logits(): Tensor2D {
    return this.tensor("start_logits");
  }

  /** [B, T]; -10000 at masked positions. */
  get end_logits(): Tensor2D {
    return this.tensor("end_logits");
  }
}

/** What question answering reads. */
export interface QuestionAnsweringInputs extends EncoderInputs {
  /** [B]: the answer's first token; T or more is ignored. */
  start_positions?: Labels;
  /** [B]: the answer's last token; T or more is ignored. */
  end_positions?: Labels;
}

/** The score of what was not computed: its probability is 0, and a loss of one's own stays finite. */
const NO_SCORE = -10_000;

/** Scores the first and the last token; the loss is the mean of both. */
function scoreSpans(
  head: Classifier,
  context: StepContext,
  hidden: number,
  { start_positions, end_positions }: QuestionAnsweringInputs,
): HeadPass {
  const { runtime, batch } = context, { size, width, rows } = batch, count = size * width;
  if ((start_positions === undefined) !== (end_positions === undefined)) {
    throw new DataError(
      "Cannot compute the loss: start_positions and end_positions are wanted, one is missing",
    );
  }
  const scores = head.forward(context, hidden, rows); // [rows, 2]
  const padded = runtime.arena.floats(2 * count); // [2, B, T]
  runtime.heap.floats(padded, 2 * count).fill(NO_SCORE);
  const places = batch.tables.words.subarray(3 * rows);
  const table = put(
    runtime,
    Int32Array.from({ length: 2 * rows }, (_, i) => (i & 1) * count + places[i >> 1]),
  );
  runtime.pool.run("scatter_rows", 2 * rows, 4096, padded, scores, table, 1);
  const sides = ([["start", start_positions], ["end", end_positions]] as const).map(
    ([name, positions], i) => {
      const pointer = padded + i * count * 4;
      const targets = positions && answerPositions(batch, `${name}_positions`, positions);
      const loss = targets && crossEntropy(runtime, pointer, targets, width, {}, { share: 0.5 });
      return { result: denseResult(context, `${name}_logits`, pointer, [size, width]), loss };
    },
  );
  const [start, end] = sides;
  return {
    ...{ loss: start.loss && start.loss.value + end.loss!.value, results: sides.map(({ result }) => result) },
    backward: (gradients, needsInput) => {
      const both = runtime.arena.floats(2 * count), dscores = runtime.arena.floats(2 * rows); // [2, B, T], [rows, 2]
      sides.forEach(({ result, loss }, i) => {
        const from = gradients.of(result, loss?.dlogits), to = both + i * count * 4;
        if (from === 0) runtime.heap.floats(to, count).fill(0);
        else runtime.heap.u8.copyWithin(to, from, from + count * 4);
      });
      runtime.pool.run("gather_rows", 2 * rows, 4096, dscores, both, table, 1);
      return { dhidden: head.backward(context, dscores, rows, needsInput) };
    },
  };
}

/** Positions as classes of [0, T), or -100 where they are T or more. */
function answerPositions({ tables }: RaggedBatch, name: string, positions: Labels): number[] {
  const { size, width, rows, words } = tables, flat = flatten(positions);
  if (flat.length !== size) {
    throw new DataError(`Cannot compute the loss: ${name} has ${flat.length} numbers, ${size} are wanted`);
  }
  const computed = new Set(words.subarray(3 * rows));
  return flat.map((position, b) => {
    if (!Number.isInteger(position)) {
      throw new DataError(`Cannot compute the loss: ${name}[${b}] is ${position}, a whole number is wanted`);
    }
    const at = Math.max(0, position);
    if (at >= width) return IGNORE_INDEX;
    if (computed.has(b * width + at)) return at;
    throw new DataError(
      `Cannot compute the loss: ${name}[${b}] is ${at}, where attention_mask is 0; a real token is wanted`,
    );
  });
}

/** Two scores a token, for the ends of an answer. */
export abstract class QuestionAnswerer extends EncoderModel<"start_logits" | "end_logits"> {
  /** @ignore */
  protected abstract readonly head: Classifier;

  /**
   * Runs the model; with positions, computes the loss too. Masked positions are no candidates, unless `keep_padding`.
   *
   * @throws {DataError} if the batch or the positions do not fit the model.
   */
  forward(inputs: QuestionAnsweringInputs): QuestionAnsweringModelOutput {
    return this.run(
      inputs,
      QuestionAnsweringModelOutput,
      (context, { lastHidden }) => scoreSpans(this.head, context, lastHidden, inputs),
    );
  }

  /** @ignore */
  override rehearse(inputs: BertInputs): void {
    const positions = matrixRows(inputs.input_ids, "input_ids").map(() => 0);
    const output = this.forward({ ...inputs, start_positions: positions, end_positions: positions });
    void [output.start_logits, output.end_logits];
    if (this.training) this.backward();
  }
}

/**
 * BERT that finds the answer to a question in a text.
 *
 * @example
 * ```ts
 * import { BertForQuestionAnswering, BertTokenizer, dispose } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForQuestionAnswering.from_pretrained("berth-tiny", { on_report: () => {} });
 * const batch = tokenizer(["Who won?"], ["The Reds won."]);
 * const { loss, start_logits } = model.forward({ ...batch, start_positions: [6], end_positions: [7] });
 * console.log(loss, start_logits.shape);
 * dispose();
 * ```
 */
export class BertForQuestionAnswering extends QuestionAnswerer {
  /** @ignore */
  protected readonly head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertForQuestionAnswering", config);
    this.attach("bert", new BertBackbone(config, false));
    this.head = new Classifier(this.child("qa_outputs", new Linear(config.hidden_size, 2)));
    this.finish();
  }
}
