/**
 * AdamW in place over all parameters, as one pass of a kernel over a table of chunks.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import type { Parameter } from "../model/mod.ts";
import { type Runtime, runtime } from "../runtime/mod.ts";

/** Settings of AdamW, for all parameters or for one group. */
export interface AdamWSettings {
  /** Learning rate. Default 1e-3. */
  lr?: number;
  /** Decay rates of the two moments. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Default 1e-8; 1e-6 for the variant "transformers". */
  eps?: number;
  /** Decoupled weight decay. Default 0.01; 0 for the variant "transformers". */
  weight_decay?: number;
}

/** Parameters with settings of their own. */
export interface ParameterGroup extends AdamWSettings {
  /** The group's parameters. */
  params: readonly Parameter[];
}

/** Options of {@linkcode AdamW}. */
export interface AdamWOptions extends AdamWSettings {
  /**
   * `pytorch`: torch.optim.AdamW. `transformers`: AdamW of pytorch_transformers, where eps is added before the bias
   * correction and the decay comes last. Default `pytorch`.
   */
  variant?: "pytorch" | "transformers";
}

/** A group with all settings; `lr` is what schedules change. */
export type FullGroup = Required<ParameterGroup> & { initial_lr: number };

/** Floats of a chunk: enough that a dispatch has few of them, few enough that threads share them evenly. */
const CHUNK = 16_384;
/** Words of a chunk and floats of a group, as the kernel reads them. */
const CHUNK_WORDS = 8, GROUP_FLOATS = 16;

interface Moments {
  m: number;
  v: number;
}

/**
 * AdamW (https://arxiv.org/abs/1711.05101). Parameters without a gradient are left alone, as in PyTorch; rows of an
 * embedding that never had one cost nothing when their decay is 0, and the result is the same.
 *
 * @example
 * ```ts
 * import { AdamW, BertConfig, BertModel, dispose, type Parameter } from "@berth/berth";
 * const shape = { vocab_size: 50, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32 };
 * const model = await BertModel.from_config(new BertConfig(shape));
 * const plain: Parameter[] = [], decayed: Parameter[] = [];
 * for (const [name, parameter] of model.named_parameters()) {
 *   (/bias|LayerNorm/.test(name) ? plain : decayed).push(parameter);
 * }
 * const optimizer = new AdamW([{ params: decayed, weight_decay: 0.01 }, { params: plain, weight_decay: 0 }], { lr: 1e-4 });
 * console.log(optimizer.param_groups.length); // 2
 * dispose();
 * ```
 */
export class AdamW {
  /** The groups; a schedule sets their `lr`. */
  readonly param_groups: FullGroup[];
  readonly #runtime: Runtime;
  readonly #variant: "pytorch" | "transformers";
  readonly #moments = new Map<Parameter, Moments>();
  readonly #table: GradientTable;
  #groups = 0;
  /** Groups that the memory at `#groups` has room for. */
  #groupRoom = 0;
  readonly #steps = new Map<Parameter, number>();

  /**
   * Takes the parameters; memory for the moments comes with the first step.
   *
   * @param params Parameters, or groups with settings of their own.
   * @throws {RangeError} if a setting is out of range or a parameter stands in two groups.
   */
  constructor(params: readonly Parameter[] | readonly ParameterGroup[], options: AdamWOptions = {}) {
    this.#runtime = runtime();
    this.#variant = options.variant ?? "pytorch";
    const own = this.#variant === "transformers"
      ? { eps: 1e-6, weight_decay: 0 }
      : { eps: 1e-8, weight_decay: 0.01 };
    const { variant: _, ...settings } = options;
    const defaults = { lr: 1e-3, betas: [0.9, 0.999] as const, ...own, ...defined(settings) };
    const groups = params.length > 0 && "params" in params[0]
      ? params as readonly ParameterGroup[]
      : [{ params: params as readonly Parameter[] }];
    this.param_groups = groups.map((group) => {
      const full = { ...defaults, ...defined(group), params: group.params } as FullGroup;
      full.initial_lr = full.lr;
      return full;
    });
    checkGroups(this.param_groups);
    this.#table = new GradientTable(this.#runtime);
  }

