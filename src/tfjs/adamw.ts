/**
 * AdamW for plain tf.Variables, in place, in one pass of a kernel.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { type Runtime, runtime } from "../runtime/mod.ts";
import type { Tensor, Variable } from "../runtime/tensor.ts";

/** Options of {@linkcode adamw}. */
export interface AdamWOptimizerOptions {
  /** Decay rate of the first moment. Default 0.9. */
  beta1?: number;
  /** Decay rate of the second moment. Default 0.999. */
  beta2?: number;
  /** Default 1e-8. */
  epsilon?: number;
  /** Decoupled weight decay. Default 0.01. */
  weightDecay?: number;
}

/** Floats of a chunk, and words of its line in the kernel's table: see the kernels' optimizer.ts. */
const CHUNK = 16_384, CHUNK_WORDS = 9;
/** How the kernel knows moments that are floats. */
const FLOAT32 = 0;
/** Bytes of the kernel's settings. */
const SETTINGS_BYTES = 64;

/** The moments of one variable. */
interface Moments {
  m: Variable;
  v: Variable;
}

/** @ignore tfjs's optimizers. */
export type Optimizer = InstanceType<typeof tf.Optimizer>;
/** Gradients as tfjs passes them. */
type Gradients = Parameters<InstanceType<typeof tf.AdamOptimizer>["applyGradients"]>[0];
/** A tensor with its name. */
type NamedTensor = Awaited<ReturnType<InstanceType<typeof tf.AdamOptimizer>["getWeights"]>>[number];

/**
 * AdamW as a tfjs optimizer; made by {@linkcode adamw}. Its `getWeights` and `setWeights` carry the count of steps and the
 * moments, by the names of the variables.
 */
export interface AdamWOptimizer extends Optimizer {
  /** Learning rate; may be changed between steps. */
  learningRate: number;
}

/** With PyTorch's equations. All variables share one count of steps, as with tf.train.adam. */
class AdamW extends tf.Optimizer implements AdamWOptimizer {
  static readonly className: string = "AdamW";
  learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #moments = new Map<string, Moments>();

  constructor(learningRate: number, options: AdamWOptimizerOptions = {}) {
    super();
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = options;
    check("learningRate", learningRate);
    check("beta1", beta1, 1);
    check("beta2", beta2, 1);
    check("epsilon", epsilon);
    check("weightDecay", weightDecay);
    this.learningRate = learningRate;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
  }

  /** Changes the variables by one step; those without a gradient are left alone. */
  override applyGradients(variableGradients: Gradients): void {
    const own = runtime(), lines: number[] = [], written: Variable[] = [];
    const gradients = Array.isArray(variableGradients)
      ? variableGradients.map(({ name, tensor }) => [name, tensor] as const)
      : Object.entries(variableGradients);
    for (const [name, gradient] of gradients) {
      if (gradient == null) continue;
      const variable = variableOf(name, gradient), { m, v } = this.#momentsOf(variable);
      for (const values of [variable, m, v]) ownMemory(own, values);
      const [p, g, pm, pv] = [variable, gradient, m, v].map((values) => own.pointerOf(values));
      for (let at = 0; at < variable.size; at += CHUNK) {
        const o = at * 4, count = Math.min(CHUNK, variable.size - at);
        lines.push(p + o, g + o, pm + o, pv + o, count, 0, 1, 0, 0);
      }
      written.push(variable, m, v);
    }
    this.incrementIterations();
    this.#run(own, lines);
    for (const values of written) own.markWritten(values);
  }

