/**
 * How far predicted numbers are from the true ones, after scikit-learn and SciPy.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { checkFinite, checkPair, mean } from "./check.ts";

function check(what: string, y_true: ArrayLike<number>, y_pred: ArrayLike<number>): void {
  checkPair(what, y_true, y_pred);
  checkFinite(what, y_true);
  checkFinite(what, y_pred);
}

/** The mean of a function of each difference. */
function meanError(
  what: string,
  y_true: ArrayLike<number>,
  y_pred: ArrayLike<number>,
  of: (difference: number) => number,
): number {
  check(what, y_true, y_pred);
  let sum = 0;
  for (let i = 0; i < y_true.length; i++) sum += of(y_true[i] - y_pred[i]);
  return sum / y_true.length;
}

/**
 * The mean of the squared differences.
 *
 * @param y_true The true numbers. [N]
 * @param y_pred The predicted numbers. [N]
 * @throws {DataError} if the lengths differ, there is none, or one is no finite number.
 */
export function mean_squared_error(y_true: ArrayLike<number>, y_pred: ArrayLike<number>): number {
  return meanError("mean squared error", y_true, y_pred, (difference) => difference ** 2);
}

/**
 * The root of the mean of the squared differences.
 *
 * @param y_true The true numbers. [N]
 * @param y_pred The predicted numbers. [N]
 * @throws {DataError} as {@linkcode mean_squared_error} does.
 */
export function root_mean_squared_error(y_true: ArrayLike<number>, y_pred: ArrayLike<number>): number {
  return Math.sqrt(mean_squared_error(y_true, y_pred));
}

/**
 * The mean of the differences without their signs.
 *
 * @param y_true The true numbers. [N]
 * @param y_pred The predicted numbers. [N]
 * @throws {DataError} as {@linkcode mean_squared_error} does.
 */
export function mean_absolute_error(y_true: ArrayLike<number>, y_pred: ArrayLike<number>): number {
  return meanError("mean absolute error", y_true, y_pred, Math.abs);
}

/**
 * The share of the variance that is predicted: 1 at best, 0 for predicting the mean. If all true numbers are the same
 * it is 1 for a perfect prediction, else 0. NaN for a single example.
 *
 * @param y_true The true numbers. [N]
 * @param y_pred The predicted numbers. [N]
 * @throws {DataError} as {@linkcode mean_squared_error} does.
 */
export function r2_score(y_true: ArrayLike<number>, y_pred: ArrayLike<number>): number {
  check("R2 score", y_true, y_pred);
  if (y_true.length < 2) return NaN;
  const middle = mean(y_true);
  let rest = 0, all = 0;
  for (let i = 0; i < y_true.length; i++) {
    rest += (y_true[i] - y_pred[i]) ** 2;
    all += (y_true[i] - middle) ** 2;
  }
  if (all === 0) return rest === 0 ? 1 : 0;
  return 1 - rest / all;
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** Differences from the mean, of length 1. */
function centred(values: ArrayLike<number>): number[] {
  const middle = mean(values), differences = Array.from(values, (value) => value - middle);
  const largest = differences.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const norm = largest * Math.sqrt(differences.reduce((sum, value) => sum + (value / largest) ** 2, 0));
  return differences.map((value) => value / norm);
}

/**
 * Pearson's correlation; NaN if one side is constant.
 *
 * @param x Numbers. [N]
 * @param y Numbers. [N]
 * @throws {DataError} if the lengths differ, there are fewer than two, or one is no finite number.
 *
 * @example
 * ```ts
 * import { pearsonr } from "@berth/berth";
 *
 * console.log(pearsonr([1, 2, 3], [1, 3, 2]).toFixed(3)); // "0.500"
 * ```
 */
export function pearsonr(x: ArrayLike<number>, y: ArrayLike<number>): number {
  check("correlation", x, y);
  if (x.length < 2) {
    throw new DataError("Cannot compute the correlation: there is one example, wanted two or more");
  }
  if (isConstant(x) || isConstant(y)) return NaN;
  const a = centred(x), b = centred(y);
  return Math.max(-1, Math.min(1, a.reduce((sum, value, i) => sum + value * b[i], 0)));
}

/** The place of each number in their order, from 1 on; equal ones share the mean of their places. */
function ranks(values: ArrayLike<number>): number[] {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const places = new Array<number>(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) places[order[i]] = (from + 1 + to) / 2;
  }
  return places;
}

/**
 * Spearman's rank correlation: Pearson's of the places in order; equal numbers share a place. NaN if one side is constant, and
 * of a single example.
 *
 * @param x Numbers. [N]
 * @param y Numbers. [N]
 * @throws {DataError} if the lengths differ, there is none, or one is no finite number.
 */
export function spearmanr(x: ArrayLike<number>, y: ArrayLike<number>): number {
  check("correlation", x, y);
  return x.length < 2 ? NaN : pearsonr(ranks(x), ranks(y));
}
