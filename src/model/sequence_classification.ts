/**
 * BertForSequenceClassification: logits = dropout(pooled) W^T + b, with the losses of the three problem types.
 *
 * @module
 */
import type { Tensor2D } from "../runtime/tensor.ts";
import { BertBackbone } from "./backbone.ts";
import { type BertInputs, matrixRows } from "./batch.ts";
import { Classifier } from "./classifier.ts";
import type { BertConfig, ProblemType } from "./config.ts";
import { type EncoderInputs, EncoderModel, ModelOutput } from "./encoder_model.ts";
import { Dropout, Linear } from "./layers.ts";
import { computeLoss, type Labels, type LossOptions } from "./losses.ts";
import { denseResult } from "./results.ts";

/** What a classifier's forward pass gives; `logits` lives until the model's next forward pass. */
export class SequenceClassifierOutput extends ModelOutput {
  /** [B, K] */
  get logits(): Tensor2D {
    return this.tensor("logits");
  }
}

/** What a sequence classifier reads. */
export interface SequenceClassificationInputs extends EncoderInputs, LossOptions {
  /** A class a sequence (-100 is ignored), or, for regression and several labels, floats [B, K]. */
  labels?: Labels;
}

/** A linear classifier (or regressor) on one vector a sequence. */
export abstract class SequenceClassifier extends EncoderModel<"logits"> {
  /** @ignore */
  protected abstract readonly head: Classifier;

  /**
   * Runs the model; with labels, computes the loss too.
   *
   * @throws {DataError} if the batch or the labels do not fit the model.
   */
  forward(inputs: SequenceClassificationInputs): SequenceClassifierOutput {
    return this.run(inputs, SequenceClassifierOutput, (context, { pooled }) => {
      const { runtime, batch: { size } } = context, k = this.config.num_labels, { labels } = inputs;
      const scores = this.head.forward(context, pooled, size);
      const logits = denseResult(context, "logits", scores, [size, k]);
      const loss = labels && computeLoss(runtime, this.#problemType(labels), scores, labels, size, k, inputs);
      return {
        ...{ loss: loss?.value, results: [logits] },
        backward: (gradients, needsInput) => ({
          dpooled: this.head.backward(context, gradients.of(logits, loss?.dlogits), size, needsInput),
        }),
      };
    });
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
    const rows = typeof labels === "object" && "dataSync" in labels
      ? labels.rank > 1
      : Array.isArray(labels) && typeof labels[0] === "object";
    return rows ? "multi_label_classification" : "single_label_classification";
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
export class BertForSequenceClassification extends SequenceClassifier {
  /** @ignore */
  protected readonly head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertForSequenceClassification", config);
    this.attach("bert", new BertBackbone(config));
    const dropout = this.child("dropout", new Dropout(config.classifierDropout));
    const classifier = this.child("classifier", new Linear(config.hidden_size, config.num_labels));
    this.head = new Classifier(classifier, dropout);
    this.finish();
  }
}