  /** Runs the kernel over a table of chunks. */
  #run(own: Runtime, lines: number[]): void {
    const { beta1, beta2, epsilon, learningRate } = this, t = this.iterations, { heap, pool } = own;
    const count = lines.length / CHUNK_WORDS, table = heap.alloc(SETTINGS_BYTES + lines.length * 4);
    heap.f32.set([
      ...[learningRate / (1 - beta1 ** t), beta1, 1 - beta1, beta2, 1 - beta2, epsilon],
      ...[1 / Math.sqrt(1 - beta2 ** t), 1 - learningRate * this.weightDecay, 1],
    ], table / 4);
    heap.i32.set(lines, (table + SETTINGS_BYTES) / 4);
    const grain = Math.max(1, Math.min(16, Math.ceil(count / (4 * own.threads))));
    try {
      pool.run("adamw_step", count, grain, table + SETTINGS_BYTES, table, 1, FLOAT32);
    } finally {
      heap.free(table);
    }
  }

  #momentsOf(variable: Variable): Moments {
    let moments = this.#moments.get(variable.name);
    if (!moments) {
      const zeros = () => tf.tidy(() => tf.variable(tf.zerosLike(variable), false));
      this.#moments.set(variable.name, moments = { m: zeros(), v: zeros() });
    }
    return moments;
  }

  /** Frees the moments. */
  override dispose(): void {
    for (const { m, v } of this.#moments.values()) tf.dispose([m, v]);
    this.#moments.clear();
    super.dispose();
  }

  /** The count of steps, then the first, then the second moments, as tf.train.adam does. */
  override async getWeights(): Promise<NamedTensor[]> {
    const all = [...this.#moments];
    return [
      await this.saveIterations(),
      ...all.map(([name, { m }]) => ({ name: `${name}/m`, tensor: m as NamedTensor["tensor"] })),
      ...all.map(([name, { v }]) => ({ name: `${name}/v`, tensor: v as NamedTensor["tensor"] })),
    ];
  }

  /** Takes what {@linkcode getWeights} gave. */
  override async setWeights(weightValues: NamedTensor[]): Promise<void> {
    const values = await this.extractIterations(weightValues), half = values.length / 2;
    for (const { m, v } of this.#moments.values()) tf.dispose([m, v]);
    this.#moments.clear();
    for (let i = 0; i < half; i++) {
      const [m, v] = [values[i], values[i + half]].map(({ tensor }) => tf.variable(tensor, false));
      this.#moments.set(values[i].name.replace(/\/m$/, ""), { m, v });
    }
  }

  /** The settings, for serialisation. */
  override getConfig(): { [name: string]: number } {
    const { learningRate, beta1, beta2, epsilon, weightDecay } = this;
    return { learningRate, beta1, beta2, epsilon, weightDecay };
  }

  /** Makes an optimizer of what {@linkcode getConfig} gave. */
  static override fromConfig<T>(
    cls: new (learningRate: number, options: AdamWOptimizerOptions) => T,
    config: { [name: string]: unknown },
  ): T {
    return new cls(config.learningRate as number, config);
  }
}

/**
 * An optimizer by AdamW (https://arxiv.org/abs/1711.05101) for `minimize` and `applyGradients` of any tfjs program on the backend of {@linkcode registerKernels}.
 * It writes the variables and its moments in place, in one pass; a variable that shares its memory with another tensor
 * gets memory of its own first.
 *
 * @param learningRate Learning rate.
 * @throws {RangeError} if a setting is out of range.
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { dispose } from "@berth/berth";
 * import { adamw, registerKernels } from "@berth/berth/tfjs";
 * await registerKernels();
 * const w = tf.variable(tf.ones([4, 4])), optimizer = adamw(0.1, { weightDecay: 0 });
 * for (let step = 0; step < 50; step++) optimizer.minimize(() => tf.sum(tf.square(w)));
 * console.log(tf.max(tf.abs(w)).dataSync()[0] < 0.1); // true
 * dispose();
 * ```
 */
export function adamw(learningRate: number, options: AdamWOptimizerOptions = {}): AdamWOptimizer {
  return new AdamW(learningRate, options);
}

function check(name: string, value: number, below = Infinity): void {
  if (value >= 0 && value < below) return;
  throw new RangeError(`Cannot use ${name} ${value}: a number from 0 to below ${below} is wanted`);
}

/** The variable that a gradient belongs to. */
function variableOf(name: string, gradient: Tensor): Variable {
  const variable = tf.engine().registeredVariables[name];
  if (variable?.dtype !== "float32" || gradient.dtype !== "float32" || variable.size !== gradient.size) {
    throw new RangeError(
      `Cannot step "${name}": it is ${
        variable ? `${variable.dtype} [${variable.shape}]` : "no variable"
      }, its gradient ` +
        `${gradient.dtype} [${gradient.shape}]; float32 and one shape are wanted`,
    );
  }
  return variable;
}

/** Gives a variable memory of its own if other tensors (the one it was made of, a reshaped one) share it. */
function ownMemory(own: Runtime, variable: Variable): void {
  const { refCount } = own.dataIds.get(variable.dataId) as unknown as { refCount: number };
  if (refCount === 1) return;
  const { tensor, pointer } = own.emptyTensor(variable.shape), from = own.pointerOf(variable);
  own.heap.u8.copyWithin(pointer, from, from + variable.size * 4);
  variable.assign(tensor);
  tensor.dispose();
}
