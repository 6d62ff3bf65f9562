/**
 * BertModel: embeddings, encoder and pooler, forward and backward over one ragged batch.
 *
 * @module
 */
import type { BertInputs } from "./batch.ts";
import type { BertConfig } from "./config.ts";
import type { StepContext } from "./context.ts";
import { BertEmbeddings } from "./embeddings.ts";
import { BertEncoder } from "./encoder.ts";
import { Module } from "./module.ts";
import { OutputTensors } from "./outputs.ts";
import { BertPooler } from "./pooler.ts";
import { gradientPointer, type GradientValues } from "./gradients.ts";
import { PreTrainedModel } from "./pretrained_model.ts";
import type { Tensor2D, Tensor3D } from "../runtime/tensor.ts";

/** Pointers of one encoder pass. */
export interface EncoderPass {
  /** [rows, H] */
  lastHidden: number;
  /** [B, H]; 0 without a pooler. */
  pooled: number;
  /** Embedding output, then each layer's: [rows, H]. Empty unless asked for. */
  hidden: number[];
}

/** The encoder as a part of a model: works on pointers within a step. */
export class BertBackbone extends Module {
  readonly embeddings: BertEmbeddings;
  readonly encoder: BertEncoder;
  readonly pooler: BertPooler | undefined;

  constructor(readonly config: BertConfig, pooling = true) {
    super("BertModel");
    this.embeddings = this.child("embeddings", new BertEmbeddings(config));
    this.encoder = this.child("encoder", new BertEncoder(config));
    this.pooler = pooling ? this.child("pooler", new BertPooler(config)) : undefined;
  }

  forward(context: StepContext, keepHidden = false): EncoderPass {
    const x = this.embeddings.forward(context), hidden: number[] = [];
    const { runtime, batch } = context, room = batch.rows * this.config.hidden_size;
    const remember = (pointer: number, lasting: boolean) => {
      if (!keepHidden) return;
      const copy = lasting ? pointer : runtime.arena.floats(room); // [rows, H]
      if (!lasting) runtime.heap.u8.copyWithin(copy, pointer, pointer + room * 4);
      hidden.push(copy);
    };
    remember(x, true);
    const lastHidden = this.encoder.forward(context, x, this.#lowestTrained(), remember);
    return { lastHidden, pooled: this.pooler?.forward(context, lastHidden) ?? 0, hidden };
  }

  /**
   * @param dhidden Gradient of the last hidden state [rows, H], overwritten.
   * @param dpooled Gradient of the pooler's output [B, H]; 0 for none.
   */
  backward(context: StepContext, dhidden: number, dpooled: number): void {
    const lowest = this.#lowestTrained();
    const needsEncoder = lowest < this.encoder.layer.length;
    if (dpooled !== 0) this.pooler!.backward(context, dhidden, dpooled, needsEncoder);
    if (!needsEncoder) return;
    const dx = this.encoder.backward(context, dhidden, lowest);
    if (dx !== 0) this.embeddings.backward(context, dx);
  }

  /** The lowest layer with a trained parameter: -1 for the embeddings, the number of layers for none. */
  #lowestTrained(): number {
    if (this.embeddings.isTrainable()) return -1;
    const lowest = this.encoder.layer.findIndex((layer) => layer.isTrainable());
    return lowest < 0 ? this.encoder.layer.length : lowest;
  }
}

/** What {@linkcode BertModel.forward} gives; tensors live until the model's next forward pass. */
export class BaseModelOutput {
  readonly #tensors: OutputTensors;
  readonly #pass: EncoderPass;
  readonly #size: number;

  /** @ignore */
  constructor(tensors: OutputTensors, pass: EncoderPass, hidden_size: number) {
    this.#tensors = tensors;
    this.#pass = pass;
    this.#size = hidden_size;
  }

  /** [B, T, H]; zero at masked positions. */
  get last_hidden_state(): Tensor3D {
    return this.#tensors.padded("last_hidden_state", this.#pass.lastHidden, this.#size) as Tensor3D;
  }

  /** [B, H] */
  get pooler_output(): Tensor2D {
    const shape = [this.#tensors.batch.size, this.#size];
    return this.#tensors.dense("pooler_output", this.#pass.pooled, shape) as Tensor2D;
  }

  /** Embedding output, then each layer's, [B, T, H] each; empty unless `output_hidden_states` was given. */
  get hidden_states(): Tensor3D[] {
    return this.#pass.hidden.map((pointer, i) =>
      this.#tensors.padded(`hidden_states.${i}`, pointer, this.#size) as Tensor3D
    );
  }
}

/**
 * The bare encoder: hidden states and a pooled vector.
 *
 * @example
 * ```ts
 * import { BertModel, BertTokenizer, dispose } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertModel.from_pretrained("berth-tiny");
 * const output = model.forward(tokenizer(["A fine game."]));
 * console.log(output.last_hidden_state.shape); // [1, 6, 128]
 * dispose();
 * ```
 */
export class BertModel extends PreTrainedModel {
  /** None: this is the encoder itself. */
  static override readonly base_model_prefix: string = "";
  readonly #backbone: BertBackbone;
  #last: { context: StepContext; pass: EncoderPass } | undefined;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertModel", config);
    this.#backbone = new BertBackbone(config);
    this.child("embeddings", this.#backbone.embeddings);
    this.child("encoder", this.#backbone.encoder);
    this.child("pooler", this.#backbone.pooler!);
    this.finish();
  }

  /**
   * Runs the encoder.
   *
   * @throws {DataError} if the batch does not fit the model.
   */
  forward(inputs: BertInputs & { output_hidden_states?: boolean }): BaseModelOutput {
    const { output_hidden_states = false } = inputs;
    const context = this.beginForward(inputs, { output_hidden_states });
    const pass = this.#backbone.forward(context, output_hidden_states);
    this.#last = context.keep ? { context, pass } : undefined;
    return new BaseModelOutput(this.trackOutputs(context), pass, this.config.hidden_size);
  }

  /** @ignore */
  override rehearse(inputs: BertInputs): void {
    const { last_hidden_state, pooler_output } = this.forward(inputs);
    if (this.training) this.backward({ last_hidden_state, pooler_output });
  }

  /**
   * Adds to every parameter's gradient what follows from the gradients of the outputs.
   *
   * @param gradients Of `last_hidden_state` [B, T, H] and `pooler_output` [B, H].
   * @throws {RuntimeError} without a forward pass in training mode before it.
   */
  backward(gradients: { last_hidden_state?: GradientValues; pooler_output?: GradientValues }): void {
    const { context } = this.takeForward(this.#last);
    this.#last = undefined;
    const { runtime, batch } = context, h = this.config.hidden_size;
    const dhidden = runtime.arena.floats(batch.rows * h); // [rows, H]
    if (gradients.last_hidden_state) {
      const shape = [batch.size, batch.width, h];
      const padded = gradientPointer(runtime, gradients.last_hidden_state, shape, "last_hidden_state");
      runtime.pool.run("gather_rows", batch.rows, 16, dhidden, padded, batch.places, h);
    } else {
      runtime.pool.run("zero", Math.ceil(batch.rows * h / 16384), 16, dhidden, batch.rows * h * 4);
    }
    const dpooled = gradients.pooler_output
      ? gradientPointer(runtime, gradients.pooler_output, [batch.size, h], "pooler_output")
      : 0;
    this.#backbone.backward(context, dhidden, dpooled);
  }
}
