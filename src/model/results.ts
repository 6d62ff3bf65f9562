/**
 * Results of a forward pass: where they stand in the arena, how they read as tensors, and how gradients of those come
 * back.
 *
 * @module
 */
import type { Runtime } from "../runtime/mod.ts";
import type { StepContext } from "./context.ts";
import { gradientPointer, type GradientValues, zeroFill } from "./gradients.ts";

/** One result. */
export interface Result {
  /** Its name in the output. */
  readonly name: string;
  /** As users see it. */
  readonly shape: readonly number[];
  /** Values that the head works on: those of rows that are computed. */
  readonly count: number;
  /** Writes the values as users see them. */
  fill(target: number): void;
  /** Copies a gradient of those into the arena, in the head's layout. */
  gradient(values: GradientValues): number;
}

/** A result that stands in the arena as users see it. */
export function denseResult(
  { runtime }: StepContext,
  name: string,
  pointer: number,
  shape: readonly number[],
): Result {
  const count = shape.reduce((a, b) => a * b, 1);
  return {
    ...{ name, shape, count },
    fill: (target) => void runtime.heap.u8.copyWithin(target, pointer, pointer + count * 4),
    gradient: (values) => gradientPointer(runtime, values, shape, name),
  };
}

/** [rows, k] in the arena, [B, T, k] for users: zero where nothing was computed. */
export function rowsResult(
  { runtime, batch }: StepContext,
  name: string,
  pointer: number,
  k: number,
): Result {
  const { size, width, rows, places } = batch, shape = [size, width, k];
  return {
    ...{ name, shape, count: rows * k },
    fill: (target) => {
      if (rows < size * width) zeroFill(runtime, target, size * width * k);
      runtime.pool.run("scatter_rows", rows, 16, target, pointer, places, k);
    },
    gradient: (values) => {
      const packed = runtime.arena.floats(rows * k); // [rows, k]
      const padded = gradientPointer(runtime, values, shape, name);
      runtime.pool.run("gather_rows", rows, 16, packed, padded, places, k);
      return packed;
    },
  };
}

/** Gradients that a backward pass begins with: of the loss, and of results, from outside. */
export class HeadGradients {
  readonly #runtime: Runtime;
  readonly #lossScale: number;
  readonly #outside: Readonly<Record<string, GradientValues | undefined>>;
  readonly #scale: number;

  /**
   * @param lossScale Factor of the loss's gradient, 0 for none.
   * @param outside Gradients by the names of results.
   * @param scale Factor of the gradients from outside.
   */
  constructor(
    runtime: Runtime,
    lossScale: number,
    outside: Readonly<Record<string, GradientValues | undefined>>,
    scale: number,
  ) {
    this.#runtime = runtime;
    this.#lossScale = lossScale;
    this.#outside = outside;
    this.#scale = scale;
  }

  /** The gradient of a result in the head's layout: of the loss (`dloss`, overwritten) and from outside; 0 for none. */
  of(result: Result, dloss = 0): number {
    const { count } = result, outside = this.fromOutside(result), loss = this.ofLoss(dloss, count);
    if (outside === 0 || loss === 0) return outside || loss;
    this.#runtime.pool.run("add", Math.ceil(count / 1024), 4, outside, outside, loss, count);
    return outside;
  }

  /** The loss's part; overwrites `dloss`. */
  ofLoss(dloss: number, count: number): number {
    return dloss === 0 || this.#lossScale === 0 ? 0 : this.#scaled(dloss, count, this.#lossScale);
  }

  /** The part from outside. */
  fromOutside(result: Result): number {
    const values = this.#outside[result.name];
    return values ? this.#scaled(result.gradient(values), result.count, this.#scale) : 0;
  }

  #scaled(pointer: number, count: number, factor: number): number {
    if (factor !== 1) {
      this.#runtime.pool.run("scale", Math.ceil(count / 1024), 4, pointer, pointer, factor, count);
    }
    return pointer;
  }
}
