/**
 * Logistic regression on vectors, as scikit-learn's: minimises |w|^2 / 2 + C * sum of the examples' losses by L-BFGS
 * (Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989).
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { dot } from "../model/sentence_similarity.ts";

/** Options of {@linkcode LogisticRegression.fit}. */
export interface LogisticRegressionOptions {
  /** How much the examples count against the size of the weights. Default 1. */
  C?: number;
  /** Steps at most. Default 1000. */
  max_iter?: number;
  /** Ends when no part of the gradient is larger. Default 1e-6. */
  tol?: number;
  /** Called after every step. */
  onStep?: (step: number, max_iter: number) => void;
}

/** A vector of which only the values are given that are not 0. */
export interface SparseVector {
  /** The length of the whole vector. */
  readonly size: number;
  /** The places of the values. */
  readonly indices: ArrayLike<number>;
  /** The values. */
  readonly values: ArrayLike<number>;
}

/** A vector of either form. */
export type FeatureVector = ArrayLike<number> | SparseVector;

/** Pairs of steps that L-BFGS remembers. */
const MEMORY = 10;

/** A linear classifier; two classes share one row of weights. */
export class LogisticRegression {
  /** Weights, one row a class, or one row in all for two classes; the intercept stands last in each. */
  readonly #rows: Float64Array[];

  private constructor(rows: Float64Array[], readonly num_labels: number) {
    this.#rows = rows;
  }

  /**
   * Fits the classes 0 to K - 1.
   *
   * @throws {DataError} if there are fewer than two classes, one has no example, or lengths differ.
   */
  static fit(
    features: readonly FeatureVector[],
    labels: ArrayLike<number>,
    options: LogisticRegressionOptions = {},
  ): LogisticRegression {
    const { C = 1, max_iter = 1000, tol = 1e-6, onStep } = options, classes = checkExamples(features, labels);
    const size = lengthOf(features[0]) + 1,
      rows = classes === 2 ? 1 : classes,
      w = new Float64Array(rows * size);
    const objective = (at: Float64Array, gradient: Float64Array) => {
      let value = 0;
      const views = rowViews(at, size), dviews = rowViews(gradient, size);
      views.forEach((row, r) => {
        dviews[r].set(row);
        dviews[r][size - 1] = 0; // the intercept is free
        for (let j = 0; j < size - 1; j++) value += row[j] * row[j] / 2;
      });
      features.forEach((x, i) => {
        const p = probabilities(views, x, classes);
        value -= C * Math.log(p[labels[i]]);
        dviews.forEach((d, r) => {
          const label = classes === 2 ? 1 : r, error = C * (p[label] - (labels[i] === label ? 1 : 0));
          addScaled(d, error, x);
          d[size - 1] += error;
        });
      });
      return value;
    };
    minimize(objective, w, max_iter, tol, onStep);
    return new LogisticRegression(rowViews(w, size), classes);
  }

