/**
 * The LoRA adapters of one model: puts them on, takes them off, tells them of each step.
 *
 * @module
 */
import { RuntimeError } from "../../errors.ts";
import { Random } from "../../random.ts";
import type { Runtime } from "../../runtime/mod.ts";
import type { StepContext } from "../context.ts";
import type { Extensible, ModelExtension } from "../extension.ts";
import type { Linear } from "../layers.ts";
import type { LoraConfig } from "./config.ts";
import { LoraLayer } from "./layer.ts";
import { patternValue } from "./targets.ts";

/** Dropout sites from here on belong to adapters. */
const FIRST_SITE = 1 << 16;

/** The adapters by the names of the modules that they are on. */
export class LoraAdapters implements ModelExtension {
  readonly layers = new Map<string, LoraLayer>();
  readonly #model: Extensible;
  readonly #config: LoraConfig;
  #merged = false;

  /** Puts an adapter on each target; its matrices are not set yet. */
  constructor(model: Extensible, config: LoraConfig, targets: Iterable<readonly [string, Linear]>) {
    this.#model = model;
    this.#config = config;
    const { r, lora_alpha, lora_dropout: dropout, rank_pattern, alpha_pattern, use_rslora } = config;
    try {
      for (const [name, linear] of targets) {
        const rank = patternValue(rank_pattern, name, r),
          alpha = patternValue(alpha_pattern, name, lora_alpha);
        const scaling = alpha / (use_rslora ? Math.sqrt(rank) : rank), site = FIRST_SITE + this.layers.size;
        const layer = new LoraLayer(linear, { r: rank, scaling, dropout, site });
        linear.adapt(layer);
        this.layers.set(name, layer);
      }
    } catch (error) {
      this.remove();
      throw error;
    }
    model.extensions.push(this);
  }

  /** True while the products are a part of the weights. */
  get merged(): boolean {
    return this.#merged;
  }

  beginForward(context: StepContext): void {
    if (context.training && this.#merged) {
      throw new RuntimeError("Cannot train: the adapter is merged into the weights; unmerge_adapter() first");
    }
    for (const layer of this.layers.values()) layer.beginForward(context);
  }

  addTo(copy: Extensible): void {
    const modules = new Map(copy.named_modules());
    const targets = Array.from(this.layers.keys(), (name) => [name, modules.get(name) as Linear] as const);
    const { layers } = new LoraAdapters(copy, this.#config, targets);
    for (const [name, { active }] of this.layers) layers.get(name)!.active = active;
  }

  /** Draws the matrices. */
  initialize(seed: number): void {
    const random = new Random(seed), { init_lora_weights } = this.#config;
    for (const { lora_A, lora_B, r } of this.layers.values()) {
      if (init_lora_weights === "gaussian") lora_A.drawNormal(random, 1 / r);
      else lora_A.drawUniform(random);
      if (init_lora_weights === false) lora_B.drawUniform(random);
      else lora_B.fillZero();
    }
  }

  /** Switches all adapters on or off. */
  setActive(active: boolean): void {
    for (const layer of this.layers.values()) layer.active = active;
  }

  /** Adds the products to the weights, or takes them out again. */
  setMerged(runtime: Runtime, merged: boolean): void {
    if (merged === this.#merged) return;
    for (const layer of this.layers.values()) layer.addToWeight(runtime, merged ? 1 : -1);
    this.setActive(!merged);
    this.#merged = merged;
  }

  /** Takes the adapters away and frees them. */
  remove(): void {
    for (const { linear, lora_A, lora_B } of this.layers.values()) {
      linear.adapt(undefined);
      lora_A.weight.dispose();
      lora_B.weight.dispose();
    }
    const { extensions } = this.#model, at = extensions.indexOf(this);
    if (at >= 0) extensions.splice(at, 1);
  }
}
