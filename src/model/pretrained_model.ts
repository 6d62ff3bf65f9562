/**
 * What all models share: modes, parameters by name, the step's buffers, loading and saving.
 *
 * @module
 */
import { ConfigError, DataError, RuntimeError } from "../errors.ts";
import {
  type FromPretrainedOptions,
  loadPretrained,
  type LoadReport,
  savedFiles,
  savePretrained,
} from "./pretrained.ts";
import { Random } from "../random.ts";
import type { ModelFiles } from "../weights/mod.ts";
import { Arena, init, PaperRuntime, type Runtime, runtime } from "../runtime/mod.ts";
import { type BertInputs, packBatch, readBatch } from "./batch.ts";
import { BertConfig } from "./config.ts";
import type { StepContext } from "./context.ts";
import type { ModelExtension } from "./extension.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";
import { OutputTensors } from "./outputs.ts";
import type { Parameter, ParameterOptimizer } from "./parameter.ts";
import { checkWeights, StepRoom } from "./step_room.ts";
import type { Tensor, Variable } from "../runtime/tensor.ts";
import { INFERENCE_WEIGHTS, type InferenceWeights } from "./weight_copy.ts";

/** A model class: what `from_pretrained` is called on. */
export interface ModelClass<T extends PreTrainedModel> {
  new (config: BertConfig): T;
  readonly base_model_prefix: string;
  readonly config_class: typeof BertConfig;
}

/** What masks of dropout are made of. */
export interface DropoutState {
  readonly key: readonly [number, number];
  /** Training passes so far. */
  readonly step: number;
}

/** The key of the dropout masks: two words of the seed's own stream. */
function dropoutKey(seed: number): readonly [number, number] {
  const random = new Random(seed, 1);
  return [random.uint32() | 0, random.uint32() | 0];
}

/** A model that trains, loads and saves. */
export abstract class PreTrainedModel extends Module {
  /** The attribute that holds the encoder; empty for the encoder itself. */
  static readonly base_model_prefix: string = "bert";
  /** The class of the configuration. */
  static readonly config_class: typeof BertConfig = BertConfig;
  #training = false;
  /** What `from_pretrained` loaded, and what not. */
  loadReport: LoadReport | undefined;
  /** @ignore What was added to the model after it was made. */
  readonly extensions: ModelExtension[] = [];
  readonly #runtime: Runtime;
  /** Buffers of this model's step; models do not disturb each other. */
  readonly #arena: Arena;
  #outputs: OutputTensors | undefined;
  #dropoutKey = dropoutKey(0);
  #step = 0;
  #checkpointing = false;
  #disposed = false;
  /** True once all parameters were found to be set. */
  #isSet = false;
  #weights: InferenceWeights = "packed";
  readonly #room: StepRoom;
  /** Which parameters the last forward pass kept activations for. */
  #trained: readonly boolean[] = [];

  /** @ignore True: training mode keeps what a backward pass needs, and drops nothing. */
  without_dropout = false;

  /** True while training: dropout is on and activations are kept for the backward pass. Change with train() and eval(). */
  get training(): boolean {
    return this.#training;
  }

  /** The backend that the model computes on. */
  get runtime(): Runtime {
    return this.#runtime;
  }

  /**
   * A model whose weights are not set yet.
   *
   * @param config The model's shape.
   */
  constructor(typeName: string, readonly config: BertConfig) {
    super(typeName);
    const { config_class } = this.constructor as typeof PreTrainedModel;
    if (config?.model_type !== config_class.prototype.model_type) {
      throw new ConfigError(
        `Cannot make a ${typeName}: the configuration is of the family "${config?.model_type}", a ` +
          `${config_class.name} is wanted`,
      );
    }
    this.#runtime = runtime();
    this.#arena = new Arena(this.#runtime.heap);
    this.#room = new StepRoom(this, this.#arena);
  }

  /**
   * Loads a model: weights, configuration.
   *
   * @param name A folder, a URL of a folder, an id on the Hugging Face hub, `"berth-tiny"`, which the
   * package carries, or the model's files.
   * @throws {HubError} if files are missing, {ConfigError} or {WeightsError} if they are malformed.
   */
  static async from_pretrained<T extends PreTrainedModel>(
    this: ModelClass<T>,
    name: string | URL | ModelFiles,
    options: FromPretrainedOptions = {},
  ): Promise<T> {
    await init(options.runtime);
    return await loadPretrained(this, name, options);
  }

  /** A new model with random weights. */
  static async from_config<T extends PreTrainedModel>(
    this: ModelClass<T>,
    config: BertConfig,
    options: Pick<FromPretrainedOptions, "runtime" | "seed"> = {},
  ): Promise<T> {
    await init(options.runtime);
    checkWeights(this, config);
    const model = new this(config);
    model.initialize(options.seed ?? 0);
    return model;
  }

