/**
 * Scores of a classifier from its expected and predicted classes: accuracy, confusion counts, and precision,
 * recall and F1 of each class, as scikit-learn defines them (an undefined ratio counts as 0).
 *
 * @module
 */

import { DataError } from "../errors.ts";
import { checkPair } from "./check.ts";

/** The scores of one class, or an average of such scores. All ratios lie in 0 to 1. */
export interface ClassScores {
  /** Of the examples predicted as this class, the share that belongs to it. */
  precision: number;
  /** Of the examples of this class, the share that was found. */
  recall: number;
  /** The harmonic mean of precision and recall. */
  f1: number;
  /** How many examples belong to this class. */
  support: number;
}

/** What {@linkcode classificationReport} finds. */
export interface ClassificationReport {
  /** The share of examples that were predicted right. */
  accuracy: number;
  /** The scores of each class, in the order of the counts' rows. */
  perClass: ClassScores[];
  /** The mean over the classes, each counted once. */
  macro: ClassScores;
  /** The mean over the classes, each weighted by its support. */
  weighted: ClassScores;
}

/**
 * The share of positions at which `predicted` equals `expected`.
 *
 * @param expected The true classes.
 * @param predicted The predicted classes, as many.
 * @returns A number from 0 to 1.
 * @throws {DataError} If the lengths differ, or there is no example.
 *
 * @example
 * ```ts
 * import { accuracy } from "@berth/berth";
 *
 * console.log(accuracy([0, 1, 1, 0], [0, 1, 0, 0])); // 0.75
 * ```
 */
export function accuracy<T extends string | number>(expected: ArrayLike<T>, predicted: ArrayLike<T>): number {
  checkPair("accuracy", expected, predicted);
  let right = 0;
  for (let i = 0; i < expected.length; i++) if (expected[i] === predicted[i]) right++;
  return right / expected.length;
}

/**
 * Counts how often each class was predicted as each class.
 *
 * @param expected The true classes.
 * @param predicted The predicted classes, as many.
 * @param labels Every class once; its order is the order of rows and columns.
 * @returns `counts[e][p]`: the examples of class `labels[e]` that were predicted as `labels[p]`. [K, K]
 * @throws {DataError} If the lengths differ, there is no example, a label is listed twice, or a class is not in `labels`.
 *
 * @example
 * ```ts
 * import { confusionCounts } from "@berth/berth";
 *
 * console.log(confusionCounts([0, 1, 1], [0, 0, 1], [0, 1])); // [[1, 0], [1, 1]]
 * ```
 */
export function confusionCounts<T extends string | number>(
  expected: ArrayLike<T>,
  predicted: ArrayLike<T>,
  labels: readonly T[],
): number[][] {
  checkPair("confusion", expected, predicted);
  const rows = new Map<T, number>();
  labels.forEach((label, row) => {
    if (rows.has(label)) throw new DataError(`Cannot count the confusion: label "${label}" is listed twice`);
    rows.set(label, row);
  });
  const rowOf = (label: T, kind: string, i: number): number => {
    const row = rows.get(label);
    if (row !== undefined) return row;
    throw new DataError(
      `Cannot count the confusion: the ${kind} class of example ${i} is "${label}", wanted one of the ${labels.length} labels`,
    );
  };
  const counts = labels.map(() => new Array<number>(labels.length).fill(0)); // [K, K]
  for (let i = 0; i < expected.length; i++) {
    counts[rowOf(expected[i], "expected", i)][rowOf(predicted[i], "predicted", i)]++;
  }
  return counts;
}

/**
 * Precision, recall and F1 of each class, with their averages. A ratio without a denominator (a class that was never
 * predicted, or has no example) is 0, as in scikit-learn with `zero_division=0`.
 *
 * @param counts What {@linkcode confusionCounts} returned. [K, K]
 * @returns The scores, the classes in the order of the rows.
 * @throws {DataError} If the counts are not a square of whole numbers, or are all zero.
 *
 * @example
 * ```ts
 * import { classificationReport } from "@berth/berth";
 *
 * const report = classificationReport([[8, 2], [1, 9]]);
 * console.log(report.accuracy, report.perClass[0].recall); // 0.85 0.8
 * ```
 */
export function classificationReport(counts: readonly (readonly number[])[]): ClassificationReport {
  const total = checkCounts(counts);
  const predictedTotals = counts.map((_, p) => counts.reduce((sum, row) => sum + row[p], 0)); // [K]
  const perClass = counts.map((row, k): ClassScores => {
    const support = row.reduce((sum, count) => sum + count, 0);
    return {
      precision: ratio(row[k], predictedTotals[k]),
      recall: ratio(row[k], support),
      f1: ratio(2 * row[k], predictedTotals[k] + support),
      support,
    };
  });
  const right = counts.reduce((sum, row, k) => sum + row[k], 0);
  return {
    accuracy: right / total,
    perClass,
    macro: average(perClass, () => 1 / perClass.length, total),
    weighted: average(perClass, (scores) => scores.support / total, total),
  };
}

/** The weighted mean of class scores; the weights add up to 1. */
function average(
  all: ClassScores[],
  weightOf: (scores: ClassScores) => number,
  support: number,
): ClassScores {
  const mean: ClassScores = { precision: 0, recall: 0, f1: 0, support };
  for (const scores of all) {
    const weight = weightOf(scores);
    mean.precision += weight * scores.precision;
    mean.recall += weight * scores.recall;
    mean.f1 += weight * scores.f1;
  }
  return mean;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Checks the square of counts and returns their sum. */
function checkCounts(counts: readonly (readonly number[])[]): number {
  let total = 0;
  counts.forEach((row, e) => {
    if (row.length !== counts.length) {
      throw new DataError(
        `Cannot report on the counts: row ${e} has ${row.length} columns, wanted ${counts.length}`,
      );
    }
    for (const count of row) {
      if (!Number.isInteger(count) || count < 0) {
        throw new DataError(
          `Cannot report on the counts: row ${e} has ${count}, wanted a whole number from 0 up`,
        );
      }
      total += count;
    }
  });
  if (total === 0) {
    throw new DataError("Cannot report on the counts: they are all zero, wanted at least one example");
  }
  return total;
}
