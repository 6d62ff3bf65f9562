/**
 * Precision, recall and F-score with the averages and the zero_division of scikit-learn's
 * precision_recall_fscore_support (https://scikit-learn.org/stable/modules/model_evaluation.html).
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { checkPair, classesOf, type Label, nanMean } from "./check.ts";

/** How the scores of the classes become one. */
export type Average = "binary" | "micro" | "macro" | "weighted" | "samples";

/**
 * A class for each example, or, where an example has several labels, a row of 0 and 1 for each. [N] or [N, K]
 */
export type Targets = ArrayLike<Label> | readonly (readonly number[])[];

/** Options of precision, recall and F-score. */
export interface ScoreOptions {
  /**
   * `"binary"`: the scores of `pos_label`. `"micro"`: of all counts together. `"macro"`: the classes' mean.
   * `"weighted"`: the same by support. `"samples"`: the examples' mean, for several labels. Default `"binary"`.
   */
  average?: Average;
  /** The classes that count; others still count as mistakes. Default: all that occur. Columns for several labels. */
  labels?: readonly Label[];
  /** The class that `"binary"` scores. Default 1. */
  pos_label?: Label;
  /** What a ratio without a denominator is; NaN leaves it out of averages. Default 0. */
  zero_division?: number;
  /** The weight of recall in the F-score. Default 1. */
  beta?: number;
}

/** The scores of all classes, in the order of `labels`. */
export interface ScoresPerClass {
  /** The classes; columns for several labels. */
  labels: Label[];
  /** Of the examples predicted as the class, the share that belongs to it. [K] */
  precision: number[];
  /** Of the examples of the class, the share that was found. [K] */
  recall: number[];
  /** The harmonic mean of both, if `beta` is 1. [K] */
  fscore: number[];
  /** How many examples belong to the class. [K] */
  support: number[];
}

/** Scores that an average made one. */
export interface AveragedScores {
  /** The averaged precision. */
  precision: number;
  /** The averaged recall. */
  recall: number;
  /** The averaged F-score. */
  fscore: number;
}

/** What the ratios are made of: for each class how many were predicted right, predicted, and true. */
export interface Counts {
  right: number[];
  predicted: number[];
  support: number[];
}

function isMatrix(values: Targets): values is readonly (readonly number[])[] {
  return values.length > 0 && typeof values[0] === "object";
}

function add(counts: Counts, k: number | undefined, isTrue: boolean, isPredicted: boolean): void {
  if (k === undefined) return;
  if (isTrue) counts.support[k]++;
  if (isPredicted) counts.predicted[k]++;
  if (isTrue && isPredicted) counts.right[k]++;
}

function zeros(length: number): Counts {
  const make = () => new Array<number>(length).fill(0);
  return { right: make(), predicted: make(), support: make() };
}

function countLabels(y_true: ArrayLike<Label>, y_pred: ArrayLike<Label>, labels: readonly Label[]): Counts {
  const counts = zeros(labels.length), at = new Map(labels.map((label, k) => [label, k]));
  for (let i = 0; i < y_true.length; i++) {
    const isRight = y_true[i] === y_pred[i];
    add(counts, at.get(y_true[i]), true, isRight);
    if (!isRight) add(counts, at.get(y_pred[i]), false, true);
  }
  return counts;
}

type Matrix = readonly (readonly number[])[];

function checkMatrices(what: string, y_true: Matrix, y_pred: Matrix): number {
  const columns = y_true[0].length;
  for (const rows of [y_true, y_pred]) {
    rows.forEach((row, i) => {
      if (row.length === columns && row.every((value) => value === 0 || value === 1)) return;
      throw new DataError(
        `Cannot compute the ${what}: row ${i} is [${row.slice(0, 8)}], wanted ${columns} values of 0 or 1`,
      );
    });
  }
  return columns;
}

/** Counts by column, or by row for `"samples"`. */
function countMatrix(y_true: Matrix, y_pred: Matrix, columns: readonly number[], byRow: boolean): Counts {
  const counts = zeros(byRow ? y_true.length : columns.length);
  y_true.forEach((row, i) =>
    columns.forEach((column, k) => add(counts, byRow ? i : k, row[column] === 1, y_pred[i][column] === 1))
  );
  return counts;
}

function countAll(
  y_true: Targets,
  y_pred: Targets,
  options: ScoreOptions,
  average: Average | null,
): { counts: Counts; labels: Label[] } {
  const what = "precision and recall";
  checkPair(what, y_true, y_pred);
  const problem = (reason: string) => new DataError(`Cannot compute the ${what}: ${reason}`);
  if (isMatrix(y_true) || isMatrix(y_pred)) {
    if (!isMatrix(y_true) || !isMatrix(y_pred)) {
      throw problem("one side has several labels an example, the other one");
    }
    if (average === "binary") {
      throw problem('average is "binary", wanted another one for several labels an example');
    }
    const columns = checkMatrices(what, y_true, y_pred);
    const labels = (options.labels as number[]) ?? Array.from({ length: columns }, (_, k) => k);
    if (!labels.every((k) => Number.isInteger(k) && k >= 0 && k < columns)) {
      throw problem(`the labels are ${labels}, wanted columns from 0 to ${columns - 1}`);
    }
    return { counts: countMatrix(y_true, y_pred, labels, average === "samples"), labels };
  }
  if (average === "samples") throw problem('average is "samples", which is for several labels an example');
  const present = classesOf(y_true, y_pred), { pos_label = 1 } = options;
  if (average !== "binary") {
    const labels = [...options.labels ?? present];
    return { counts: countLabels(y_true, y_pred, labels), labels };
  }
  if (present.length > 2) {
    throw problem(`average is "binary" and there are ${present.length} classes; choose another`);
  }
  if (present.length === 2 && !present.includes(pos_label)) {
    throw problem(`pos_label is "${pos_label}", wanted "${present.join('" or "')}"`);
  }
  return { counts: countLabels(y_true, y_pred, [pos_label]), labels: [pos_label] };
}

