/**
 * BertForMaskedLM: predicts word pieces; the decoder is the word embedding.
 *
 * @module
 */
import type { Tensor3D } from "../runtime/tensor.ts";
import { BertBackbone } from "./backbone.ts";
import { type BertInputs, type Matrix, matrixRows, put } from "./batch.ts";
import type { BertConfig } from "./config.ts";
import type { StepContext } from "./context.ts";
import { type EncoderInputs, EncoderModel, type HeadPass, ModelOutput } from "./encoder_model.ts";
import { zeros } from "./gradients.ts";
import { LayerNorm, Linear } from "./layers.ts";
import { crossEntropy, IGNORE_INDEX, type LossOptions, tokenLabels } from "./losses.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { PredictionHead } from "./prediction_head.ts";

/** What a masked language model's forward pass gives; `logits` lives until the model's next forward pass. */
export class MaskedLMOutput extends ModelOutput {
  /**
   * [B, T, V]; zero at masked positions. Computed when it is first read: a training step that reads only the loss
   * computes the scores of labelled tokens alone.
   *
   * @throws {RuntimeError} if it is first read after the weights were changed.
   */
  get logits(): Tensor3D {
    return this.tensor("logits");
  }
}

/** What a masked language model reads. */
export interface MaskedLMInputs extends EncoderInputs, Pick<LossOptions, "label_smoothing"> {
  /** The right word piece of each masked token, [B, T]; -100, which is ignored, elsewhere. */
  labels?: Matrix;
}

/** The transform before the decoder. */
class BertPredictionHeadTransform extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;

  constructor({ hidden_size, layer_norm_eps }: BertConfig) {
    super("BertPredictionHeadTransform");
    this.dense = this.child("dense", new Linear(hidden_size, hidden_size));
    this.LayerNorm = this.child("LayerNorm", new LayerNorm(hidden_size, layer_norm_eps));
  }
}

/** `cls.predictions`: the transform and the tied decoder. */
export class BertLMPredictionHead extends Module {
  /** What computes. */
  readonly head: PredictionHead;

  constructor(config: BertConfig, embeddings: Parameter) {
    super("BertLMPredictionHead");
    const { hidden_size, vocab_size, activation } = config;
    // Of an untied decoder transformers uses the bias of its own, and keeps this one.
    const bias = this.parameter("bias", new Parameter([vocab_size]));
    const transform = this.child("transform", new BertPredictionHeadTransform(config));
    const tied = config.tie_word_embeddings ? { weight: embeddings, bias } : {};
    const decoder = this.child("decoder", new Linear(hidden_size, vocab_size, tied));
    this.head = new PredictionHead(transform.dense, transform.LayerNorm, decoder, activation);
  }
}

/** `cls` of a masked language model. */
class BertOnlyMLMHead extends Module {
  readonly predictions: BertLMPredictionHead;

  constructor(config: BertConfig, embeddings: Parameter) {
    super("BertOnlyMLMHead");
    this.predictions = this.child("predictions", new BertLMPredictionHead(config, embeddings));
  }
}

/** The tokens that have a label. */
export function countLabels(labels: Matrix | undefined): number {
  if (labels === undefined) return 0;
  let count = 0;
  for (const row of matrixRows(labels, "labels")) {
    for (let t = 0; t < row.length; t++) if (row[t] !== IGNORE_INDEX) count++;
  }
  return count;
}

