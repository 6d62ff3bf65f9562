/**
 * How well scores put the right class first: ROC AUC, average precision, top-k accuracy, as scikit-learn defines them.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { checkFinite, checkPair, classesOf, type Label, nanMean, numberOf } from "./check.ts";

/** A score for the positive class of each example, or for every class. [N] or [N, K] */
export type Scores = ArrayLike<number> | readonly ArrayLike<number>[];

/** Options of metrics that read scores. */
export interface RankingOptions {
  /** How the classes' scores become one. Default `"macro"`. */
  average?: "macro" | "weighted" | "micro";
  /** The classes in the order of the columns. Default: those in `y_true`, in order. */
  labels?: readonly Label[];
}

/** Scores of [N, K] with the classes of their columns, and the column of each example's class. */
export interface ClassColumns {
  rows: readonly ArrayLike<number>[];
  classes: readonly Label[];
  /** The column of each example's class. [N] */
  truth: number[];
}

/** True for scores of every class. */
export function isTable(scores: Scores): scores is readonly ArrayLike<number>[] {
  return scores.length > 0 && typeof scores[0] === "object";
}

/** Checks scores of every class and finds each example's column. */
export function classColumns(
  what: string,
  y_true: ArrayLike<Label>,
  rows: readonly ArrayLike<number>[],
  labels: readonly Label[] | undefined,
): ClassColumns {
  const classes = labels ?? classesOf(y_true), columnOf = numberOf(what, classes);
  rows.forEach((row, i) => {
    if (row.length !== classes.length) {
      throw new DataError(
        `Cannot compute the ${what}: row ${i} has ${row.length} scores, there are ${classes.length} classes` +
          (labels ? "" : " in y_true; the option labels names them all"),
      );
    }
    checkFinite(`${what} of example ${i}`, row);
  });
  return { rows, classes, truth: Array.from(y_true, columnOf) };
}

/** Groups of equal scores from the highest on: how many true and how many false ones are in each. */
function* groups(
  isTrue: readonly boolean[],
  scores: ArrayLike<number>,
): Generator<[right: number, wrong: number]> {
  const order = isTrue.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
  for (let from = 0, to = 0; from < order.length; from = to) {
    let right = 0;
    while (to < order.length && scores[order[to]] === scores[order[from]]) {
      right += Number(isTrue[order[to++]]);
    }
    yield [right, to - from - right];
  }
}

/** The area under the ROC curve; NaN if one side has no example. */
function binaryRocAuc(isTrue: readonly boolean[], scores: ArrayLike<number>): number {
  let area = 0, found = 0, wrong = 0;
  for (const [right, others] of groups(isTrue, scores)) {
    area += others * (found + right / 2);
    found += right;
    wrong += others;
  }
  return found === 0 || wrong === 0 ? NaN : area / (found * wrong);
}

/** The mean of the precision at each step of recall; 0 if nothing is true. */
function binaryAveragePrecision(isTrue: readonly boolean[], scores: ArrayLike<number>): number {
  const total = isTrue.filter(Boolean).length;
  let found = 0, seen = 0, sum = 0;
  for (const [right, others] of groups(isTrue, scores)) {
    found += right;
    seen += right + others;
    sum += right * found / seen;
  }
  return total === 0 ? 0 : sum / total;
}

type BinaryMetric = (isTrue: readonly boolean[], scores: ArrayLike<number>) => number;

/** A metric of one class against the others, averaged over the classes. */
function oneAgainstRest(metric: BinaryMetric, columns: ClassColumns, average = "macro"): number {
  const { rows, classes, truth } = columns;
  const isTrue = (k: number) => truth.map((column) => column === k);
  if (average === "micro") {
    const flags = truth.flatMap((column) => classes.map((_, k) => column === k));
    return metric(flags, rows.flatMap((row) => Array.from(row)));
  }
  if (average !== "macro" && average !== "weighted") {
    throw new DataError(`Cannot average by "${average}": "macro", "weighted" or "micro" is wanted`);
  }
  const support = classes.map((_, k) => truth.filter((column) => column === k).length);
  const scores = classes.map((_, k) => metric(isTrue(k), rows.map((row) => row[k])));
  const weights = average === "weighted" ? support : classes.map(() => 1),
    total = weights.reduce((a, b) => a + b);
  // A NaN stays one, but for a class that has no weight.
  return scores.reduce((sum, score, k) => sum + (weights[k] === 0 ? 0 : score * weights[k]), 0) / total;
}