  /** The probability of each class, for each vector. */
  predict_proba(features: readonly FeatureVector[]): number[][] {
    return features.map((x) => probabilities(this.#rows, x, this.num_labels));
  }

  /** The most probable class of each vector. */
  predict(features: readonly FeatureVector[]): number[] {
    return this.predict_proba(features).map((p) => p.indexOf(Math.max(...p)));
  }

  /** Weights by row, and intercepts, as scikit-learn's `coef_` and `intercept_`. */
  get coefficients(): { coef: number[][]; intercept: number[] } {
    return {
      coef: this.#rows.map((row) => Array.from(row.subarray(0, -1))),
      intercept: this.#rows.map((row) => row.at(-1)!),
    };
  }
}

/**
 * The number of classes.
 *
 * @throws {DataError} if there are fewer than two, or labels that are not all of 0 to K - 1.
 */
export function countClasses(labels: ArrayLike<number>): number {
  const seen = new Set(Array.from(labels)), classes = seen.size;
  for (let label = 0; label < classes; label++) {
    if (!seen.has(label)) {
      throw new DataError(`Cannot fit: the labels are ${[...seen]}, all of 0 to K - 1 are wanted`);
    }
  }
  if (classes < 2) throw new DataError(`Cannot fit: there are ${classes} classes, 2 at least are wanted`);
  return classes;
}

function isSparse(x: FeatureVector): x is SparseVector {
  return "indices" in x;
}

function lengthOf(x: FeatureVector): number {
  return isSparse(x) ? x.size : x.length;
}

/** The sum of products with a row of weights. */
function product(row: Float64Array, x: FeatureVector): number {
  let sum = 0;
  if (isSparse(x)) {
    const { indices, values } = x;
    for (let j = 0; j < indices.length; j++) sum += row[indices[j]] * values[j];
  } else for (let j = 0; j < x.length; j++) sum += row[j] * x[j];
  return sum;
}

function addScaled(row: Float64Array, scale: number, x: FeatureVector): void {
  if (isSparse(x)) {
    const { indices, values } = x;
    for (let j = 0; j < indices.length; j++) row[indices[j]] += scale * values[j];
  } else for (let j = 0; j < x.length; j++) row[j] += scale * x[j];
}

function checkExamples(features: readonly FeatureVector[], labels: ArrayLike<number>): number {
  if (features.length !== labels.length) {
    throw new DataError(`Cannot fit: there are ${features.length} vectors and ${labels.length} labels`);
  }
  const classes = countClasses(labels);
  const size = lengthOf(features[0]), other = features.findIndex((x) => lengthOf(x) !== size);
  if (other >= 0) {
    throw new DataError(
      `Cannot fit: vector ${other} has ${lengthOf(features[other])} values, ${size} are wanted`,
    );
  }
  return classes;
}

function rowViews(values: Float64Array, size: number): Float64Array[] {
  return Array.from({ length: values.length / size }, (_, r) => values.subarray(r * size, (r + 1) * size));
}

function probabilities(rows: readonly Float64Array[], x: FeatureVector, classes: number): number[] {
  const scores = rows.map((row) => row[row.length - 1] + product(row, x));
  if (classes === 2) scores.unshift(0);
  const top = Math.max(...scores), powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Minimises a smooth convex function in place, from where `x` is. */
function minimize(
  f: (x: Float64Array, gradient: Float64Array) => number,
  x: Float64Array,
  steps: number,
  tol: number,
  onStep?: (step: number, steps: number) => void,
): void {
  let gradient = new Float64Array(x.length), value = f(x, gradient);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let step = 0; step < steps && gradient.some((g) => Math.abs(g) > tol); step++) {
    const direction = gradient.map((g) => -g), shares: number[] = [];
    for (const { s, y, rho } of pairs.toReversed()) {
      const share = rho * dot(s, direction);
      shares.unshift(share);
      for (let i = 0; i < x.length; i++) direction[i] -= share * y[i];
    }
    const last = pairs.at(-1),
      scale = last ? 1 / (last.rho * dot(last.y, last.y)) : 1 / Math.sqrt(dot(gradient, gradient));
    for (let i = 0; i < x.length; i++) direction[i] *= scale;
    pairs.forEach(({ s, y, rho }, k) => {
      const share = shares[k] - rho * dot(y, direction);
      for (let i = 0; i < x.length; i++) direction[i] += share * s[i];
    });
    // Backtracking until the value falls by a part of what the slope promises.
    const slope = dot(gradient, direction),
      next = new Float64Array(x.length),
      dnext = new Float64Array(x.length);
    let length = 1, found = NaN;
    for (let tries = 0; tries < 40 && !(found <= value + 1e-4 * length * slope); tries++, length /= 2) {
      for (let i = 0; i < x.length; i++) next[i] = x[i] + length * direction[i];
      found = f(next, dnext);
    }
    if (!(found < value)) return;
    const s = next.map((to, i) => to - x[i]),
      y = dnext.map((to, i) => to - gradient[i]),
      curvature = dot(s, y);
    if (curvature > 0) pairs.push({ s, y, rho: 1 / curvature });
    if (pairs.length > MEMORY) pairs.shift();
    x.set(next);
    [gradient, value] = [dnext, found];
    onStep?.(step + 1, steps);
  }
}