/** Scores word pieces: of the labelled tokens if there are labels, of all when they are read or trained on directly. */
export function predictWords(
  head: PredictionHead,
  context: StepContext,
  hidden: number,
  name: string,
  labels: Matrix | undefined,
  options: LossOptions,
): HeadPass {
  const { runtime, batch } = context, { inputs: h, outputs: v } = head.decoder;
  const result = head.result(context, name, hidden);
  const labelled: number[] = [], classes: number[] = [];
  if (labels) {
    tokenLabels(batch, labels, v).forEach((label, row) => {
      if (label !== IGNORE_INDEX) {
        labelled.push(row);
        classes.push(label);
      }
    });
  }
  const n = labelled.length, rows = put(runtime, labelled), x = runtime.arena.floats(n * h); // [n, H]
  runtime.pool.run("gather_rows", n, 16, x, hidden, rows, h);
  const loss = labels &&
    crossEntropy(runtime, head.forward(context, x, n), classes, v, options, { inPlace: true });
  return {
    ...{ loss: loss?.value, results: [result] },
    backward: (gradients, needsInput) => {
      const outside = gradients.fromOutside(result), dscores = gradients.ofLoss(loss?.dlogits ?? 0, n * v);
      let dhidden = outside === 0 ? 0 : head.backward(context, outside, hidden, batch.rows, needsInput); // [rows, H]
      if (dscores === 0 || n === 0) return { dhidden };
      const dx = head.backward(context, dscores, x, n, needsInput); // [n, H]
      if (!needsInput) return {};
      dhidden ||= zeros(runtime, batch.rows * h);
      runtime.pool.run("add_rows", n, 16, dhidden, dx, rows, h);
      return { dhidden };
    },
  };
}

/** The share of tokens that is masked where nothing else is known: that of BERT's own training. */
const MASKED_SHARE = 0.15;

/** Labels of a step on paper: so many real tokens are labelled, the first ones. */
export function paperLabels(
  { input_ids, attention_mask }: BertInputs,
  training: boolean,
  labelled?: number,
): number[][] | undefined {
  const rows = matrixRows(attention_mask ?? input_ids, "attention_mask");
  const isReal = rows.map((row) => Array.from(row, (value) => !attention_mask || value !== 0));
  const total = isReal.flat().filter(Boolean).length;
  let left = Math.min(total, labelled ?? (training ? Math.ceil(MASKED_SHARE * total) : 0));
  if (left === 0) return undefined;
  return isReal.map((row) => row.map((real) => real && left-- > 0 ? 0 : IGNORE_INDEX));
}

/** A head that predicts word pieces. */
export abstract class MaskedLanguageModel extends EncoderModel<"logits"> {
  /** @ignore */
  protected abstract readonly head: PredictionHead;

  /**
   * Runs the model; with labels, computes the loss too.
   *
   * @throws {DataError} if the batch or the labels do not fit the model.
   */
  forward(inputs: MaskedLMInputs): MaskedLMOutput {
    const { labels } = inputs;
    return this.run(
      inputs,
      MaskedLMOutput,
      (context, { lastHidden }) => predictWords(this.head, context, lastHidden, "logits", labels, inputs),
      {},
      countLabels(labels),
    );
  }

  /** @ignore */
  override rehearse(inputs: BertInputs & { labelled?: number }): void {
    const labels = paperLabels(inputs, this.training, inputs.labelled);
    const output = this.forward({ ...inputs, labels });
    if (!this.training) void output.logits;
    else if (labels) this.backward();
    else this.backward({ logits: output.logits });
  }
}

/**
 * BERT that predicts masked word pieces.
 *
 * @example
 * ```ts
 * import { BertForMaskedLM, BertTokenizer, dispose } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForMaskedLM.from_pretrained("berth-tiny");
 * const batch = tokenizer(["He scored a home [MASK]."]), ids = batch.input_ids[0] as number[];
 * const scores = model.forward(batch).logits.arraySync()[0][ids.indexOf(tokenizer.mask_token_id!)];
 * console.log(tokenizer.convert_ids_to_tokens([scores.indexOf(Math.max(...scores))]));
 * dispose();
 * ```
 */
export class BertForMaskedLM extends MaskedLanguageModel {
  /** @ignore */
  protected readonly head: PredictionHead;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertForMaskedLM", config);
    const bert = this.attach("bert", new BertBackbone(config, false));
    const cls = this.child("cls", new BertOnlyMLMHead(config, bert.embeddings.word_embeddings.weight));
    this.head = cls.predictions.head;
    this.finish();
  }
}
