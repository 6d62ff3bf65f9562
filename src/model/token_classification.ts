/**
 * BertForTokenClassification: logits = dropout(x) W^T + b for every token.
 *
 * @module
 */
import type { Tensor3D } from "../runtime/tensor.ts";
import { BertBackbone } from "./backbone.ts";
import { type BertInputs, type Matrix, matrixRows } from "./batch.ts";
import { Classifier } from "./classifier.ts";
import type { BertConfig } from "./config.ts";
import { type EncoderInputs, EncoderModel, ModelOutput } from "./encoder_model.ts";
import { Dropout, Linear } from "./layers.ts";
import { crossEntropy, type LossOptions, tokenLabels } from "./losses.ts";
import { rowsResult } from "./results.ts";

/** What a token classifier's forward pass gives; `logits` lives until the model's next forward pass. */
export class TokenClassifierOutput extends ModelOutput {
  /** [B, T, K]; zero at masked positions. */
  get logits(): Tensor3D {
    return this.tensor("logits");
  }
}

/** What a token classifier reads. */
export interface TokenClassificationInputs extends EncoderInputs, LossOptions {
  /** A class a token, [B, T]; -100 is ignored, and wanted where `attention_mask` is 0. */
  labels?: Matrix;
}

/** A linear classifier on every token. */
export abstract class TokenClassifier extends EncoderModel<"logits"> {
  /** @ignore */
  protected abstract readonly head: Classifier;

  /**
   * Runs the model; with labels, computes the loss too.
   *
   * @throws {DataError} if the batch or the labels do not fit the model.
   */
  forward(inputs: TokenClassificationInputs): TokenClassifierOutput {
    return this.run(inputs, TokenClassifierOutput, (context, { lastHidden }) => {
      const { runtime, batch } = context, k = this.config.num_labels;
      const scores = this.head.forward(context, lastHidden, batch.rows);
      const logits = rowsResult(context, "logits", scores, k);
      const loss = inputs.labels &&
        crossEntropy(runtime, scores, tokenLabels(batch, inputs.labels, k), k, inputs);
      return {
        ...{ loss: loss?.value, results: [logits] },
        backward: (gradients, needsInput) => ({
          dhidden: this.head.backward(context, gradients.of(logits, loss?.dlogits), batch.rows, needsInput),
        }),
      };
    });
  }

  /** @ignore */
  override rehearse(inputs: BertInputs): void {
    const labels = matrixRows(inputs.input_ids, "input_ids").map((row) =>
      new Array<number>(row.length).fill(-100)
    );
    void this.forward({ ...inputs, labels }).logits;
    if (this.training) this.backward();
  }
}

/**
 * BERT with a linear classifier on every token, for names and parts of speech.
 *
 * @example
 * ```ts
 * import { BertForTokenClassification, BertTokenizer, dispose } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForTokenClassification.from_pretrained("berth-tiny", { num_labels: 3, on_report: () => {} });
 * const { logits } = model.forward(tokenizer(["Ada lives in London."]));
 * console.log(logits.shape); // [1, 8, 3]
 * dispose();
 * ```
 */
export class BertForTokenClassification extends TokenClassifier {
  /** @ignore */
  protected readonly head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertForTokenClassification", config);
    this.attach("bert", new BertBackbone(config, false));
    const dropout = this.child("dropout", new Dropout(config.classifierDropout));
    const classifier = this.child("classifier", new Linear(config.hidden_size, config.num_labels));
    this.head = new Classifier(classifier, dropout);
    this.finish();
  }
}
