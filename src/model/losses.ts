/**
 * The losses of the heads: reads the labels, runs the kernel, gives the mean and the gradient of the scores.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { type Matrix, matrixRows, type RaggedBatch } from "./batch.ts";
import type { ProblemType } from "./config.ts";

/** Labels of a batch: classes, floats, or rows of floats. */
export type Labels =
  | readonly number[]
  | Int32Array
  | Float32Array
  | readonly (readonly number[])[]
  | readonly Float32Array[]
  | Tensor;

/** Labels that the mean does not count, as in PyTorch. */
export const IGNORE_INDEX = -100;

/** What changes the loss of a classifier. */
export interface LossOptions {
  /**
   * The share of the target that is spread over all classes, as PyTorch's `CrossEntropyLoss(label_smoothing)` and
   * transformers' `label_smoothing_factor`. Default 0.
   */
  label_smoothing?: number;
  /**
   * [K]: PyTorch's `CrossEntropyLoss(weight)`, where the mean is weighted too, or, for several labels,
   * `BCEWithLogitsLoss(pos_weight)`. Default: all 1.
   */
  class_weights?: readonly number[] | Float32Array;
}

/** A loss and the gradient that it starts. */
export interface LossResult {
  /** The mean over what counts; NaN if nothing does, as in PyTorch. */
  value: number;
  /** [n, K] in the arena. */
  dlogits: number;
}

/**
 * Softmax cross entropy with classes.
 *
 * @param scores [n, K] in the arena.
 * @param labels Classes, checked already, or -100.
 * @param place `inPlace`: overwrites the scores with their gradient. `share`: a factor of the loss.
 */
export function crossEntropy(
  runtime: Runtime,
  scores: number,
  labels: ArrayLike<number>,
  k: number,
  { label_smoothing = 0, class_weights }: LossOptions = {},
  { inPlace = false, share = 1 }: { inPlace?: boolean; share?: number } = {},
): LossResult {
  if (!(label_smoothing >= 0 && label_smoothing <= 1)) {
    throw new DataError(
      `Cannot use label_smoothing ${label_smoothing}: a number from 0 to 1 is wanted`,
    );
  }
  const n = labels.length, dlogits = inPlace ? scores : runtime.arena.floats(n * k);
  const losses = runtime.arena.floats(n * 2), table = runtime.arena.floats(n);
  const weights = weightTable(runtime, class_weights, k);
  runtime.heap.i32.set(labels, table / 4);
  let total = 0;
  for (let i = 0; i < n; i++) if (labels[i] !== IGNORE_INDEX) total += weights.of(labels[i]);
  runtime.pool.run(
    ...["cross_entropy", n, Math.max(1, Math.min(16, Math.ceil(4096 / k))), losses, dlogits, scores] as const,
    ...[table, weights.pointer, k, IGNORE_INDEX, weights.sum, label_smoothing, share / total] as const,
  );
  return { value: share * runtime.pool.exports.sum_f64(losses, n) / total, dlogits };
}

/**
 * The loss of a sequence classifier.
 *
 * @param scores [n, K] in the arena.
 * @throws {DataError} if the labels do not fit.
 */