/** The sum of all counts as one class. */
function together({ right, predicted, support }: Counts): Counts {
  const sum = (values: number[]) => [values.reduce((a, b) => a + b, 0)];
  return { right: sum(right), predicted: sum(predicted), support: sum(support) };
}

/**
 * Precision, recall and F-score of each class, or their average.
 *
 * @param y_true The true classes, or rows of 0 and 1. [N] or [N, K]
 * @param y_pred The predicted ones, as many.
 * @param options Without `average` (or `null`), the scores of each class.
 * @throws {DataError} if the lengths differ, there is no example, or the classes do not fit the average.
 *
 * @example
 * ```ts
 * import { precision_recall_fscore_support } from "@berth/berth";
 *
 * const { labels, recall } = precision_recall_fscore_support(["cat", "dog", "cat"], ["cat", "dog", "dog"]);
 * console.log(labels, recall); // ["cat", "dog"] [0.5, 1]
 * ```
 */
export function precision_recall_fscore_support(
  y_true: Targets,
  y_pred: Targets,
  options: ScoreOptions & { average: Average },
): AveragedScores;
/** The scores of each class. */
export function precision_recall_fscore_support(
  y_true: Targets,
  y_pred: Targets,
  options?: Omit<ScoreOptions, "average"> & { average?: null },
): ScoresPerClass;
/** The scores of each class, or their average. */
export function precision_recall_fscore_support(
  y_true: Targets,
  y_pred: Targets,
  options: Omit<ScoreOptions, "average"> & { average?: Average | null } = {},
): AveragedScores | ScoresPerClass {
  const { average = null, zero_division = 0, beta = 1, ...others } = options, beta2 = beta ** 2;
  if (!(beta >= 0)) throw new RangeError(`Cannot score with beta ${beta}: a number from 0 on is wanted`);
  const { counts: each, labels } = countAll(y_true, y_pred, others, average);
  const counts = average === "micro" ? together(each) : each;
  const ratio = (part: number, whole: number) => whole === 0 ? zero_division : part / whole;
  const precision = counts.right.map((right, k) => ratio(right, counts.predicted[k]));
  const recall = counts.right.map((right, k) => ratio(right, counts.support[k]));
  const fscore = beta === Infinity
    ? recall
    : beta === 0
    ? precision
    : counts.right.map((right, k) =>
      ratio((1 + beta2) * right, beta2 * counts.support[k] + counts.predicted[k])
    );
  if (average === null) return { labels, precision, recall, fscore, support: counts.support };
  const weights = average === "weighted" ? counts.support : undefined;
  const one = (values: number[]) => nanMean(values, weights);
  return { precision: one(precision), recall: one(recall), fscore: one(fscore) };
}

/**
 * Of the examples predicted as a class, the share that belongs to it.
 *
 * @param y_true The true classes, or rows of 0 and 1. [N] or [N, K]
 * @param y_pred The predicted ones, as many.
 * @throws {DataError} as {@linkcode precision_recall_fscore_support} does.
 */
export function precision_score(y_true: Targets, y_pred: Targets, options: ScoreOptions = {}): number {
  return precision_recall_fscore_support(y_true, y_pred, { average: "binary", ...options }).precision;
}

/**
 * Of the examples of a class, the share that was found.
 *
 * @param y_true The true classes, or rows of 0 and 1. [N] or [N, K]
 * @param y_pred The predicted ones, as many.
 * @throws {DataError} as {@linkcode precision_recall_fscore_support} does.
 */
export function recall_score(y_true: Targets, y_pred: Targets, options: ScoreOptions = {}): number {
  return precision_recall_fscore_support(y_true, y_pred, { average: "binary", ...options }).recall;
}

/**
 * The harmonic mean of precision and recall.
 *
 * @param y_true The true classes, or rows of 0 and 1. [N] or [N, K]
 * @param y_pred The predicted ones, as many.
 * @throws {DataError} as {@linkcode precision_recall_fscore_support} does.
 *
 * @example
 * ```ts
 * import { f1_score } from "@berth/berth";
 *
 * console.log(f1_score([0, 1, 2, 2], [0, 2, 2, 2], { average: "macro" })); // 0.6
 * ```
 */
export function f1_score(y_true: Targets, y_pred: Targets, options: ScoreOptions = {}): number {
  return precision_recall_fscore_support(y_true, y_pred, { average: "binary", ...options }).fscore;
}
