/**
 * Sentence vectors out of token vectors: y = pool(x), then y / |y| if it is wanted, as in sentence-transformers.
 *
 * @module
 */
import type { Runtime } from "../runtime/mod.ts";
import type { StepContext } from "./context.ts";
import { zeros } from "./gradients.ts";

/**
 * How one vector is made of a sequence's: `mean`, `cls` (the first token's), `max` (the largest of each column) or
 * `mean_sqrt_len_tokens` (the sum divided by the root of the number of tokens).
 */
export type PoolingMode = "mean" | "cls" | "max" | "mean_sqrt_len_tokens";

/** Numbers by which the kernels know the modes; `cls` takes rows. */
const KERNEL_MODES: Readonly<Record<PoolingMode, number>> = {
  mean: 0,
  max: 1,
  mean_sqrt_len_tokens: 2,
  cls: -1,
};

/** All modes. */
export const POOLING_MODES = Object.keys(KERNEL_MODES) as readonly PoolingMode[];

/** torch.nn.functional.normalize's. */
const EPS = 1e-12;

/** Unit vectors, and what the way back needs. */
export interface UnitVectors {
  /** [n, H] */
  readonly units: number;
  /** [n]: 1 / length. */
  readonly inverse: number;
}

/** x[n, H] / |x|, row by row, in the arena. */
export function normalizeRows(runtime: Runtime, x: number, n: number, h: number): UnitVectors {
  const units = runtime.arena.floats(n * h), inverse = runtime.arena.floats(n);
  runtime.pool.run("normalize_forward", n, 8, units, inverse, x, h, EPS);
  return { units, inverse };
}

/** dx[n, H] of the gradient of the unit vectors, in the arena. */
export function normalizeRowsBackward(
  runtime: Runtime,
  dunits: number,
  { units, inverse }: UnitVectors,
  n: number,
  h: number,
): number {
  const dx = runtime.arena.floats(n * h);
  runtime.pool.run("normalize_backward", n, 8, dx, dunits, units, inverse, h);
  return dx;
}

/** Pooling of one step. */
export class SentencePooling {
  #places = 0;
  #unit: UnitVectors | undefined;

  constructor(readonly mode: PoolingMode, readonly normalize: boolean, readonly size: number) {}

  /** Returns y [B, H] of x [rows, H]. */
  forward({ runtime, batch }: StepContext, x: number): number {
    const { size: h, mode } = this, n = batch.size, y = runtime.arena.floats(n * h);
    if (mode === "cls") runtime.pool.run("gather_rows", n, 16, y, x, batch.firstRows, h);
    else {
      this.#places = mode === "max" ? runtime.arena.floats(n * h) : 0;
      runtime.pool.run("pool_forward", n, 1, y, this.#places, x, batch.sequences, h, KERNEL_MODES[mode]);
    }
    this.#unit = this.normalize ? normalizeRows(runtime, y, n, h) : undefined;
    return this.#unit?.units ?? y;
  }

  /** Returns dx [rows, H] of dy [B, H]. */
  backward({ runtime, batch }: StepContext, dy: number): number {
    const { size: h, mode } = this, n = batch.size;
    if (this.#unit) dy = normalizeRowsBackward(runtime, dy, this.#unit, n, h);
    if (mode === "cls") {
      const dx = zeros(runtime, batch.rows * h); // [rows, H]
      runtime.pool.run("scatter_rows", n, 16, dx, dy, batch.firstRows, h);
      return dx;
    }
    const dx = runtime.arena.floats(batch.rows * h); // [rows, H]
    runtime.pool.run("pool_backward", n, 1, dx, dy, this.#places, batch.sequences, h, KERNEL_MODES[mode]);
    return dx;
  }
}
