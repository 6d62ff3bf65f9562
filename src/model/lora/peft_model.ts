/**
 * get_peft_model and PeftModel: puts LoRA on a model, trains, saves, loads, merges it, with PEFT's names.
 *
 * @module
 */
import { ConfigError, RuntimeError } from "../../errors.ts";
import type { HubOptions } from "../../hub/options.ts";
import type { Linear } from "../layers.ts";
import type { Parameter } from "../parameter.ts";
import type { PreTrainedModel } from "../pretrained_model.ts";
import { LoraAdapters } from "./adapters.ts";
import { type AdapterSource, readAdapterConfig, readAdapterWeights, writeAdapter } from "./adapter_files.ts";
import { LoraConfig } from "./config.ts";
import type { LoraLayer } from "./layer.ts";
import { findSaved, findTargets } from "./targets.ts";

/** A model that a {@linkcode PeftModel} can hold. */
export interface Adaptable extends PreTrainedModel {
  /** Runs the model. */
  // deno-lint-ignore no-explicit-any
  forward(inputs: any): any;
  /** Adds to the gradients. */
  // deno-lint-ignore no-explicit-any
  backward(options?: any): void;
}

/**
 * A model with LoRA on it. The model itself is changed: it computes with the adapter, and its `parameters()` contain the
 * adapter's; `base_model` is what trainers and `predict` take.
 */
export class PeftModel<M extends Adaptable = Adaptable> {
  /** The model that was adapted. */
  readonly base_model: M;
  /** The settings; `target_modules` as they were found. */
  readonly peft_config: LoraConfig;
  readonly #adapters: LoraAdapters;
  /** Which parameters were trained before. */
  readonly #trainedBefore: ReadonlyMap<Parameter, boolean>;
  /** What is trained beside the matrices, and its values of before: biases and modules_to_save. */
  readonly #saved: ReadonlyMap<string, { parameter: Parameter; other: Float32Array }>;
  #enabled = true;

