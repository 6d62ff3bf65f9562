/**
 * The losses of the heads: reads the labels, runs the kernel, gives the mean and the gradient of the logits.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { ProblemType } from "./config.ts";

/** Labels of a batch: classes, floats, or rows of floats. */
export type Labels = readonly number[] | Int32Array | Float32Array | readonly (readonly number[])[];

/** Labels that the mean does not count, as in PyTorch. */
export const IGNORE_INDEX = -100;

/** A loss and the gradient that it starts. */
export interface LossResult {
  /** The mean over what counts; NaN if nothing does, as in PyTorch. */
  value: number;
  /** [n, K] in the arena. */
  dlogits: number;
}

/**
 * @param logits [n, K] in the arena.
 * @throws {DataError} if the labels do not fit.
 */
export function computeLoss(
  runtime: Runtime,
  problem: ProblemType,
  logits: number,
  labels: Labels,
  n: number,
  k: number,
): LossResult {
  const flat = flatten(labels);
  const single = problem === "single_label_classification", wanted = single ? n : n * k;
  if (flat.length !== wanted) {
    throw new DataError(
      `Cannot compute the loss: there are ${flat.length} labels, ${wanted} are wanted (${problem})`,
    );
  }
  const dlogits = runtime.arena.floats(n * k),
    losses = runtime.arena.floats(n * 2),
    table = runtime.arena.floats(wanted);
  let counted = wanted;
  if (single) {
    counted = checkClasses(flat, k);
    runtime.heap.i32.set(flat, table / 4);
    runtime.pool.run("cross_entropy", n, 16, losses, dlogits, logits, table, k, IGNORE_INDEX, 1 / counted);
  } else {
    flat.forEach((label, i) => {
      if (!Number.isFinite(label)) throw new DataError(`Cannot compute the loss: label ${i} is ${label}`);
    });
    runtime.heap.f32.set(flat, table / 4);
    const kernel = problem === "regression" ? "mean_squared_error" : "binary_cross_entropy";
    runtime.pool.run(kernel, n, 16, losses, dlogits, logits, table, k, 1 / counted);
  }
  return { value: runtime.pool.exports.sum_f64(losses, n) / counted, dlogits };
}

function flatten(labels: Labels): number[] {
  return Array.from(labels as ArrayLike<number | readonly number[]>).flat() as number[];
}

/** The number of labels that count. */
function checkClasses(labels: number[], k: number): number {
  let counted = 0;
  labels.forEach((label, i) => {
    if (label === IGNORE_INDEX) return;
    if (!Number.isInteger(label) || label < 0 || label >= k) {
      throw new DataError(
        `Cannot compute the loss: label ${i} is ${label}, a class from 0 to ${k - 1} or -100 is wanted`,
      );
    }
    counted++;
  });
  return counted;
}
