/**
 * How good predicted probabilities are: log loss, Brier score (as in scikit-learn), and calibration
 * (Guo et al., "On calibration of modern neural networks", 2017).
 *
 * @module
 */
import { checkFinite, checkPair, type Label } from "./check.ts";
import { type ClassColumns, classColumns, isTable, positives, type Scores } from "./ranking.ts";

const EPSILON = 2 ** -52;

/** Options of metrics that read probabilities. */
export interface ProbabilityOptions {
  /** The classes in the order of the columns. Default: those in `y_true`, in order. */
  labels?: readonly Label[];
  /** The class of a single probability. Default: the greater one of two. */
  pos_label?: Label;
}

/** Probabilities of every class; those of one class become two columns. */
function columnsOf(
  what: string,
  y_true: ArrayLike<Label>,
  y_proba: Scores,
  { labels, pos_label }: ProbabilityOptions,
): ClassColumns {
  checkPair(what, y_true, y_proba);
  if (!isTable(y_proba)) {
    checkFinite(what, y_proba, 0, 1);
    const truth = positives(what, y_true, pos_label ?? labels?.[1]).map(Number);
    return { rows: Array.from(y_proba, (p) => [1 - p, p]), classes: [0, 1], truth };
  }
  y_proba.forEach((row, i) => checkFinite(`${what} of example ${i}`, row, 0, 1));
  return classColumns(what, y_true, y_proba, labels);
}

/**
 * The mean of -ln(p) of the true classes' probabilities, which are taken as at least 2^-52.
 *
 * @param y_true The true classes. [N]
 * @param y_proba The probabilities of the greater class of two, or of every class. [N] or [N, K]
 * @throws {DataError} if lengths or classes do not fit, or a probability is outside of 0 to 1.
 *
 * @example
 * ```ts
 * import { log_loss } from "@berth/berth";
 *
 * console.log(log_loss(["no", "yes"], [[0.5, 0.5], [0.25, 0.75]])); // 0.4904146265058631
 * ```
 */
export function log_loss(
  y_true: ArrayLike<Label>,
  y_proba: Scores,
  options: ProbabilityOptions = {},
): number {
  const { rows, truth } = columnsOf("log loss", y_true, y_proba, options);
  const clipped = (p: number) => Math.min(1 - EPSILON, Math.max(EPSILON, p));
  return rows.reduce((sum, row, i) => sum - Math.log(clipped(row[truth[i]])), 0) / rows.length;
}

/**
 * The mean squared difference between probabilities and truth: from 0 to 1 for two classes, to 2 for more, as in
 * scikit-learn.
 *
 * @param y_true The true classes. [N]
 * @param y_proba The probabilities of the greater class of two, or of every class. [N] or [N, K]
 * @throws {DataError} if lengths or classes do not fit, or a probability is outside of 0 to 1.
 */
export function brier_score_loss(
  y_true: ArrayLike<Label>,
  y_proba: Scores,
  options: ProbabilityOptions = {},
): number {
  const { rows, truth, classes } = columnsOf("Brier score", y_true, y_proba, options);
  const sum = rows.reduce(
    (all, row, i) => all + Array.from(row).reduce((own, p, k) => own + (p - Number(k === truth[i])) ** 2, 0),
    0,
  );
  return sum / rows.length / (classes.length < 3 ? 2 : 1);
}

/** The examples whose highest probability is in one range. */
export interface ReliabilityBin {
  /** The range leaves out this end, but for 0. */
  lower: number;
  /** The range has this end. */
  upper: number;
  /** How many examples. */
  count: number;
  /** The mean of their highest probabilities; NaN without examples. */
  confidence: number;
  /** The share that was predicted right; NaN without examples. */
  accuracy: number;
}

/** How far probabilities can be believed. */
export interface Calibration {
  /** The expected calibration error: the mean over all examples of their bin's |accuracy - confidence|. */
  ece: number;
  /** The largest |accuracy - confidence| of a bin. */
  mce: number;
  /** Bins of one width, from 0 to 1; the data of a reliability diagram. */
  bins: ReliabilityBin[];
}