  /** @ignore Use {@linkcode get_peft_model} or {@linkcode PeftModel.from_pretrained}. */
  constructor(model: M, config: LoraConfig, seed?: number) {
    const { targets, target_modules } = findTargets(model, config);
    this.base_model = model;
    this.peft_config = new LoraConfig({ ...config.other, ...config, target_modules });
    const trained = trainedNames(model, this.peft_config, targets);
    this.#saved = new Map(
      Array.from(model.named_parameters()).filter(([name]) => trained.has(name))
        .map(([name, parameter]) => [name, { parameter, other: parameter.values().slice() }]),
    );
    this.#trainedBefore = new Map(
      model.parameters().map((parameter) => [parameter, parameter.requires_grad]),
    );
    this.#adapters = new LoraAdapters(model, this.peft_config, targets);
    for (const [name, parameter] of model.named_parameters()) parameter.name = name;
    if (seed !== undefined) this.#adapters.initialize(seed);
    this.#setTrained(true);
  }

  /**
   * Puts a saved adapter on a model: of PEFT or of {@linkcode PeftModel.save_pretrained}.
   *
   * @param source A folder, the URL of a folder, or an id on the Hugging Face hub.
   * @param options `is_trainable`: whether the adapter is trained on. Default false, as in PEFT.
   * @throws {ConfigError} if it is no LoRA that berth has, {WeightsError} if it does not fit the model. The model is then
   * as it was.
   */
  static async from_pretrained<M extends Adaptable>(
    model: M,
    source: AdapterSource,
    options: HubOptions & { is_trainable?: boolean } = {},
  ): Promise<PeftModel<M>> {
    const { is_trainable = false, ...hub } = options;
    const peft = new PeftModel(model, await readAdapterConfig(source, hub));
    try {
      await readAdapterWeights(source, hub, peft.#parameters());
    } catch (error) {
      peft.unload();
      throw error;
    }
    peft.#setTrained(is_trainable);
    return peft;
  }

  /** As the model's own. */
  forward(inputs: Parameters<M["forward"]>[0]): ReturnType<M["forward"]> {
    return this.base_model.forward(inputs);
  }

  /** As the model's own. */
  backward(options?: Parameters<M["backward"]>[0]): void {
    this.base_model.backward(options);
  }

  /** Training mode. Returns this. */
  train(mode = true): this {
    this.base_model.train(mode);
    return this;
  }

  /** Inference mode. Returns this. */
  eval(): this {
    this.base_model.eval();
    return this;
  }

  /** All parameters of the model, the adapter's among them. */
  parameters(): Parameter[] {
    return this.base_model.parameters();
  }

  /** The names of the modules that have an adapter. */
  get targeted_module_names(): string[] {
    return [...this.layers.keys()];
  }

  /** @ignore The adapters by the names of their modules. */
  get layers(): ReadonlyMap<string, LoraLayer> {
    return this.#adapters.layers;
  }

  /** How many weights are trained, and how many there are, as PEFT counts: modules_to_save twice. */
  get_nb_trainable_parameters(): [trainable: number, all: number] {
    const sizes = (of: Iterable<Parameter>) => Array.from(of).reduce((sum, { size }) => sum + size, 0);
    const copies = Array.from(this.#saved).filter(([name]) => this.#isModuleToSave(name));
    const trained = this.parameters().filter(({ requires_grad }) => requires_grad);
    return [sizes(trained), sizes(this.parameters()) + sizes(copies.map(([, { parameter }]) => parameter))];
  }

  /** Prints how many weights are trained, in PEFT's words. */
  print_trainable_parameters(): void {
    const [trainable, all] = this.get_nb_trainable_parameters(),
      number = (n: number) => n.toLocaleString("en-US");
    const percent = (100 * trainable / all).toFixed(4);
    console.log(
      `trainable params: ${number(trainable)} || all params: ${number(all)} || trainable%: ${percent}`,
    );
  }

  /** Writes adapter_config.json and adapter_model.safetensors, as PEFT reads them. */
  async save_pretrained(folder: string | URL): Promise<void> {
    await writeAdapter(folder, this.peft_config, this.#parameters(), new Set(this.targeted_module_names));
  }

  /** Adds the adapter's products to the weights, so that it costs nothing. Nothing if that was done. */
  merge_adapter(): void {
    this.#requireEnabled("merge the adapter");
    this.#adapters.setMerged(this.base_model.runtime, true);
  }

  /** Takes the products out of the weights again, which are as before but for rounding. Nothing if they are not in. */
  unmerge_adapter(): void {
    this.#adapters.setMerged(this.base_model.runtime, false);
  }

  /** Merges, takes the adapter away and returns the model: an ordinary one, to be saved or run. */
  merge_and_unload(): M {
    this.merge_adapter();
    this.#remove();
    return this.base_model;
  }

  /** Takes the adapter away and returns the model as it was before. */
  unload(): M {
    this.unmerge_adapter();
    this.disable_adapter_layers();
    this.#remove();
    return this.base_model;
  }

  /** Lets the model compute as it did before it was adapted. */
  disable_adapter_layers(): void {
    this.unmerge_adapter();
    if (this.#enabled) this.#swap();
  }

  /** Lets it compute with the adapter again. */
  enable_adapter_layers(): void {
    if (!this.#enabled) this.#swap();
  }

  /** Runs `body` with the adapter switched off, as PEFT's context manager of that name. */
  async disable_adapter<R>(body: (model: M) => R | Promise<R>): Promise<R> {
    const { merged } = this.#adapters, enabled = this.#enabled;
    this.disable_adapter_layers();
    try {
      return await body(this.base_model);
    } finally {
      if (enabled) this.enable_adapter_layers();
      if (merged) this.merge_adapter();
    }
  }

  /** What an adapter's file holds, by the model's names. */
  #parameters(): Map<string, Parameter> {
    this.#requireEnabled("read or write the adapter");
    const found = Array.from(this.#saved, ([name, { parameter }]) => [name, parameter] as const);
    for (const [name, { lora_A, lora_B }] of this.layers) {
      found.push([`${name}.lora_A.weight`, lora_A.weight], [`${name}.lora_B.weight`, lora_B.weight]);
    }
    return new Map(found);
  }

  #setTrained(trained: boolean): void {
    for (const parameter of this.parameters()) parameter.requires_grad = false;
    for (const parameter of this.#parameters().values()) parameter.requires_grad = trained;
  }

  #isModuleToSave(name: string): boolean {
    return [...findSaved(this.base_model, this.peft_config).keys()].some((module) =>
      name.startsWith(`${module}.`)
    );
  }

  /** Switches adapter, biases and saved modules on or off. */
  #swap(): void {
    this.#enabled = !this.#enabled;
    for (const saved of this.#saved.values()) {
      const other = saved.parameter.values().slice();
      saved.parameter.values().set(saved.other);
      saved.parameter.markWritten();
      saved.other.set(other);
    }
    this.#adapters.setActive(this.#enabled);
  }

  #remove(): void {
    this.#adapters.remove();
    for (const [parameter, trained] of this.#trainedBefore) parameter.requires_grad = trained;
  }

  #requireEnabled(action: string): void {
    if (this.#enabled) return;
    throw new RuntimeError(`Cannot ${action}: it is switched off; enable_adapter_layers() first`);
  }
}

/** The names of parameters that are trained beside the matrices. */
function trainedNames(
  model: Adaptable,
  config: LoraConfig,
  targets: ReadonlyMap<string, Linear>,
): Set<string> {
  const saved = [...findSaved(model, config).keys()];
  return new Set(
    Array.from(model.named_parameters(), ([name]) => name).filter((name) => {
      if (saved.some((module) => name.startsWith(`${module}.`))) return true;
      if (config.bias === "none" || !/(^|\.)bias$/.test(name)) return false;
      return config.bias === "all" || targets.has(name.replace(/\.bias$/, ""));
    }),
  );
}

/**
 * Puts new LoRA adapters on a model and freezes everything else, but for `modules_to_save` and biases that the
 * configuration names. The model is changed and can be used as before; the result saves, merges and removes the adapter.
 *
 * @param options `seed`: of the matrices. Default 0.
 * @throws {ConfigError} if no Linear of the model is meant.
 * @example
 * ```ts
 * import { AdamW, BertForSequenceClassification, BertTokenizer, dispose, get_peft_model, LoraConfig } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2 });
 * const peft = get_peft_model(model, new LoraConfig({ r: 8, lora_alpha: 16, task_type: "SEQ_CLS" }));
 * peft.print_trainable_parameters(); // trainable params: 16,642 || all params: 1,891,972 || ...
 * const optimizer = new AdamW(peft.parameters(), { lr: 1e-3 });
 * peft.train().forward({ ...tokenizer(["I love baseball.", "I hate baseball."]), labels: [1, 0] });
 * peft.backward();
 * optimizer.step();
 * peft.merge_and_unload(); // an ordinary model again
 * dispose();
 * ```
 */
export function get_peft_model<M extends Adaptable>(
  model: M,
  config: LoraConfig,
  options: { seed?: number } = {},
): PeftModel<M> {
  if (!(config instanceof LoraConfig)) {
    throw new ConfigError(
      "Cannot adapt the model: its settings are no LoraConfig; new LoraConfig({ ... }) makes one",
    );
  }
  return new PeftModel(model, config, options.seed ?? 0);
}