export function computeLoss(
  runtime: Runtime,
  problem: ProblemType,
  scores: number,
  labels: Labels,
  n: number,
  k: number,
  options: LossOptions = {},
): LossResult {
  const flat = flatten(labels), single = problem === "single_label_classification";
  const wanted = single ? n : n * k;
  if (flat.length !== wanted) {
    throw new DataError(
      `Cannot compute the loss: there are ${flat.length} labels, ${wanted} are wanted (${problem})`,
    );
  }
  if (single) {
    flat.forEach((label, i) => checkClass(label, k, `label ${i}`));
    return crossEntropy(runtime, scores, flat, k, options);
  }
  if (options.label_smoothing) {
    throw new DataError(`Cannot smooth labels: the problem is ${problem}, classes are wanted`);
  }
  flat.forEach((label, i) => {
    if (!Number.isFinite(label)) throw new DataError(`Cannot compute the loss: label ${i} is ${label}`);
  });
  const regression = problem === "regression";
  if (regression && options.class_weights) {
    throw new DataError("Cannot weigh classes: the problem is regression, which has none");
  }
  const dlogits = runtime.arena.floats(n * k), losses = runtime.arena.floats(n * 2);
  const table = runtime.arena.floats(wanted), scale = 1 / wanted;
  runtime.heap.f32.set(flat, table / 4);
  if (regression) {
    runtime.pool.run("mean_squared_error", n, 16, losses, dlogits, scores, table, k, scale);
  } else {
    const { pointer } = weightTable(runtime, options.class_weights, k);
    runtime.pool.run("binary_cross_entropy", n, 16, losses, dlogits, scores, table, pointer, k, scale);
  }
  return { value: runtime.pool.exports.sum_f64(losses, n) / wanted, dlogits };
}

/** Class weights in the arena; 0 for none. */
function weightTable(runtime: Runtime, values: LossOptions["class_weights"], k: number) {
  if (!values) return { pointer: 0, sum: k, of: () => 1 };
  if (values.length !== k || !Array.from(values).every((w) => w >= 0 && w < Infinity)) {
    throw new DataError(
      `Cannot use class_weights [${Array.from(values).join(", ")}]: ${k} numbers from 0 up are wanted`,
    );
  }
  const rounded = Float32Array.from(values), pointer = runtime.arena.floats(k);
  runtime.heap.f32.set(rounded, pointer / 4);
  return { pointer, sum: rounded.reduce((a, b) => a + b, 0), of: (label: number) => rounded[label] };
}

/** Labels as one list. */
export function flatten(labels: Labels): number[] {
  if (typeof labels !== "object") {
    throw new DataError(`Cannot compute the loss: labels is ${labels}, a list of them is wanted`);
  }
  if ("dataSync" in labels) return Array.from(labels.dataSync());
  return Array.from(
    labels as ArrayLike<number | ArrayLike<number>>,
    (row) => typeof row === "number" ? [row] : Array.from(row),
  ).flat();
}

/** @throws {DataError} if a label is neither a class nor -100. */
export function checkClass(label: number, k: number, name: string): void {
  if (label === IGNORE_INDEX || Number.isInteger(label) && label >= 0 && label < k) return;
  throw new DataError(
    `Cannot compute the loss: ${name} is ${label}, a class from 0 to ${k - 1} or -100 is wanted`,
  );
}

/**
 * Labels of tokens, [B, T], in the order of the rows that are computed.
 *
 * @throws {DataError} if shapes differ, a label is no class, or one counts where the mask leaves the token out.
 */
export function tokenLabels({ tables }: RaggedBatch, labels: Matrix, k: number): Int32Array {
  const { size, width, columns, rows, words } = tables, lines = matrixRows(labels, "labels");
  if (lines.length !== size) {
    throw new DataError(`Cannot compute the loss: labels has ${lines.length} rows, input_ids has ${size}`);
  }
  const padded = new Int32Array(size * width).fill(IGNORE_INDEX);
  lines.forEach((line, b) => {
    if (line.length !== columns[b]) {
      throw new DataError(
        `Cannot compute the loss: labels has ${line.length} columns in row ${b}, input_ids has ${columns[b]}`,
      );
    }
    for (let t = 0; t < line.length; t++) {
      checkClass(line[t], k, `labels[${b}][${t}]`);
      padded[b * width + t] = line[t];
    }
  });
  const own = Int32Array.from({ length: rows }, (_, row) => {
    const place = words[3 * rows + row], label = padded[place];
    padded[place] = IGNORE_INDEX;
    return label;
  });
  const left = padded.findIndex((label) => label !== IGNORE_INDEX);
  if (left < 0) return own;
  throw new DataError(
    `Cannot compute the loss: labels[${Math.floor(left / width)}][${left % width}] is ${
      padded[left]
    } where ` +
      "attention_mask is 0; -100 is wanted there, or keep_padding",
  );
}
