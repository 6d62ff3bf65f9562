/**
 * AdamW in place over all parameters, as one pass of a kernel over a table of chunks.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import type { Parameter, ParameterOptimizer } from "../model/mod.ts";
import { isShallow, matMulUpdate, type Runtime, runtime } from "../runtime/mod.ts";
import type { Shards } from "./distributed/shards.ts";
import { CHUNK, clipFactor, GradientTable } from "./gradient_table.ts";
import { MomentStore } from "./moment_store.ts";
import { checkStateDtype, STATE_NUMBERS, STATE_RUNS, stateBytes, type StateDtype } from "./moments.ts";

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
  /**
   * How the two moments are stored: `float32` (8 bytes a parameter), `bfloat16` (4 bytes) or `int8` (2 bytes, in blocks
   * of 256 values). The shorter ones round at random, the same way in each run; see docs/memory.md for what that costs.
   * Default `float32`.
   */
  state_dtype?: StateDtype;
  /**
   * Changes each parameter during the backward pass, as soon as its gradient is whole, and keeps no gradient: the same
   * results as a step after the pass, in less time and memory. `step()` is still called after each backward pass: it
   * changes the embeddings, which wait. Neither clipping nor adding up gradients is possible. Default false.
   */
  fused_backward?: boolean;
}

/** A group with all settings; `lr` is what schedules change. */
export type FullGroup = Required<ParameterGroup> & { initial_lr: number };

/** Options that groups have too. */
const SETTINGS = ["lr", "betas", "eps", "weight_decay"];

/** Floats of a group, as the kernel reads them; the key of its random bits is one of them. */
const GROUP_FLOATS = 16, KEY_WORD = 9;

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
export class AdamW implements ParameterOptimizer {
  /** The groups; a schedule sets their `lr`. */
  readonly param_groups: FullGroup[];
  /** How the moments are stored. */
  readonly state_dtype: StateDtype;
  /** True if parameters change during the backward pass. */
  readonly fused: boolean;
  readonly #runtime: Runtime;
  readonly #variant: "pytorch" | "transformers";
  readonly #moments: MomentStore;
  /** Each parameter's group, and the number of its first value, counted over all. */
  readonly #places = new Map<Parameter, { group: number; first: number }>();
  readonly #table: GradientTable;
  #groups = 0;
  /** Groups that the memory at `#groups` has room for. */
  #groupRoom = 0;
  readonly #steps = new Map<Parameter, number>();
  /** Settings in the table of groups of this step, by group and step. */
  readonly #settings = new Map<string, number>();
  /** Parameters that the backward pass has changed since the last step. */
  readonly #updated = new Set<Parameter>();

  /**
   * Takes the parameters; memory for the moments comes with the first step.
   *
   * @param params Parameters, or groups with settings of their own.
   * @throws {RangeError} if a setting is out of range or a parameter stands in two groups.
   * @throws {RuntimeError} if one of the parameters belongs to another, fused optimizer.
   */
  constructor(params: readonly Parameter[] | readonly ParameterGroup[], options: AdamWOptions = {}) {
    this.#runtime = runtime();
    const { variant = "pytorch", state_dtype = "float32", fused_backward = false, ...settings } = options;
    if (!Array.isArray(params)) {
      throw new RangeError("Cannot make AdamW: a list of parameters is wanted, such as model.parameters()");
    }
    const unknown = Object.keys(settings).find((key) => !SETTINGS.includes(key));
    if (unknown !== undefined) {
      throw new RangeError(
        `Cannot make AdamW with "${unknown}": there is no such option; ${SETTINGS.join(", ")} are some`,
      );
    }
    this.#variant = variant;
    this.state_dtype = state_dtype;
    this.fused = fused_backward;
    const own = variant === "transformers"
      ? { eps: 1e-6, weight_decay: 0 }
      : { eps: 1e-8, weight_decay: 0.01 };
    const defaults = { lr: 1e-3, betas: [0.9, 0.999] as const, ...own, ...defined(settings) };
    const groups = params.length > 0 && "params" in params[0]
      ? params as readonly ParameterGroup[]
      : [{ params: params as readonly Parameter[] }];
    this.param_groups = groups.map((group) => {
      const full = { ...defaults, ...defined(group), params: group.params } as FullGroup;
      full.initial_lr = full.lr;
      return full;
    });
    checkStateDtype(state_dtype);
    checkGroups(this.param_groups);
    let first = 0;
    this.param_groups.forEach(({ params }, group) => {
      for (const parameter of params) {
        this.#places.set(parameter, { group, first });
        first += parameter.size;
        parameter.optimizer = this;
      }
    });
    this.#table = new GradientTable(this.#runtime);
    this.#moments = new MomentStore(this.#runtime, state_dtype);
  }

