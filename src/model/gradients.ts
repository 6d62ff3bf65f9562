/**
 * Gradients that come from outside: of a user's own loss or head.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { Tensor } from "../runtime/tensor.ts";

/** A gradient from outside: a tensor, or its values in row-major order. */
export type GradientValues = Tensor | Float32Array | readonly number[];

/** Writes `count` zeros. */
export function zeroFill(runtime: Runtime, pointer: number, count: number): void {
  runtime.pool.run("zero", Math.ceil(count / 16384), 16, pointer, count * 4);
}

/** `count` zeros in the arena. */
export function zeros(runtime: Runtime, count: number): number {
  const pointer = runtime.arena.floats(count);
  zeroFill(runtime, pointer, count);
  return pointer;
}

/**
 * Copies a gradient into the arena.
 *
 * @throws {DataError} if its length does not fit.
 */
export function gradientPointer(
  runtime: Runtime,
  values: GradientValues,
  shape: readonly number[],
  name: string,
): number {
  const size = shape.reduce((a, b) => a * b, 1), pointer = runtime.arena.floats(size);
  const isTensor = "dataId" in values, length = isTensor ? values.size : values.length;
  if (length !== size) {
    throw new DataError(
      `Cannot run backward: the gradient of ${name} has ${length} values, expected [${shape.join(", ")}]`,
    );
  }
  if (isTensor) {
    const from = runtime.pointerOf(values);
    runtime.heap.u8.copyWithin(pointer, from, from + size * 4);
  } else {
    runtime.heap.f32.set(values, pointer / 4);
  }
  return pointer;
}
