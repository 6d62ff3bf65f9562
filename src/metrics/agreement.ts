/**
 * Single numbers for how far predicted classes agree with the true ones.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { checkPair, classesOf, type Label, nanMean } from "./check.ts";
import { confusionCounts } from "./classification_report.ts";
import type { Targets } from "./precision_recall.ts";

/**
 * The share of examples that were predicted right; of several labels an example, all must be.
 *
 * @param y_true The true classes, or rows of 0 and 1. [N] or [N, K]
 * @param y_pred The predicted ones, as many.
 * @throws {DataError} if the lengths differ, or there is no example.
 */
export function accuracy_score(y_true: Targets, y_pred: Targets): number {
  checkPair("accuracy", y_true, y_pred);
  let right = 0;
  for (let i = 0; i < y_true.length; i++) if (isSame(y_true[i], y_pred[i])) right++;
  return right / y_true.length;
}

type Target = Label | readonly number[];

function isSame(a: Target, b: Target): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return a.length === b.length && a.every((value, k) => value === b[k]);
}

/** The confusion of all classes that occur, with its sums. */
function confusion(y_true: ArrayLike<Label>, y_pred: ArrayLike<Label>) {
  checkPair("confusion", y_true, y_pred);
  const counts = confusionCounts(y_true, y_pred, classesOf(y_true, y_pred)); // [K, K]
  const expected = counts.map((row) => row.reduce((a, b) => a + b)); // [K]
  const predicted = counts.map((_, p) => counts.reduce((sum, row) => sum + row[p], 0)); // [K]
  return { counts, expected, predicted };
}

/**
 * The mean of the recalls of the classes that have examples.
 *
 * @param y_true The true classes. [N]
 * @param y_pred The predicted classes. [N]
 * @param options `adjusted`: 0 for a guess and 1 for a perfect prediction. Default false.
 * @throws {DataError} if the lengths differ, or there is no example.
 */
export function balanced_accuracy_score(
  y_true: ArrayLike<Label>,
  y_pred: ArrayLike<Label>,
  options: { adjusted?: boolean } = {},
): number {
  const { counts, expected } = confusion(y_true, y_pred);
  const recalls = counts.map((row, k) => row[k] / expected[k]).filter((recall) => !Number.isNaN(recall));
  const score = nanMean(recalls), chance = 1 / recalls.length;
  return options.adjusted ? (score - chance) / (1 - chance) : score;
}

/**
 * Matthews' correlation coefficient: 1 for a perfect prediction, 0 for a guess and where it is undefined.
 *
 * @param y_true The true classes. [N]
 * @param y_pred The predicted classes. [N]
 * @throws {DataError} if the lengths differ, or there is no example.
 *
 * @example
 * ```ts
 * import { matthews_corrcoef } from "@berth/berth";
 *
 * console.log(matthews_corrcoef([1, 1, 1, 0], [1, 0, 1, 1])); // -0.3333333333333333
 * ```
 */
export function matthews_corrcoef(y_true: ArrayLike<Label>, y_pred: ArrayLike<Label>): number {
  const { counts, expected, predicted } = confusion(y_true, y_pred), total = y_true.length;
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  const right = counts.reduce((sum, row, k) => sum + row[k], 0);
  const spread = (total ** 2 - dot(predicted, predicted)) * (total ** 2 - dot(expected, expected));
  return spread === 0 ? 0 : (right * total - dot(expected, predicted)) / Math.sqrt(spread);
}

/**
 * Cohen's kappa: the agreement of two raters beyond chance; NaN if both know one class only.
 *
 * @param y1 The classes of one rater. [N]
 * @param y2 The classes of the other. [N]
 * @param options `weights`: how much a mistake counts by the distance of the classes. Default: all alike.
 * @throws {DataError} if the lengths differ, there is no example, or the weights have no such name.
 */
export function cohen_kappa_score(
  y1: ArrayLike<Label>,
  y2: ArrayLike<Label>,
  options: { weights?: "linear" | "quadratic" | null } = {},
): number {
  const { weights = null } = options, { counts, expected, predicted } = confusion(y1, y2);
  if (![null, "linear", "quadratic"].includes(weights)) {
    throw new DataError(`Cannot compute kappa: the weights are "${weights}", wanted "linear" or "quadratic"`);
  }
  let seen = 0, chance = 0;
  counts.forEach((row, e) =>
    row.forEach((count, p) => {
      const weight = weights === null ? Number(e !== p) : Math.abs(e - p) ** (weights === "linear" ? 1 : 2);
      seen += weight * count;
      chance += weight * expected[e] * predicted[p] / y1.length;
    })
  );
  return chance === 0 ? NaN : 1 - seen / chance;
}