  /**
   * Writes config.json and model.safetensors, each whole or not at all. An active adapter is merged into the weights that
   * are written, not into the model's own.
   */
  async save_pretrained(folder: string | URL): Promise<void> {
    await savePretrained(this, folder);
  }

  /** The files that `save_pretrained` writes, by name: for places without a file system. */
  to_files(): Record<string, Blob> {
    const files = Object.entries(savedFiles(this, this.extensions));
    return Object.fromEntries(files.map(([name, chunks]) => [name, new Blob([...chunks])]));
  }

  /** Training mode: dropout is on, activations are kept. Returns the model. */
  train(mode = true): this {
    if (!mode) return this.eval();
    this.#training = true;
    this.#useWeights("plain");
    return this;
  }

  /**
   * Inference mode: nothing is kept but, between forward passes, a second copy of the weights that is faster to multiply
   * with. Models start in this mode. Returns the model.
   *
   * @param options `weights`: what to multiply with. `packed` (the default) takes as much memory again as the weights.
   * `int8` takes a quarter of that and is faster, the more so the fewer tokens there are; outputs differ by about a
   * hundredth of their size. `plain` makes no copy.
   */
  eval(options: { weights?: InferenceWeights } = {}): this {
    const { weights = "packed" } = options;
    if (!INFERENCE_WEIGHTS.includes(weights)) {
      throw new RangeError(
        `Cannot multiply with ${JSON.stringify(weights)} weights: one of ${
          INFERENCE_WEIGHTS.join(", ")
        } is wanted`,
      );
    }
    this.#training = false;
    this.#useWeights(weights);
    return this;
  }

