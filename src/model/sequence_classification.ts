/**
 * BertForSequenceClassification: logits = dropout(pooled) W^T + b, with the losses of the three problem types.
 *
 * @module
 */
import { BertBackbone } from "./bert.ts";
import { type BertInputs, matrixRows } from "./batch.ts";
import type { BertConfig, ProblemType } from "./config.ts";
import { SITES, type StepContext } from "./context.ts";
import { applyDropout, Dropout, Linear } from "./layers.ts";
import { computeLoss, type Labels, type LossResult } from "./losses.ts";
import type { OutputTensors } from "./outputs.ts";
import { gradientPointer, type GradientValues } from "./gradients.ts";
import { PreTrainedModel } from "./pretrained_model.ts";
import type { Tensor2D } from "../runtime/tensor.ts";

/** What a classifier's forward pass gives; `logits` lives until the model's next forward pass. */
export class SequenceClassifierOutput {
  readonly #tensors: OutputTensors;
  readonly #logits: number;
  readonly #labels: number;

  /** @ignore */
  constructor(tensors: OutputTensors, logits: number, num_labels: number, readonly loss: number | undefined) {
    this.#tensors = tensors;
    this.#logits = logits;
    this.#labels = num_labels;
  }

  /** [B, K] */
  get logits(): Tensor2D {
    return this.#tensors.dense("logits", this.#logits, [
      this.#tensors.batch.size,
      this.#labels,
    ]) as Tensor2D;
  }
}

/**
 * BERT with a linear classifier (or regressor) on the pooled vector.
 *
 * @example
 * ```ts
 * import { AdamW, BertForSequenceClassification, BertTokenizer, dispose } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2 });
 * const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
 * const batch = tokenizer(["I love baseball.", "I hate baseball."]);
 * for (let step = 0; step < 10; step++) {
 *   const { loss } = model.train().forward({ ...batch, labels: [1, 0] });
 *   model.backward();
 *   optimizer.step();
 *   optimizer.zero_grad();
 *   console.log(step, loss);
 * }
 * dispose();
 * ```
 */
export class BertForSequenceClassification extends PreTrainedModel {
  /** @ignore */
  readonly bert: BertBackbone;
  /** @ignore */
  readonly dropout: Dropout;
  /** @ignore */
  readonly classifier: Linear;
  #last: { context: StepContext; features: number; loss: LossResult | undefined } | undefined;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertForSequenceClassification", config);
    this.bert = this.child("bert", new BertBackbone(config));
    this.dropout = this.child(
      "dropout",
      new Dropout(config.classifier_dropout ?? config.hidden_dropout_prob),
    );
    this.classifier = this.child("classifier", new Linear(config.hidden_size, config.num_labels));
    this.finish();
  }

  /**
   * Runs the model; with labels, computes the loss too.
   *
   * @param inputs `labels`: a class a sequence (-100 is ignored), or, for regression and several labels, floats [B, K].
   * @throws {DataError} if the batch or the labels do not fit the model.
   */
  forward(inputs: BertInputs & { labels?: Labels }): SequenceClassifierOutput {
    const context = this.beginForward(inputs), { runtime, batch } = context, k = this.config.num_labels;
    const { pooled } = this.bert.forward(context);
    const drop = this.dropout.at(context, SITES.classifier);
    const features = applyDropout(runtime, pooled, batch.size, this.config.hidden_size, drop);
    const logits = runtime.arena.floats(batch.size * k); // [B, K]
    this.classifier.forward(runtime, logits, features, batch.size);
    const loss = inputs.labels === undefined
      ? undefined
      : computeLoss(runtime, this.#problemType(inputs.labels), logits, inputs.labels, batch.size, k);
    this.#last = context.keep ? { context, features, loss } : undefined;
    return new SequenceClassifierOutput(this.trackOutputs(context), logits, k, loss?.value);
  }

  /**
   * Adds to every parameter's gradient.
   *
   * @param options `logits`: the gradient of a loss of your own [B, K] instead of the model's loss; `scale`: a factor
   * for the gradient, 1 / (number of micro-batches) when gradients accumulate. Default 1.
   * @throws {RuntimeError} without a forward pass in training mode before it, or if it had no labels.
   */
  backward(options: { logits?: GradientValues; scale?: number } = {}): void {
    const { context, features, loss } = this.takeForward(this.#last);
    this.#last = undefined;
    const { runtime, batch } = context, { hidden_size: h, num_labels: k } = this.config;
    let dlogits = options.logits
      ? gradientPointer(runtime, options.logits, [batch.size, k], "logits")
      : this.requireLoss(loss).dlogits;
    if (options.scale !== undefined && options.scale !== 1) {
      dlogits = this.scaleGradient(context, dlogits, batch.size * k, options.scale);
    }
    const dfeatures = this.bert.isTrainable() ? runtime.arena.floats(batch.size * h) : 0; // [B, H]
    if (dfeatures !== 0) this.classifier.backwardInput(runtime, dfeatures, dlogits, batch.size);
    this.classifier.backwardParameters(runtime, dlogits, features, batch.size);
    if (dfeatures !== 0) {
      const drop = this.dropout.at(context, SITES.classifier);
      const dpooled = applyDropout(runtime, dfeatures, batch.size, h, drop);
      const dhidden = runtime.arena.floats(batch.rows * h); // [rows, H]
      runtime.pool.run("zero", Math.ceil(batch.rows * h / 16384), 16, dhidden, batch.rows * h * 4);
      this.bert.backward(context, dhidden, dpooled);
    }
  }

  /** @ignore */
  override rehearse(inputs: BertInputs): void {
    const size = matrixRows(inputs.input_ids, "input_ids").length;
    const single = this.#problemType([]) === "single_label_classification";
    const labels = new Array<number>(single ? size : size * this.config.num_labels).fill(0);
    void this.forward({ ...inputs, labels }).logits;
    if (this.training) this.backward();
  }

  /** The configured problem type, or the one that transformers would choose from the labels. */
  #problemType(labels: Labels): ProblemType {
    if (this.config.problem_type) return this.config.problem_type;
    if (this.config.num_labels === 1) return "regression";
    return Array.isArray(labels) && Array.isArray(labels[0])
      ? "multi_label_classification"
      : "single_label_classification";
  }
}
