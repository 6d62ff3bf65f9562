/**
 * The leaves of the module tree: Linear, LayerNorm, Embedding, Dropout, with forward and backward over pointers.
 *
 * @module
 */
import { ACTIVATIONS, type MatMul, matMul, type Runtime } from "../runtime/mod.ts";
import type { StepContext } from "./context.ts";
import { Module, pythonFloat } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { type InferenceWeights, WeightCopy } from "./weight_copy.ts";

/** A path beside a Linear that adds to its product, before the activation. */
export interface LinearAdapter {
  /** Parts of it by the names under which the Linear has them. */
  readonly parts: Readonly<Record<string, Module>>;
  /** False: the Linear computes as if it had no adapter. */
  readonly active: boolean;
  /** y[n, O] = f(y + adapter(x[n, I])); `activation` and `slope` as in {@linkcode Linear.forward}. */
  forward(runtime: Runtime, y: number, x: number, n: number, activation: number, slope: number): void;
  /** dx[n, I] (+)= what comes from dy[n, O]. What it leaves in the arena, `backwardParameters` reads. */
  backwardInput(runtime: Runtime, dx: number, dy: number, n: number, accumulate: boolean): void;
  /** Adds to the gradients of its own parameters. */
  backwardParameters(runtime: Runtime, dy: number, x: number, n: number): void;
}