  /**
   * Changes the parameters by one step.
   *
   * @param options `max_grad_norm`: clips the norm of all gradients together, in the same pass.
   * @returns The norm of all gradients before clipping, if `max_grad_norm` was given.
   */
  step(options: { max_grad_norm?: number } = {}): { grad_norm: number | undefined } {
    const entries = this.#entries();
    if (entries.length === 0) return { grad_norm: options.max_grad_norm === undefined ? undefined : 0 };
    this.#table.set(
      entries.map(([parameter, group]) => ({ parameter, ...this.#momentsOf(parameter), group })),
    );
    let scale = 1, grad_norm: number | undefined;
    if (options.max_grad_norm !== undefined) {
      grad_norm = this.#table.norm();
      scale = clipFactor(grad_norm, options.max_grad_norm);
    }
    const { pool } = this.#runtime;
    pool.run("adamw_step", this.#table.count, this.#table.grain, this.#table.pointer, this.#groups, scale);
    for (const [parameter] of entries) parameter.markWritten();
    return { grad_norm };
  }

  /** Forgets all gradients. */
  zero_grad(): void {
    for (const group of this.param_groups) for (const parameter of group.params) parameter.zero_grad();
  }

  /** Frees the moments. */
  dispose(): void {
    for (const { m, v } of this.#moments.values()) {
      this.#runtime.heap.free(m);
      this.#runtime.heap.free(v);
    }
    this.#moments.clear();
    this.#runtime.heap.free(this.#groups);
    this.#groups = this.#groupRoom = 0;
    this.#table.dispose();
  }

  /** The parameters that have a gradient, each with the number of its settings in the table of groups. */
  #entries(): [Parameter, number][] {
    const entries: [Parameter, number][] = [], settings: number[][] = [], numbers = new Map<string, number>();
    this.param_groups.forEach((group, g) => {
      for (const parameter of group.params) {
        if (!parameter.requires_grad || parameter.gradientPointer === 0) continue;
        const step = (this.#steps.get(parameter) ?? 0) + 1;
        this.#steps.set(parameter, step);
        // Parameters of a group that joined at different times have different bias corrections.
        const key = `${g}/${step}`;
        if (!numbers.has(key)) {
          numbers.set(key, settings.length);
          settings.push(this.#settings(group, step));
        }
        entries.push([parameter, numbers.get(key)!]);
      }
    });
    this.#writeGroups(settings);
    return entries;
  }

  /** What the kernel reads of a group at one step. */
  #settings(group: FullGroup, step: number): number[] {
    const { lr, betas: [beta1, beta2], eps, weight_decay } = group;
    const correction1 = 1 - beta1 ** step,
      root = Math.sqrt(1 - beta2 ** step),
      factor = 1 - lr * weight_decay;
    const decays = [beta1, 1 - beta1, beta2, 1 - beta2, eps];
    const settings = this.#variant === "pytorch"
      ? [lr / correction1, ...decays, 1 / root, factor, 1]
      : [lr * root / correction1, ...decays, 1, 1, factor];
    return [...settings, ...new Array(GROUP_FLOATS - settings.length).fill(0)];
  }

  #writeGroups(settings: number[][]): void {
    const { heap } = this.#runtime;
    if (settings.length > this.#groupRoom) {
      heap.free(this.#groups);
      this.#groups = heap.alloc(settings.length * GROUP_FLOATS * 4);
      this.#groupRoom = settings.length;
    }
    heap.f32.set(settings.flat(), this.#groups / 4);
  }

  #momentsOf(parameter: Parameter): Moments {
    let moments = this.#moments.get(parameter);
    if (!moments) {
      const { heap, pool } = this.#runtime, bytes = parameter.size * 4;
      moments = { m: heap.alloc(bytes), v: heap.alloc(bytes) };
      for (const p of [moments.m, moments.v]) pool.run("zero", Math.ceil(bytes / 65536), 16, p, bytes);
      this.#moments.set(parameter, moments);
    }
    return moments;
  }
}

/**
 * Scales all gradients together so that their norm is at most `max_norm`, as PyTorch does.
 *
 * @returns The norm before.
 */
export function clip_grad_norm_(parameters: Iterable<Parameter>, max_norm: number): number {
  const own = runtime(), table = new GradientTable(own);
  try {
    const entries = [...parameters].filter((p) => p.gradientPointer !== 0);
    if (entries.length === 0) return 0;
    table.set(entries.map((parameter) => ({ parameter, m: 0, v: 0, group: 0 })));
    const norm = table.norm(), factor = clipFactor(norm, max_norm);
    if (factor < 1) own.pool.run("scale_gradients", table.count, table.grain, table.pointer, factor);
    return norm;
  } finally {
    table.dispose();
  }
}

/** PyTorch's: max / (norm + 1e-6), at most 1. A norm that is no number stays one. */
function clipFactor(norm: number, max_norm: number): number {
  const factor = max_norm / (norm + 1e-6);
  return factor < 1 || Number.isNaN(factor) ? factor : 1;
}

interface TableEntry extends Moments {
  parameter: Parameter;
  group: number;
}

/** Chunks of parameters and gradients in WASM memory; see the kernels' optimizer.ts for the layout. */
class GradientTable {
  readonly #runtime: Runtime;
  /** What the table was made of. */
  #key: number[] = [];
  #bytes = 0;
  #sums = 0;
  pointer = 0;
  count = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Chunks of one grab of a thread. */
  get grain(): number {
    return Math.max(1, Math.min(16, Math.ceil(this.count / (4 * this.#runtime.threads))));
  }

  /** Writes the table, unless it stands there already: pointers hardly ever change between steps. */
  set(entries: readonly TableEntry[]): void {
    const key = entries.flatMap((
      { parameter: p, m, v, group },
    ) => [p.pointer, p.gradientPointer, m, v, p.size, group]);
    if (key.length === this.#key.length && key.every((word, i) => word === this.#key[i])) return;
    const words = tableWords(entries);
    if (words.length * 4 > this.#bytes) {
      this.dispose();
      this.#bytes = words.length * 4;
      this.pointer = this.#runtime.heap.alloc(this.#bytes);
      this.#sums = this.#runtime.heap.alloc(words.length);
    }
    this.count = words.length / CHUNK_WORDS;
    this.#runtime.heap.i32.set(words, this.pointer / 4);
    this.#key = key;
  }

  /** The norm of all gradients together. */
  norm(): number {
    const { pool } = this.#runtime;
    pool.run("sum_squares", this.count, this.grain, this.#sums, this.pointer);
    return Math.sqrt(pool.exports.sum_f64(this.#sums, this.count));
  }

  dispose(): void {
    this.#runtime.heap.free(this.pointer);
    this.#runtime.heap.free(this.#sums);
    this.pointer = this.#sums = this.#bytes = 0;
    this.#key = [];
  }
}

function tableWords(entries: readonly TableEntry[]): Int32Array {
  const words: number[] = [];
  for (const { parameter, m, v, group } of entries) {
    const p = parameter.pointer, g = parameter.gradientPointer, { size, touched } = parameter;
    if (g === 0) throw new RuntimeError(`Cannot step: "${parameter.name}" has no gradient`);
    const width = touched === 0 ? 1 : parameter.shape[1];
    const length = touched === 0 ? CHUNK : Math.max(1, Math.floor(CHUNK / width)) * width;
    for (let at = 0; at < size; at += length) {
      const offset = at * 4, count = Math.min(length, size - at);
      const row = touched === 0 ? 0 : touched + at / width;
      words.push(p + offset, g + offset, m && m + offset, v && v + offset, count, row, width, group);
    }
  }
  return Int32Array.from(words, (word) => word | 0);
}

function defined<T extends object>(settings: T): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<
    T
  >;
}

function checkGroups(groups: readonly FullGroup[]): void {
  const seen = new Set<Parameter>();
  for (const { params, lr, betas, eps, weight_decay } of groups) {
    const check = (name: string, value: number, below = Infinity) => {
      if (!(value >= 0 && value < below)) {
        throw new RangeError(`Cannot use ${name} ${value}: a number from 0 to below ${below} is wanted`);
      }
    };
    check("lr", lr);
    check("betas[0]", betas[0], 1);
    check("betas[1]", betas[1], 1);
    check("eps", eps);
    check("weight_decay", weight_decay);
    for (const parameter of params) {
      if (seen.has(parameter)) throw new RangeError(`Cannot optimise "${parameter.name}" in two groups`);
      seen.add(parameter);
    }
  }
}
