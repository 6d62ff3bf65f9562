/**
 * What the forward and backward passes of all models share: the encoder, a head on it, and the gradients between them.
 *
 * @module
 */
import { DataError, RuntimeError } from "../errors.ts";
import type { Tensor, Tensor3D, Tensor4D } from "../runtime/tensor.ts";
import type { Backbone, EncoderPass } from "./backbone.ts";
import type { BertInputs } from "./batch.ts";
import type { BertConfig } from "./config.ts";
import type { StepContext } from "./context.ts";
import { type GradientValues, zeros } from "./gradients.ts";
import type { OutputTensors } from "./outputs.ts";
import { type DropoutState, PreTrainedModel } from "./pretrained_model.ts";
import { denseResult, HeadGradients, type Result, rowsResult } from "./results.ts";
import { resizeVocabulary } from "./resize.ts";
import type { ModelInputs, TrainableModel } from "./trainable.ts";

/** What every model's forward pass can be asked for. */
export interface EncoderInputs extends BertInputs {
  /** Keeps the hidden states of all layers for the output. Default false. */
  output_hidden_states?: boolean;
  /** Keeps the attention's probabilities of all layers for the output. Default false. */
  output_attentions?: boolean;
}

/** Options of a backward pass: gradients of a loss of one's own, by the outputs' names. */
export type BackwardOptions<Name extends string> = {
  /** A factor: 1 / (number of micro-batches) when gradients accumulate. Default 1. */
  scale?: number;
} & { [name in Name]?: GradientValues };

/** Gradients of the encoder's outputs; 0 or absent for none. */
export interface EncoderGradient {
  /** [rows, H], overwritten. */
  dhidden?: number;
  /** [B, H] */
  dpooled?: number;
}

/** A head's forward pass, and the backward pass that belongs to it. */
export interface HeadPass {
  loss: number | undefined;
  results: readonly Result[];
  /** Adds to the head's gradients; gives those of the encoder's outputs if `needsInput`. */
  backward(gradients: HeadGradients, needsInput: boolean): EncoderGradient;
}

/** What a forward pass gives; tensors live until the model's next forward pass, and `clone()` keeps one. */
export class ModelOutput {
  /** The mean loss; undefined without labels. */
  readonly loss: number | undefined;
  /** @ignore What gradients can be given of. */
  readonly results: readonly Result[];
  readonly #tensors: OutputTensors;
  readonly #hidden: readonly Result[];
  readonly #attentions: readonly Result[];

  /** @ignore */
  constructor(
    tensors: OutputTensors,
    context: StepContext,
    pass: EncoderPass,
    head: HeadPass,
    config: BertConfig,
  ) {
    const { size, width } = context.batch, shape = [size, config.num_attention_heads, width, width];
    this.loss = head.loss;
    this.results = head.results;
    this.#tensors = tensors;
    this.#hidden = pass.hidden.map((pointer, i) =>
      rowsResult(context, `hidden_states.${i}`, pointer, config.hidden_size)
    );
    this.#attentions = pass.attentions.map((pointer, i) =>
      denseResult(context, `attentions.${i}`, pointer, shape)
    );
  }

  /** Embedding output, then each layer's, [B, T, H] each; empty unless `output_hidden_states` was given. */
  get hidden_states(): Tensor3D[] {
    return this.#hidden.map((result) => this.#tensors.tensor(result) as Tensor3D);
  }

  /**
   * Each layer's probabilities after dropout, [B, N, T, T]: of query (third) and key (fourth); zero at masked positions.
   * Empty unless `output_attentions` was given.
   */
  get attentions(): Tensor4D[] {
    return this.#attentions.map((result) => this.#tensors.tensor(result) as Tensor4D);
  }

  /** @ignore */
  protected tensor<T extends Tensor>(name: string): T {
    return this.#tensors.tensor(this.results.find((result) => result.name === name)!) as T;
  }
}

/** A class of outputs. */
type OutputClass<O> = new (...parts: ConstructorParameters<typeof ModelOutput>) => O;

/** An encoder with a head; `Name` are the names of its outputs. */
export abstract class EncoderModel<Name extends string> extends PreTrainedModel implements TrainableModel {
  /** @ignore Stands between encoder and head, if it is set: gets what runs the encoder, gives what the head reads. */
  between: ((context: StepContext, run: () => EncoderPass) => EncoderPass) | undefined;
  #backbone: Backbone | undefined;
  #last: { context: StepContext; head: HeadPass } | undefined;

  /** @ignore Sets the encoder, as a part of that name unless the name is empty. */
  protected attach<T extends Backbone>(name: string, backbone: T): T {
    this.#backbone = backbone;
    return name === "" ? backbone : this.child(name, backbone);
  }

