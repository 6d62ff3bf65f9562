/**
 * BERT's own tasks: next sentence prediction, and both tasks together.
 *
 * @module
 */
import type { Tensor2D, Tensor3D } from "../runtime/tensor.ts";
import { BertBackbone } from "./backbone.ts";
import { type BertInputs, type Matrix, matrixRows } from "./batch.ts";
import { Classifier } from "./classifier.ts";
import type { BertConfig } from "./config.ts";
import type { StepContext } from "./context.ts";
import { type EncoderInputs, EncoderModel, type HeadPass, ModelOutput } from "./encoder_model.ts";
import { Linear } from "./layers.ts";
import { computeLoss, type Labels } from "./losses.ts";
import { BertLMPredictionHead, countLabels, paperLabels, predictWords } from "./masked_lm.ts";
import { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";
import type { PredictionHead } from "./prediction_head.ts";
import { denseResult } from "./results.ts";

/** What a forward pass of next sentence prediction gives; `logits` lives until the model's next forward pass. */
export class NextSentencePredictorOutput extends ModelOutput {
  /** [B, 2]: that the second text follows the first, and that it is a random one. */
  get logits(): Tensor2D {
    return this.tensor("logits");
  }
}

/** What a forward pass of both tasks gives; tensors live until the model's next forward pass. */
export class BertForPreTrainingOutput extends ModelOutput {
  /** [B, T, V]; computed when it is first read, as `logits` of {@linkcode BertForMaskedLM}. */
  get prediction_logits(): Tensor3D {
    return this.tensor("prediction_logits");
  }

  /** [B, 2] */
  get seq_relationship_logits(): Tensor2D {
    return this.tensor("seq_relationship_logits");
  }
}

/** What next sentence prediction reads. */
export interface NextSentenceInputs extends EncoderInputs {
  /** [B]: 0 if the second text follows the first, 1 if it is a random one; -100 is ignored. */
  labels?: Labels;
}

/** What both tasks read. */
export interface PreTrainingInputs extends EncoderInputs {
  /** The right word piece of each masked token, [B, T]; -100, which is ignored, elsewhere. */
  labels?: Matrix;
  /** [B]: 0 if the second text follows the first, 1 if it is a random one; -100 is ignored. */
  next_sentence_label?: Labels;
}

/** Scores whether the second text follows the first. */
function scorePairs(
  head: Classifier,
  context: StepContext,
  pooled: number,
  name: string,
  labels: Labels | undefined,
): HeadPass {
  const { runtime, batch: { size } } = context, scores = head.forward(context, pooled, size); // [B, 2]
  const result = denseResult(context, name, scores, [size, 2]);
  const loss = labels && computeLoss(runtime, "single_label_classification", scores, labels, size, 2);
  return {
    ...{ loss: loss?.value, results: [result] },
    backward: (gradients, needsInput) => {
      const dscores = gradients.of(result, loss?.dlogits);
      return dscores === 0 ? {} : { dpooled: head.backward(context, dscores, size, needsInput) };
    },
  };
}

/** `cls` of next sentence prediction. */
class BertOnlyNSPHead extends Module {
  readonly head: Classifier;

  constructor({ hidden_size }: BertConfig) {
    super("BertOnlyNSPHead");
    this.head = new Classifier(this.child("seq_relationship", new Linear(hidden_size, 2)));
  }
}

/** `cls` of both tasks. */
class BertPreTrainingHeads extends Module {
  readonly words: PredictionHead;
  readonly pairs: Classifier;

  constructor(config: BertConfig, embeddings: Parameter) {
    super("BertPreTrainingHeads");
    this.words = this.child("predictions", new BertLMPredictionHead(config, embeddings)).head;
    this.pairs = new Classifier(this.child("seq_relationship", new Linear(config.hidden_size, 2)));
  }
}

/** BERT that says whether one text follows another. */
export class BertForNextSentencePrediction extends EncoderModel<"logits"> {
  readonly #head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertForNextSentencePrediction", config);
    this.attach("bert", new BertBackbone(config));
    this.#head = this.child("cls", new BertOnlyNSPHead(config)).head;
    this.finish();
  }

  /**
   * Runs the model; with labels, computes the loss too.
   *
   * @throws {DataError} if the batch or the labels do not fit the model.
   */
  forward(inputs: NextSentenceInputs): NextSentencePredictorOutput {
    return this.run(
      inputs,
      NextSentencePredictorOutput,
      (context, { pooled }) => scorePairs(this.#head, context, pooled, "logits", inputs.labels),
    );
  }

  /** @ignore */
  override rehearse(inputs: BertInputs): void {
    void this.forward({ ...inputs, labels: noughts(inputs) }).logits;
    if (this.training) this.backward();
  }
}

/** BERT with the heads of both tasks that it was first trained on. */
export class BertForPreTraining extends EncoderModel<"prediction_logits" | "seq_relationship_logits"> {
  readonly #words: PredictionHead;
  readonly #pairs: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertForPreTraining", config);
    const bert = this.attach("bert", new BertBackbone(config));
    const cls = this.child("cls", new BertPreTrainingHeads(config, bert.embeddings.word_embeddings.weight));
    this.#words = cls.words;
    this.#pairs = cls.pairs;
    this.finish();
  }

  /**
   * Runs the model. The loss is the sum of those whose labels are given.
   *
   * @throws {DataError} if the batch or the labels do not fit the model.
   */
  forward(inputs: PreTrainingInputs): BertForPreTrainingOutput {
    const { labels, next_sentence_label } = inputs;
    const head = (
      context: StepContext,
      { lastHidden, pooled }: { lastHidden: number; pooled: number },
    ): HeadPass => {
      const words = predictWords(this.#words, context, lastHidden, "prediction_logits", labels, {});
      const pairs = scorePairs(this.#pairs, context, pooled, "seq_relationship_logits", next_sentence_label);
      const losses = [words.loss, pairs.loss].filter((loss) => loss !== undefined);
      return {
        loss: losses.length > 0 ? losses.reduce((a, b) => a + b) : undefined,
        results: [...words.results, ...pairs.results],
        backward: (gradients, needsInput) => ({
          ...words.backward(gradients, needsInput),
          ...pairs.backward(gradients, needsInput),
        }),
      };
    };
    return this.run(inputs, BertForPreTrainingOutput, head, {}, countLabels(labels));
  }

  /** @ignore */
  override rehearse(inputs: BertInputs & { labelled?: number }): void {
    const labels = paperLabels(inputs, this.training, inputs.labelled);
    const output = this.forward({ ...inputs, labels, next_sentence_label: noughts(inputs) });
    void output.seq_relationship_logits;
    if (!this.training) void output.prediction_logits;
    else if (labels) this.backward();
    else this.backward({ prediction_logits: output.prediction_logits });
  }
}

function noughts({ input_ids }: BertInputs): number[] {
  return matrixRows(input_ids, "input_ids").map(() => 0);
}