  /** @ignore True if this rank keeps a part of the moments alone. */
  get isSharded(): boolean {
    return this.#moments.shards !== undefined;
  }

  /** @ignore Keeps this rank's part of the moments alone, and gives the others what it changes; before the first step. */
  shard(shards: Shards): void {
    this.#moments.shards = shards;
  }

  /**
   * Changes the parameters by one step.
   *
   * @param options `max_grad_norm`: clips the norm of all gradients together, in the same pass. `only_finite`: changes
   * nothing if that norm is no finite number.
   * @returns The norm of all gradients before clipping, if either option was given.
   * @throws {RuntimeError} if either option is given to a fused optimizer.
   * @throws {MemoryError} at the first step, if the moments do not fit. Nothing is changed then.
   */
  step(
    options: { max_grad_norm?: number; only_finite?: boolean } = {},
  ): { grad_norm: number | undefined } {
    const { max_grad_norm, only_finite = false } = options,
      wantsNorm = only_finite || max_grad_norm !== undefined;
    if (this.fused && wantsNorm) {
      throw new RuntimeError(
        "Cannot clip gradients: fused_backward uses each before the norm of all is known; make AdamW without it",
      );
    }
    const parameters = [...this.#places.keys()].filter((p) => p.requires_grad && p.gradientPointer !== 0);
    this.#moments.take(parameters);
    const { shards } = this.#moments;
    const entries = parameters.map((parameter) => ({
      ...{ parameter, ...this.#moments.of(parameter), dtype: this.state_dtype },
      ...{ group: this.#nextSettings(parameter), first: this.#places.get(parameter)!.first },
      range: this.#moments.range(parameter),
    }));
    let grad_norm = wantsNorm ? 0 : undefined;
    if (entries.length > 0) {
      this.#table.set(entries);
      if (wantsNorm) grad_norm = this.#table.norm(shards?.communicator);
      if (!only_finite || Number.isFinite(grad_norm)) {
        const scale = max_grad_norm === undefined ? 1 : clipFactor(grad_norm!, max_grad_norm);
        const { pointer, count, grain } = this.#table, state = STATE_NUMBERS[this.state_dtype];
        this.#runtime.pool.run("adamw_step", count, grain, pointer, this.#groups, scale, state);
        shards?.gather(parameters, (parameter) => !this.#decays(parameter));
        for (const parameter of parameters) this.#countStep(parameter);
      }
    }
    this.#updated.clear();
    this.#settings.clear();
    return { grad_norm };
  }

  /** Forgets all gradients. */
  zero_grad(): void {
    for (const parameter of this.#places.keys()) parameter.zero_grad();
  }

  /** Frees the moments. The parameters are without an optimizer then. */
  dispose(): void {
    for (const parameter of this.#places.keys()) {
      if (parameter.optimizer === this) parameter.optimizer = undefined;
    }
    this.#moments.dispose();
    this.#runtime.heap.free(this.#groups);
    this.#groups = this.#groupRoom = 0;
    this.#table.dispose();
  }

  /** @ignore The steps that were made with a parameter; undefined before the first. */
  stepsOf(parameter: Parameter): number | undefined {
    return this.#steps.get(parameter);
  }

  /** @ignore Bytes of a parameter's moments. */
  stateBytes(parameter: Parameter): number {
    return stateBytes(parameter, this.state_dtype);
  }

  /** @ignore A parameter's moments as they are stored; all ranks ask together. Do not keep the view over an allocation. */
  readState(parameter: Parameter): Uint8Array {
    return this.#moments.read(parameter);
  }

  /** @ignore Takes up a parameter's state; all ranks do so together, with the bytes that the first one has. */
  restoreState(parameter: Parameter, step: number, bytes: Uint8Array | undefined): void {
    this.#moments.write(parameter, bytes);
    this.#steps.set(parameter, step);
  }

  /** @ignore */
  get run(): number {
    return STATE_RUNS[this.state_dtype];
  }

  /** @ignore */
  missingBytes(parameter: Parameter): number {
    return this.#moments.missingBytes(parameter);
  }

  /** @ignore */
  checkBackward(): void {
    if (this.#updated.size === 0) return;
    throw new RuntimeError(
      "Cannot run backward: fused_backward does not add up gradients; call the optimizer's step() after each backward " +
        "pass, or make AdamW without fused_backward",
    );
  }

  /** @ignore Changes a parameter by its whole gradient, in the backward pass. */
  update(parameter: Parameter, gradient: number): void {
    const { m, v, group, state, first } = this.#begin(parameter), count = Math.ceil(parameter.size / CHUNK);
    const grain = Math.max(1, Math.min(16, Math.ceil(count / (4 * this.#runtime.threads))));
    this.#runtime.pool.run(
      ...["adamw_update", count, grain, parameter.pointer, gradient, m, v, parameter.size] as const,
      ...[group, state, first] as const,
    );
    this.#end(parameter);
  }

  /** @ignore The same where the gradient is dy[n, O]^T x[n, I]; false if it is to be computed first. */
  updateByProduct(parameter: Parameter, dy: number, x: number, n: number): boolean {
    if (!isShallow(n)) return false;
    const [outputs, inputs] = parameter.shape, { m, v, ...rest } = this.#begin(parameter);
    const update = { p: parameter.pointer, first_moment: m, second_moment: v, ...rest };
    matMulUpdate(
      this.#runtime,
      { a: dy, b: x, m: outputs, n: inputs, k: n },
      { ...update, run: this.run },
    );
    this.#end(parameter);
    return true;
  }

  /** Finds what the kernels need for a parameter's step of its own. */
  #begin(parameter: Parameter) {
    this.#moments.take([parameter]);
    const number = this.#nextSettings(parameter), { first } = this.#places.get(parameter)!;
    const group = this.#groups + number * GROUP_FLOATS * 4;
    const { m, v } = this.#moments.of(parameter);
    return { m, v, group, first, state: STATE_NUMBERS[this.state_dtype] };
  }

  /** True if a step changes values that have no gradient. */
  #decays(parameter: Parameter): boolean {
    const { lr, weight_decay } = this.param_groups[this.#places.get(parameter)!.group];
    return lr * weight_decay !== 0;
  }

  #end(parameter: Parameter): void {
    this.#countStep(parameter);
    this.#updated.add(parameter);
  }

  #countStep(parameter: Parameter): void {
    this.#steps.set(parameter, (this.#steps.get(parameter) ?? 0) + 1);
    parameter.markWritten();
  }

  /** The number of the settings of a parameter's next step in the table of groups. */
  #nextSettings(parameter: Parameter): number {
    const { group } = this.#places.get(parameter)!, step = (this.#steps.get(parameter) ?? 0) + 1;
    // Parameters of a group that joined at different times have different bias corrections.
    const key = `${group}/${step}`, known = this.#settings.get(key);
    if (known !== undefined) return known;
    const number = this.#settings.size;
    this.#settings.set(key, number);
    this.#writeGroup(number, this.param_groups[group], step);
    return number;
  }

  /** Writes what the kernel reads of a group at one step. */
  #writeGroup(number: number, group: FullGroup, step: number): void {
    const { heap } = this.#runtime, { lr, betas: [beta1, beta2], eps, weight_decay } = group;
    const bytes = GROUP_FLOATS * 4;
    if (number >= this.#groupRoom) {
      const room = Math.max(4, 2 * this.#groupRoom, this.param_groups.length),
        moved = heap.alloc(room * bytes);
      heap.u8.copyWithin(moved, this.#groups, this.#groups + number * bytes);
      heap.free(this.#groups);
      this.#groups = moved;
      this.#groupRoom = room;
    }
    const correction1 = 1 - beta1 ** step,
      root = Math.sqrt(1 - beta2 ** step),
      factor = 1 - lr * weight_decay;
    const decays = [beta1, 1 - beta1, beta2, 1 - beta2, eps];
    const settings = this.#variant === "pytorch"
      ? [lr / correction1, ...decays, 1 / root, factor, 1]
      : [lr * root / correction1, ...decays, 1, 1, factor];
    const at = this.#groups / 4 + number * GROUP_FLOATS;
    heap.f32.set(settings, at);
    heap.i32.set([Math.imul(step, 0x9e3779b1)], at + KEY_WORD);
  }
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
      if (parameter.optimizer?.fused) {
        throw new RuntimeError(
          `Cannot optimise "${parameter.name}": a fused optimizer changes it; dispose() that one first`,
        );
      }
      if (seen.has(parameter)) throw new RangeError(`Cannot optimise "${parameter.name}" in two groups`);
      seen.add(parameter);
    }
  }
}