/** y[n, O] = f(x[n, I] weight[O, I]^T + bias[O]) */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  #adapter: LinearAdapter | undefined;
  /** What inference multiplies with instead of the weight. */
  #copy: WeightCopy | undefined;

  /** @param tied Parameters that stand elsewhere in the model too. */
  constructor(
    readonly inputs: number,
    outputs: number,
    tied: { weight?: Parameter; bias?: Parameter } = {},
  ) {
    super("Linear");
    this.weight = this.parameter("weight", tied.weight ?? new Parameter([outputs, inputs]));
    this.bias = this.parameter("bias", tied.bias ?? new Parameter([outputs]));
  }

  /** O */
  get outputs(): number {
    return this.weight.shape[0];
  }

  /** Chooses what forward passes multiply with; a copy is made when it is first needed, and freed by another choice. */
  useWeights(form: InferenceWeights): void {
    if (form === (this.#copy?.form ?? "plain")) return;
    this.#copy?.free();
    this.#copy = form === "plain" ? undefined : new WeightCopy(this.weight, form);
  }

  /** The path beside it, if it has one. */
  get adapter(): LinearAdapter | undefined {
    return this.#adapter;
  }

  /** Puts a path beside it, or takes it away; its parts become children of this module. */
  adapt(adapter: LinearAdapter | undefined): void {
    for (const name of Object.keys(this.#adapter?.parts ?? {})) this.removeChild(name);
    this.#adapter = adapter;
    for (const [name, part] of Object.entries(adapter?.parts ?? {})) this.child(name, part);
  }

  /** Bytes that the copy holds. */
  get copyBytes(): number {
    return this.#copy?.bytes ?? 0;
  }

  protected override describe(): string {
    return `in_features=${this.inputs}, out_features=${this.outputs}, bias=True`;
  }

  /** @param slope Receives the activation's slope [n, O], which the backward pass needs; 0 for none. */
  forward(
    runtime: Runtime,
    y: number,
    x: number,
    n: number,
    activation: number = ACTIVATIONS.none,
    slope = 0,
  ): void {
    const adapter = this.#adapter?.active ? this.#adapter : undefined;
    const product: MatMul = {
      c: y,
      a: x,
      b: this.weight.pointer,
      m: n,
      n: this.outputs,
      k: this.inputs,
      transposeB: true,
      bias: this.bias.pointer,
      activation: adapter ? ACTIVATIONS.none : activation,
      aux: adapter ? 0 : slope,
    };
    if (this.#copy) this.#copy.multiply(runtime, product);
    else matMul(runtime, product);
    adapter?.forward(runtime, y, x, n, activation, slope);
  }

  /** dx[n, I] (+)= dy[n, O] weight, times `slope` [n, I] where given: the slope of the activation that made x. */
  backwardInput(runtime: Runtime, dx: number, dy: number, n: number, accumulate = false, slope = 0): void {
    if (this.#adapter?.active) {
      this.#adapter.backwardInput(runtime, dx, dy, n, accumulate);
      accumulate = true;
    }
    matMul(runtime, {
      ...{ c: dx, a: dy, b: this.weight.pointer, accumulate, aux: slope },
      ...{ m: n, n: this.inputs, k: this.outputs },
    });
  }

  /** dweight += dy^T x and dbias += column sums of dy, of the parameters that are trained. */
  backwardParameters(runtime: Runtime, dy: number, x: number, n: number): void {
    const mark = runtime.arena.mark();
    if (this.#adapter?.active) this.#adapter.backwardParameters(runtime, dy, x, n);
    runtime.arena.release(mark);
    const { weight } = this;
    if (weight.requires_grad && !(weight.isFused && weight.optimizer!.updateByProduct(weight, dy, x, n))) {
      const { pointer, accumulate } = weight.beginGradient(true);
      matMul(runtime, {
        ...{ c: pointer, a: dy, b: x, accumulate },
        ...{ m: this.outputs, n: this.inputs, k: n, transposeA: true },
      });
      weight.endGradient(pointer);
      runtime.arena.release(mark);
    }
    if (this.bias.requires_grad) {
      const { pointer, accumulate } = this.bias.beginGradient();
      runtime.pool.run(
        "column_sums",
        Math.ceil(this.outputs / 16),
        4,
        pointer,
        dy,
        n,
        this.outputs,
        Number(accumulate),
      );
      this.bias.endGradient(pointer);
      runtime.arena.release(mark);
    }
  }
}

/** Where a dropout's mask comes from: none if `threshold` is 0. */
export interface DropoutArguments {
  site: number;
  step: number;
  seed: readonly [number, number];
  /** p * 2^32: random words below it are dropped. */
  threshold: number;
  /** 1 / (1 - p) */
  scale: number;
}

/** Drops values with probability p while training. */
export class Dropout extends Module {
  constructor(readonly p: number) {
    super("Dropout");
  }

  protected override describe(): string {
    return `p=${pythonFloat(this.p)}, inplace=False`;
  }

  /**
   * The arguments that the kernels take at one place of the model.
   *
   * @param site A number of its own for each place where dropout is applied.
   */
  at(context: StepContext, site: number): DropoutArguments {
    const on = context.training && this.p > 0;
    return {
      ...{ site, step: context.step, seed: context.seed },
      ...{ threshold: on ? Math.max(1, Math.round(this.p * 2 ** 32)) : 0, scale: on ? 1 / (1 - this.p) : 1 },
    };
  }
}

/** y = x * mask, [n, h]; the same call maps dy to dx. Copies nothing if there is nothing to drop: y is then x. */
export function applyDropout(
  runtime: Runtime,
  x: number,
  n: number,
  h: number,
  drop: DropoutArguments,
): number {
  if (drop.threshold === 0) return x;
  const y = runtime.arena.floats(n * h);
  runDropout(runtime, y, x, n, h, drop, false);
  return y;
}

/** y (+)= x * mask, [n, h]. */
export function runDropout(
  runtime: Runtime,
  y: number,
  x: number,
  n: number,
  h: number,
  drop: DropoutArguments,
  accumulate: boolean,
): void {
  const { site, step, seed, threshold, scale } = drop;
  runtime.pool.run(
    ...[
      "dropout",
      n,
      8,
      y,
      x,
      h,
      site,
      step,
      seed[0],
      seed[1],
      threshold,
      scale,
      Number(accumulate),
    ] as const,
  );
}

/** y[n, H] = LayerNorm(residual + dropout(x)) */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  #saved = { z: 0, mean: 0, rstd: 0 };

  constructor(readonly size: number, readonly eps: number) {
    super("LayerNorm");
    this.weight = this.parameter("weight", new Parameter([size]));
    this.bias = this.parameter("bias", new Parameter([size]));
  }

  protected override describe(): string {
    return `(${this.size},), eps=${pythonFloat(this.eps)}, elementwise_affine=True`;
  }

  /** Overwrites x with residual + dropout(x), which is kept for the backward pass. `residual` may be 0. */
  forward(
    context: StepContext,
    y: number,
    x: number,
    residual: number,
    n: number,
    drop?: DropoutArguments,
  ): void {
    const { runtime, keep } = context;
    const mean = keep ? runtime.arena.floats(n) : 0, rstd = keep ? runtime.arena.floats(n) : 0;
    this.#saved = { z: x, mean, rstd };
    const { site, step, seed, threshold, scale } = drop ?? NO_DROPOUT;
    runtime.pool.run(
      ...[
        "layer_norm_forward",
        n,
        8,
        y,
        x,
        mean,
        rstd,
        x,
        residual,
        this.weight.pointer,
        this.bias.pointer,
      ] as const,
      ...[this.size, this.eps, site, step, seed[0], seed[1], threshold, scale] as const,
    );
  }

  /**
   * Writes dz (the gradient of the residual) and, if there was dropout, dx; returns the pointer that dx stands at
   * (dz where nothing was dropped).
   */
  backward(context: StepContext, dz: number, dy: number, n: number, drop?: DropoutArguments): number {
    const { runtime } = context, { z, mean, rstd } = this.#saved;
    const { site, step, seed, threshold, scale } = drop ?? NO_DROPOUT;
    const dx = threshold === 0 ? dz : runtime.arena.floats(n * this.size);
    runtime.pool.run(
      ...["layer_norm_backward", n, 8, dz, dx, dy, z, mean, rstd, this.weight.pointer, this.size] as const,
      ...[site, step, seed[0], seed[1], threshold, scale] as const,
    );
    if (this.weight.requires_grad || this.bias.requires_grad) this.#backwardParameters(runtime, dy, n);
    return dx;
  }

  #backwardParameters(runtime: Runtime, dy: number, n: number): void {
    const { z, mean, rstd } = this.#saved;
    const mark = runtime.arena.mark();
    const unused = () => ({ pointer: runtime.arena.floats(this.size), accumulate: false });
    const weight = this.weight.requires_grad ? this.weight.beginGradient() : unused();
    const bias = this.bias.requires_grad ? this.bias.beginGradient() : unused();
    const apply = (dweight: number, dbias: number, accumulate: boolean) =>
      runtime.pool.run(
        ...["layer_norm_backward_parameters", Math.ceil(this.size / 16), 4] as const,
        ...[dweight, dbias, dy, z, mean, rstd, n, this.size, Number(accumulate)] as const,
      );
    if (weight.accumulate === bias.accumulate) apply(weight.pointer, bias.pointer, weight.accumulate);
    else {
      apply(weight.pointer, unused().pointer, weight.accumulate);
      apply(unused().pointer, bias.pointer, bias.accumulate);
    }
    if (this.weight.requires_grad) this.weight.endGradient(weight.pointer);
    if (this.bias.requires_grad) this.bias.endGradient(bias.pointer);
    runtime.arena.release(mark);
  }
}

const NO_DROPOUT: DropoutArguments = { site: 0, step: 0, seed: [0, 0], threshold: 0, scale: 1 };

/** Rows by number. */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(rows: number, readonly size: number, readonly padding_idx: number | null = null) {
    super("Embedding");
    this.weight = this.parameter("weight", new Parameter([rows, size], true));
  }

  protected override describe(): string {
    const padding = this.padding_idx === null ? "" : `, padding_idx=${this.padding_idx}`;
    return `${this.weight.shape[0]}, ${this.size}${padding}`;
  }

  /** dweight[ids] += dz[n, H]; the padding row gets none. `ids` points to i32 [n]. */
  backward(runtime: Runtime, dz: number, ids: number, n: number): void {
    if (!this.weight.requires_grad) return;
    const { pointer } = this.weight.beginGradient();
    runtime.pool.run(
      ...[
        "embedding_backward",
        Math.ceil(this.size / 16),
        Math.max(1, Math.ceil(this.size / 16 / runtime.threads)),
      ] as const,
      ...[pointer, this.weight.touched, dz, ids, n, this.size, this.padding_idx ?? -1] as const,
    );
    this.weight.endGradient(pointer);
  }
}

/** Only a name in the tree: the activation is fused into the Linear before it. */
export class Tanh extends Module {
  constructor() {
    super("Tanh");
  }
}