/**
 * Compares the highest probability of each example with how often that class was the right one.
 *
 * @param y_true The true classes. [N]
 * @param y_proba The probabilities of the greater class of two, or of every class. [N] or [N, K]
 * @param options `n_bins`: default 15.
 * @throws {DataError} if lengths or classes do not fit, or a probability is outside of 0 to 1.
 *
 * @example
 * ```ts
 * import { calibration_error } from "@berth/berth";
 *
 * const { ece } = calibration_error([0, 1], [[0.75, 0.25], [0.75, 0.25]]);
 * console.log(ece); // 0.25: as sure as 0.75, right in 0.5
 * ```
 */
export function calibration_error(
  y_true: ArrayLike<Label>,
  y_proba: Scores,
  options: ProbabilityOptions & { n_bins?: number } = {},
): Calibration {
  const { n_bins = 15, ...others } = options,
    { rows, truth } = columnsOf("calibration", y_true, y_proba, others);
  const highest = rows.map((row) => Array.from(row).reduce((a, b) => Math.max(a, b)));
  const isRight = rows.map((row, i) => Array.from(row).indexOf(highest[i]) === truth[i]);
  const bins = binned(highest, isRight, n_bins), filled = bins.filter(({ count }) => count > 0);
  const gaps = filled.map(({ accuracy, confidence }) => Math.abs(accuracy - confidence));
  const ece = gaps.reduce((sum, gap, k) => sum + gap * filled[k].count / rows.length, 0);
  return { ece, mce: Math.max(...gaps), bins };
}

/** Sorts examples into bins of one width, which have their upper ends. */
function binned(
  confidences: readonly number[],
  isRight: readonly boolean[],
  n_bins: number,
): ReliabilityBin[] {
  if (!Number.isInteger(n_bins) || n_bins < 1 || n_bins > 10_000) {
    throw new RangeError(`Cannot use ${n_bins} bins: a whole number from 1 to 10,000 is wanted`);
  }
  const edge = (k: number) => k === n_bins ? 1 : k * (1 / n_bins); // as numpy.linspace
  const sums = Array.from({ length: n_bins }, () => ({ count: 0, confidence: 0, right: 0 }));
  confidences.forEach((confidence, i) => {
    let bin = Math.min(n_bins - 1, Math.floor(confidence * n_bins));
    while (bin > 0 && confidence <= edge(bin)) bin--;
    while (bin < n_bins - 1 && confidence > edge(bin + 1)) bin++;
    sums[bin].count++;
    sums[bin].confidence += confidence;
    sums[bin].right += Number(isRight[i]);
  });
  return sums.map(({ count, confidence, right }, k) => ({
    ...{ lower: edge(k), upper: edge(k + 1), count, confidence: confidence / count, accuracy: right / count },
  }));
}

/** What {@linkcode calibration_curve} returns; only bins with examples. */
export interface CalibrationCurve {
  /** The share of the positive class in each bin. */
  prob_true: number[];
  /** The mean probability of each bin. */
  prob_pred: number[];
}

/**
 * The points of a reliability diagram for two classes, as scikit-learn's function of that name.
 *
 * @param y_true The true classes. [N]
 * @param y_prob The probabilities of the positive class. [N]
 * @param options `n_bins`: bins of one width from 0 to 1, default 5. `pos_label`: default the greater class.
 * @throws {DataError} if the lengths differ, there are more than two classes, or a probability is outside of 0 to 1.
 */
export function calibration_curve(
  y_true: ArrayLike<Label>,
  y_prob: ArrayLike<number>,
  options: { n_bins?: number; pos_label?: Label } = {},
): CalibrationCurve {
  const { n_bins = 5, pos_label } = options, what = "calibration";
  checkPair(what, y_true, y_prob);
  checkFinite(what, y_prob, 0, 1);
  const bins = binned(Array.from(y_prob), positives(what, y_true, pos_label), n_bins);
  const filled = bins.filter(({ count }) => count > 0);
  return {
    prob_true: filled.map(({ accuracy }) => accuracy),
    prob_pred: filled.map(({ confidence }) => confidence),
  };
}
