/**
 * BertForMultipleChoice: one score a choice, dropout(pooled) w + b; the loss compares the choices of an example.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { Tensor, Tensor2D } from "../runtime/tensor.ts";
import { BertBackbone } from "./backbone.ts";
import { type BertInputs, type Matrix, matrixRows } from "./batch.ts";
import { Classifier } from "./classifier.ts";
import type { BertConfig } from "./config.ts";
import { type EncoderInputs, EncoderModel, ModelOutput } from "./encoder_model.ts";
import { Dropout, Linear } from "./layers.ts";
import { computeLoss, type Labels, type LossOptions } from "./losses.ts";
import { denseResult } from "./results.ts";

/** What a forward pass of multiple choice gives; `logits` lives until the model's next forward pass. */
export class MultipleChoiceModelOutput extends ModelOutput {
  /** [B, C] */
  get logits(): Tensor2D {
    return this.tensor("logits");
  }
}

/** Numbers by example, choice and column: nested arrays or a tensor [B, C, T]; rows may have different lengths. */
export type ChoiceMatrix = readonly (readonly (readonly number[] | Int32Array)[])[] | Tensor;

const CHOICE_INPUTS = ["input_ids", "attention_mask", "token_type_ids", "position_ids"] as const;

/** The inputs that have a row a choice. */
export interface ChoiceInputs {
  /** Word pieces by number, [B][C][T]. */
  input_ids: ChoiceMatrix;
  /** 1 for real tokens, 0 for padding. Default: all real. */
  attention_mask?: ChoiceMatrix;
  /** Segment of each token. Default: all 0. */
  token_type_ids?: ChoiceMatrix;
  /** Default: the column. */
  position_ids?: ChoiceMatrix;
}

/** What multiple choice reads: B examples with C choices each. */
export interface MultipleChoiceInputs
  extends ChoiceInputs, Omit<EncoderInputs, keyof ChoiceInputs>, Pick<LossOptions, "label_smoothing"> {
  /** [B]: the number of the right choice; -100 is ignored. */
  labels?: Labels;
}

/** The rows of all choices one after another, and how many choices an example has. */
function choiceRows(value: ChoiceMatrix, name: string): { rows: ArrayLike<number>[]; choices: number } {
  if (Array.isArray(value)) {
    const choices = value[0]?.length ?? 0;
    value.forEach((example: ArrayLike<unknown>, b) => {
      if (
        Array.isArray(example) && example.length === choices && choices > 0 && typeof example[0] === "object"
      ) return;
      throw new DataError(
        `Cannot read ${name}[${b}]: ${
          choices > 0 ? `${choices} choices, as in the first example, are` : "choices are"
        } wanted, each with its numbers`,
      );
    });
    return { rows: value.flat() as ArrayLike<number>[], choices };
  }
  const tensor = value as Tensor;
  if (typeof tensor?.dataSync !== "function" || tensor.rank !== 3) {
    throw new DataError(`Cannot read ${name}: arrays of choices or a tensor [B, C, T] are wanted`);
  }
  const data = tensor.dataSync() as Int32Array, [b, c, t] = tensor.shape;
  return { rows: Array.from({ length: b * c }, (_, i) => data.subarray(i * t, (i + 1) * t)), choices: c };
}

/** One score a choice, from one vector a sequence. */
export abstract class ChoiceModel extends EncoderModel<"logits"> {
  /** @ignore */
  protected abstract readonly head: Classifier;

  /**
   * Runs the model; with labels, computes the loss too.
   *
   * @throws {DataError} if the batch or the labels do not fit the model.
   */
  forward(inputs: MultipleChoiceInputs): MultipleChoiceModelOutput {
    const { rows, choices } = choiceRows(inputs.input_ids, "input_ids"), examples = rows.length / choices;
    const flat: Record<string, unknown> = { ...inputs, input_ids: rows };
    for (const name of CHOICE_INPUTS) {
      const value = inputs[name];
      if (value !== undefined) flat[name] = choiceRows(value, name).rows;
    }
    return this.run(flat as unknown as EncoderInputs, MultipleChoiceModelOutput, (context, { pooled }) => {
      const { runtime, batch: { size } } = context, shape = [examples, choices] as const, { labels } = inputs;
      const scores = this.head.forward(context, pooled, size); // [B * C, 1]
      const logits = denseResult(context, "logits", scores, shape);
      const problem = "single_label_classification";
      const loss = labels && computeLoss(runtime, problem, scores, labels, examples, choices, inputs);
      return {
        ...{ loss: loss?.value, results: [logits] },
        backward: (gradients, needsInput) => ({
          dpooled: this.head.backward(context, gradients.of(logits, loss?.dlogits), size, needsInput),
        }),
      };
    }, { choices });
  }

  /** @ignore */
  override rehearse(inputs: BertInputs & { choices?: number }): void {
    const names = CHOICE_INPUTS.filter((name) => inputs[name] !== undefined);
    const rows = (name: typeof names[number]) => matrixRows(inputs[name] as Matrix, name),
      count = rows("input_ids").length;
    const { choices = count } = inputs, each = count % choices === 0 ? choices : count;
    const examples = (all: ArrayLike<number>[]) =>
      Array.from({ length: count / each }, (_, b) => all.slice(b * each, (b + 1) * each));
    const grouped = Object.fromEntries(names.map((name) => [name, examples(rows(name))]));
    const labels = new Array<number>(count / each).fill(0);
    void this.forward({ ...inputs, ...grouped, labels } as unknown as MultipleChoiceInputs).logits;
    if (this.training) this.backward();
  }
}

/**
 * BERT that chooses among texts.
 *
 * @example
 * ```ts
 * import { BertForMultipleChoice, BertTokenizer, dispose } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForMultipleChoice.from_pretrained("berth-tiny", { on_report: () => {} });
 * const question = "It rained.", { input_ids } = tokenizer([question, question], ["They went in.", "They sang."]);
 * const { loss, logits } = model.forward({ input_ids: [input_ids], labels: [0] });
 * console.log(loss, logits.shape); // [1, 2]
 * dispose();
 * ```
 */
export class BertForMultipleChoice extends ChoiceModel {
  /** @ignore */
  protected readonly head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertForMultipleChoice", config);
    this.attach("bert", new BertBackbone(config));
    const dropout = this.child("dropout", new Dropout(config.classifierDropout));
    this.head = new Classifier(this.child("classifier", new Linear(config.hidden_size, 1)), dropout);
    this.finish();
  }
}