  #useWeights(form: InferenceWeights): void {
    this.#weights = form;
    for (const module of this.modules()) if (module instanceof Linear) module.useWeights(form);
  }

  /**
   * Keeps only each layer's input from the forward pass; the backward pass computes the rest of a layer again when it
   * comes to it. Takes about a third more time and a fraction of the memory; the gradients are the same bits.
   */
  gradient_checkpointing_enable(): void {
    this.#checkpointing = true;
  }

  /** Keeps what the backward pass needs; the default. */
  gradient_checkpointing_disable(): void {
    this.#checkpointing = false;
  }

  /** True after `gradient_checkpointing_enable()`. */
  get is_gradient_checkpointing(): boolean {
    return this.#checkpointing;
  }

  /** Tensors by name, as the checkpoint has them. The variables are the model's own. */
  state_dict(): Map<string, Variable> {
    return new Map(Array.from(this.named_parameters(), ([name, parameter]) => [name, parameter.variable]));
  }

  /**
   * Overwrites weights.
   *
   * @throws {DataError} if a name is unknown or missing, or a length differs.
   */
  load_state_dict(state: ReadonlyMap<string, Float32Array | Tensor>): void {
    if (!(state instanceof Map)) {
      throw new DataError("Cannot load the state: a Map of values by name is wanted");
    }
    const parameters = new Map(this.named_parameters());
    for (const [name, value] of state) {
      const parameter = parameters.get(name);
      if (!parameter) throw new DataError(`Cannot load "${name}": the model has no such parameter`);
      const values = value instanceof Float32Array ? value : value.dataSync() as Float32Array;
      if (values.length !== parameter.size) {
        throw new DataError(
          `Cannot load "${name}": it has ${values.length} values, expected ${parameter.size}`,
        );
      }
      parameter.values().set(values);
      parameter.markWritten();
      parameters.delete(name);
    }
    if (parameters.size > 0) {
      throw new DataError(`Cannot load the state: "${[...parameters.keys()][0]}" is missing`);
    }
  }

  /** The parameter of that name. */
  get_parameter(name: string): Parameter {
    for (const [own, parameter] of this.named_parameters()) if (own === name) return parameter;
    throw new RangeError(`Cannot find parameter "${name}" in ${this.typeName}`);
  }

  /** The number of weights. */
  num_parameters(options: { only_trainable?: boolean } = {}): number {
    return this.parameters()
      .filter((parameter) => parameter.requires_grad || !options.only_trainable)
      .reduce((sum, parameter) => sum + parameter.size, 0);
  }

  /** Forgets all gradients. */
  zero_grad(): void {
    for (const parameter of this.parameters()) parameter.zero_grad();
  }

  /**
   * Sets the seed of dropout, and how many training passes were made with it: each has masks of its own.
   *
   * @param step Default 0: begins anew.
   */
  seed(seed: number, step = 0): void {
    this.#dropoutKey = dropoutKey(seed);
    this.#step = step;
  }

  /** @ignore What the masks of the last training pass were made of. */
  get dropoutState(): DropoutState {
    return { key: this.#dropoutKey, step: this.#step };
  }

  /** @ignore Makes the masks of later training passes those that came after this state. */
  set dropoutState({ key, step }: DropoutState) {
    this.#dropoutKey = key;
    this.#step = step;
  }

  /** Draws all weights as transformers does: normal(0, initializer_range), biases 0, LayerNorm 1 and 0. */
  initialize(seed: number): void {
    const random = new Random(seed);
    for (const [, parameter] of this.named_parameters()) this.initializeParameter(parameter, random);
  }

  /** @ignore Draws one parameter's weights. */
  initializeParameter(parameter: Parameter, random: Random): void {
    const values = parameter.values();
    const norm = /LayerNorm|layer_norm/.test(parameter.name);
    if (parameter.shape.length === 1) values.fill(norm && parameter.name.endsWith("weight") ? 1 : 0);
    else for (let i = 0; i < values.length; i++) values[i] = random.normal(0, this.config.initializer_range);
    const padding = this.config.pad_token_id;
    if (parameter.name.endsWith("word_embeddings.weight") && padding !== null) {
      values.fill(0, padding * parameter.shape[1], (padding + 1) * parameter.shape[1]);
    }
    parameter.markWritten();
  }

  /** Frees the model's memory; does nothing if that was done, or the backend has ended. */
  dispose(): void {
    if (this.#disposed || this.#runtime.ended) return;
    this.#disposed = true;
    this.#outputs?.release();
    this.#arena.free();
    this.#useWeights("plain");
    for (const parameter of this.parameters()) parameter.dispose();
  }

  /** Gives every parameter its full name; a model's constructor calls it last. */
  protected finish(): void {
    for (const [name, parameter] of this.named_parameters()) parameter.name = name;
    this.#useWeights("packed");
  }

  /**
   * @ignore Begins a step: frees what the last one left, makes room, packs the batch. `variant` are the other inputs on
   * which the step's memory depends; `labelled` counts the tokens that a head scores.
   */
  protected beginForward(inputs: BertInputs, variant: object = {}, labelled = 0): StepContext {
    this.#requireAlive("run");
    this.#requireWeights();
    this.#outputs?.release();
    this.#runtime.arena = this.#arena;
    this.#arena.reset();
    const tables = readBatch(inputs, this.config);
    this.#trained = this.parameters().map((parameter) => this.training && parameter.requires_grad);
    this.#room.reserve({ ...tables, labelled }, this.#weights, variant);
    const batch = packBatch(this.#runtime, tables);
    const context = {
      ...{ runtime: this.#runtime, batch, keep: this.training },
      training: this.training && !this.without_dropout,
      ...{ checkpointing: this.#checkpointing, attentions: [] },
      ...{ step: this.training ? ++this.#step : 0, seed: this.#dropoutKey },
    };
    for (const extension of this.extensions) extension.beginForward(context);
    return context;
  }

  /**
   * @ignore A forward pass with all outputs and, in training mode, the backward pass, over numbers that mean nothing:
   * runs on paper to find what they take.
   */
  abstract rehearse(inputs: BertInputs): void;

  /** @ignore The holder of this pass's output tensors. */
  protected trackOutputs(context: StepContext): OutputTensors {
    return this.#outputs = new OutputTensors(context.runtime);
  }

  /** @ignore The forward pass that a backward pass belongs to. */
  protected takeForward<F>(last: F | undefined): F {
    this.#requireAlive("train");
    this.#runtime.arena = this.#arena;
    if (last) {
      this.#checkBackward();
      return last;
    }
    const state = this.training
      ? "there was none since the last backward pass"
      : "the model is in eval mode; call train()";
    throw new RuntimeError(`Cannot run backward: it needs a forward pass in training mode, and ${state}`);
  }

  #requireWeights(): void {
    if (this.#isSet || this.#runtime instanceof PaperRuntime) return;
    const unset = this.parameters().find((parameter) => !parameter.isSet);
    if (unset) {
      throw new RuntimeError(
        `Cannot run ${this.typeName}: ${unset.name} has no values yet; from_pretrained() loads weights, from_config() and ` +
          "initialize(seed) draw them",
      );
    }
    this.#isSet = true;
  }

  #requireAlive(action: string): void {
    if (!this.#disposed && !this.#runtime.ended) return;
    const state = this.#disposed
      ? "it was disposed"
      : "the backend that it was made on was ended by dispose()";
    throw new RuntimeError(`Cannot ${action} the ${this.typeName}: ${state}; another one is to be made`);
  }

  /** Fails if a parameter is to get a gradient for which the forward pass kept nothing, or that its optimizer cannot take. */
  #checkBackward(): void {
    const optimizers = new Set<ParameterOptimizer>();
    this.parameters().forEach((parameter, i) => {
      if (parameter.requires_grad && !this.#trained[i]) {
        throw new RuntimeError(
          `Cannot run backward: requires_grad of "${parameter.name}" was set after the forward pass; run forward again`,
        );
      }
      if (parameter.requires_grad && parameter.optimizer?.fused) optimizers.add(parameter.optimizer);
    });
    for (const optimizer of optimizers) optimizer.checkBackward();
  }
}