/** Which examples belong to the positive class of two: the one named, else 1 among 0, 1 and -1, else the greater. */
export function positives(what: string, y_true: ArrayLike<Label>, positive?: Label): boolean[] {
  const classes = classesOf(y_true);
  if (classes.length > 2) {
    throw new DataError(
      `Cannot compute the ${what}: there are ${classes.length} classes and one score an example, wanted one a class`,
    );
  }
  if (classes.length === 2 && positive !== undefined && !classes.includes(positive)) {
    throw new DataError(
      `Cannot compute the ${what}: pos_label is "${positive}", wanted "${classes.join('" or "')}"`,
    );
  }
  const isSign = classes.every((label) => label === 0 || label === 1 || label === -1);
  const chosen = positive ?? (isSign ? 1 : classes[classes.length - 1]);
  return Array.from(y_true, (label) => label === chosen);
}

/**
 * The area under the ROC curve: the chance that an example of the class has a higher score than another one. With a
 * score for every class, each class against the rest. NaN where a class has no example, or no other has.
 *
 * @param y_true The true classes. [N]
 * @param y_score The scores of the greater class of two, or of every class. [N] or [N, K]
 * @throws {DataError} if lengths or classes do not fit, or a score is no finite number.
 *
 * @example
 * ```ts
 * import { roc_auc_score } from "@berth/berth";
 *
 * console.log(roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])); // 0.75
 * ```
 */
export function roc_auc_score(
  y_true: ArrayLike<Label>,
  y_score: Scores,
  options: RankingOptions = {},
): number {
  const what = "ROC AUC";
  checkPair(what, y_true, y_score);
  if (isTable(y_score)) {
    return oneAgainstRest(binaryRocAuc, classColumns(what, y_true, y_score, options.labels), options.average);
  }
  checkFinite(what, y_score);
  return binaryRocAuc(positives(what, y_true), y_score);
}

/**
 * The average precision: the area under the steps of precision over recall. With a score for every class, each class
 * against the rest.
 *
 * @param y_true The true classes. [N]
 * @param y_score The scores of `pos_label`, or of every class. [N] or [N, K]
 * @param options `pos_label` is the class of a single score. Default 1.
 * @throws {DataError} if lengths or classes do not fit, or a score is no finite number.
 */
export function average_precision_score(
  y_true: ArrayLike<Label>,
  y_score: Scores,
  options: RankingOptions & { pos_label?: Label } = {},
): number {
  const what = "average precision", { pos_label = 1 } = options;
  checkPair(what, y_true, y_score);
  if (isTable(y_score)) {
    const columns = classColumns(what, y_true, y_score, options.labels);
    return oneAgainstRest(binaryAveragePrecision, columns, options.average);
  }
  checkFinite(what, y_score);
  return binaryAveragePrecision(positives(what, y_true, pos_label), y_score);
}

/**
 * The share of examples whose class is among the `k` with the highest scores. Of equal scores the later column counts
 * as the higher one.
 *
 * @param y_true The true classes. [N]
 * @param y_score The scores of every class. [N, K]
 * @param options `k`: default 2.
 * @throws {DataError} if lengths or classes do not fit, or a score is no finite number.
 */
export function top_k_accuracy_score(
  y_true: ArrayLike<Label>,
  y_score: readonly ArrayLike<number>[],
  options: { k?: number; labels?: readonly Label[] } = {},
): number {
  const what = "top-k accuracy", { k = 2 } = options;
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(`Cannot use k ${k}: a whole number above 0 is wanted`);
  }
  checkPair(what, y_true, y_score);
  const { rows, truth } = classColumns(what, y_true, y_score, options.labels);
  const hits = rows.map((row, i) => {
    const own = row[truth[i]],
      better = Array.from(row).filter((s, j) => s > own || (s === own && j > truth[i]));
    return Number(better.length < k);
  });
  return nanMean(hits);
}