  /** @ignore One forward pass: the encoder, then the head; `variant` and `labelled` as in `beginForward`. */
  protected run<O>(
    inputs: EncoderInputs,
    Output: OutputClass<O>,
    head: (context: StepContext, pass: EncoderPass) => HeadPass,
    variant: object = {},
    labelled = 0,
  ): O {
    if (!inputs) {
      throw new DataError(`Cannot run the ${this.typeName}: it was given no inputs; input_ids are wanted`);
    }
    const { output_hidden_states = false, output_attentions = false } = inputs;
    this.#last = undefined;
    const context = this.beginForward(
      inputs,
      { ...variant, output_hidden_states, output_attentions },
      labelled,
    );
    const extras = { hidden: output_hidden_states, attentions: output_attentions };
    const encode = () => this.#backbone!.forward(context, extras);
    const pass = this.between ? this.between(context, encode) : encode();
    const scored = head(context, pass);
    this.#last = context.keep ? { context, head: scored } : undefined;
    return new Output(this.trackOutputs(context), context, pass, scored, this.config);
  }

  /**
   * Changes the size of the vocabulary: new word pieces get random vectors, normal(0, initializer_range), and bias 0; those
   * above the new size are dropped. A tied decoder follows. Make optimizers afterwards.
   *
   * @param new_num_tokens The new size.
   * @param options `pad_to_multiple_of`: rounds the size up. `seed`: of the new vectors, default 0.
   * @returns The new size, `config.vocab_size`.
   * @throws {RuntimeError} if an optimizer was made for one of the parameters; nothing is changed then.
   */
  resize_token_embeddings(
    new_num_tokens: number,
    options: { pad_to_multiple_of?: number; seed?: number } = {},
  ): number {
    this.#last = undefined;
    return resizeVocabulary(this, new_num_tokens, options);
  }

  /** @ignore The forward pass that a backward pass would belong to. */
  get lastPass(): object | undefined {
    return this.#last;
  }

  /** @ignore Makes a forward pass again whose dropout was of this state. */
  replay(inputs: ModelInputs, state: DropoutState): void {
    const now = this.dropoutState;
    this.dropoutState = { ...state, step: state.step - 1 };
    try {
      this.forward(inputs);
    } finally {
      this.dropoutState = now;
    }
  }

  /** Runs the model; see each model for what it reads. */
  abstract forward(inputs: ModelInputs): ModelOutput;

  /**
   * Adds to every parameter's gradient what follows from the loss, or, if gradients of outputs are given, from those
   * instead.
   *
   * @throws {RuntimeError} without a forward pass in training mode before it, or if it had no labels.
   */
  backward(options: BackwardOptions<Name> = {}): void {
    const { scale = 1, ...given } = options;
    if (!Number.isFinite(scale)) {
      throw new DataError(`Cannot run backward with the scale ${scale}: a finite number is wanted`);
    }
    const outside: Readonly<Record<string, GradientValues | undefined>> = given;
    const hasOutside = Object.values(outside).some((values) => values !== undefined);
    this.backwardFrom(outside, scale, hasOutside ? 0 : scale);
  }

  /**
   * @ignore The backward pass from gradients of outputs, times `scale`, and of the loss, times `lossScale`; from none of
   * them nothing follows.
   */
  backwardFrom(
    outside: Readonly<Record<string, GradientValues | undefined>>,
    scale: number,
    lossScale: number,
  ): void {
    const { context, head } = this.takeForward(this.#last), { runtime, batch } = context;
    this.#last = undefined;
    if (lossScale !== 0 && head.loss === undefined) {
      throw new RuntimeError(
        `Cannot run backward: forward had no labels; give it labels, or backward the gradient of ${
          head.results.map(({ name }) => name).join(", ")
        }`,
      );
    }
    const unknown = Object.keys(outside).find((name) => !head.results.some((result) => result.name === name));
    if (unknown !== undefined) {
      throw new DataError(`Cannot run backward from "${unknown}": ${this.typeName} has no such output`);
    }
    if (lossScale === 0 && Object.values(outside).every((values) => values === undefined)) return;
    const backbone = this.#backbone!, needsInput = backbone.isTrainable();
    const { dhidden = 0, dpooled = 0 } = head.backward(
      new HeadGradients(runtime, lossScale, outside, scale),
      needsInput,
    );
    if (!needsInput) return;
    backbone.backward(context, dhidden || zeros(runtime, batch.rows * this.config.hidden_size), dpooled);
  }
}
