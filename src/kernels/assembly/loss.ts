// Losses of the heads with their gradients with respect to the logits, in one pass. `losses` gets one f64 a row;
// dlogits is scaled by `scale` (1 / number of counted elements for the mean that PyTorch takes).

import { exp4, log64, splat } from "./simd";

// @ts-ignore: decorator
@inline
function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(splat(x)), 0);
}

/** The largest of k floats; passes over NaN, which the sum of their exponentials then has. */
function largest(x: usize, k: i32): f32 {
  let tops = splat(-Infinity), j = 0;
  for (; j + 4 <= k; j += 4) tops = f32x4.pmax(tops, v128.load(x + (<usize>j << 2)));
  let top = max(
    max(f32x4.extract_lane(tops, 0), f32x4.extract_lane(tops, 1)),
    max(f32x4.extract_lane(tops, 2), f32x4.extract_lane(tops, 3)),
  );
  for (; j < k; j++) top = max(top, load<f32>(x + (<usize>j << 2)));
  return top;
}

/** d = e^(x - top) over k floats; returns their sum. x and d may be the same. */
function exponentials(d: usize, x: usize, top: f32, k: i32): f64 {
  let sum: f64 = 0, j = 0;
  for (; j + 4 <= k; j += 4) {
    const e = exp4(f32x4.sub(v128.load(x + (<usize>j << 2)), splat(top)));
    v128.store(d + (<usize>j << 2), e);
    sum += <f64>f32x4.extract_lane(e, 0) + <f64>f32x4.extract_lane(e, 1) + <f64>f32x4.extract_lane(e, 2) +
      <f64>f32x4.extract_lane(e, 3);
  }
  for (; j < k; j++) {
    const e = exp1(load<f32>(x + (<usize>j << 2)) - top);
    store<f32>(d + (<usize>j << 2), e);
    sum += <f64>e;
  }
  return sum;
}

/** Class j's weight: 1 without weights. */
// @ts-ignore: decorator
@inline
function weightOf(weights: usize, j: i32): f64 {
  return weights == 0 ? 1 : <f64>load<f32>(weights + (<usize>j << 2));
}

/**
 * Softmax cross entropy of logits [n, k] with labels i32 [n], of targets smoothed to (1 - s) [j = label] + s / k, each
 * class's part times its weight (f32 [k], or 0 for none; `weightSum` is their sum, or k). Rows with `ignore` count nothing.
 * dlogits may be logits. Range: rows.
 */
export function cross_entropy(
  losses: usize, dlogits: usize, logits: usize, labels: usize, weights: usize, k: i32, ignore: i32, weightSum: f32,
  smoothing: f32, scale: f32, begin: i32, end: i32,
): void {
  const share = <f64>smoothing / <f64>k;
  for (let i = begin; i < end; i++) {
    const x = logits + (<usize>i * k << 2), d = dlogits + (<usize>i * k << 2), label = load<i32>(labels + (<usize>i << 2));
    if (label == ignore) {
      store<f64>(losses + (<usize>i << 3), 0);
      memory.fill(d, 0, <usize>k << 2);
      continue;
    }
    const top = largest(x, k), at = <usize>label << 2, own = (1 - <f64>smoothing) * weightOf(weights, label);
    const all = own + share * <f64>weightSum;
    let rest = own * (<f64>load<f32>(x + at) - <f64>top);
    if (smoothing != 0) {
      for (let j = 0; j < k; j++) {
        rest += share * weightOf(weights, j) * (<f64>load<f32>(x + (<usize>j << 2)) - <f64>top);
      }
    }
    const sum = exponentials(d, x, top, k), factor = <f32>(all * <f64>scale / sum);
    store<f64>(losses + (<usize>i << 3), all * log64(sum) - rest);
    let j = 0;
    for (; j + 4 <= k; j += 4) {
      v128.store(d + (<usize>j << 2), f32x4.mul(v128.load(d + (<usize>j << 2)), splat(factor)));
    }
    for (; j < k; j++) store<f32>(d + (<usize>j << 2), load<f32>(d + (<usize>j << 2)) * factor);
    if (smoothing != 0) {
      for (j = 0; j < k; j++) {
        const o = d + (<usize>j << 2);
        store<f32>(o, load<f32>(o) - <f32>(share * weightOf(weights, j) * <f64>scale));
      }
    }
    store<f32>(d + at, load<f32>(d + at) - <f32>(own * <f64>scale));
  }
}

/** Squared error: (x - y)^2, f32 labels [n, k]. Range: rows. */
export function mean_squared_error(
  losses: usize, dlogits: usize, logits: usize, labels: usize, k: i32, scale: f32, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < k; j++) {
      const o = <usize>(i * k + j) << 2, e = load<f32>(logits + o) - load<f32>(labels + o);
      sum += <f64>e * <f64>e;
      store<f32>(dlogits + o, 2 * e * scale);
    }
    store<f64>(losses + (<usize>i << 3), sum);
  }
}

/**
 * Binary cross entropy on logits, f32 labels y [n, k]: (1 - y) f(x) + w y f(-x), f(x) = max(x, 0) + log(1 + e^-|x|), with
 * the positives' weights w (f32 [k], or 0 for ones). Range: rows.
 */
export function binary_cross_entropy(
  losses: usize, dlogits: usize, logits: usize, labels: usize, weights: usize, k: i32, scale: f32, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < k; j++) {
      const o = <usize>(i * k + j) << 2, x = load<f32>(logits + o), y = load<f32>(labels + o);
      const e = exp1(-abs(x)), log = log64(1 + <f64>e), no = <f32>1 - y, yes = <f32>weightOf(weights, j) * y;
      sum += <f64>no * (<f64>max<f32>(x, 0) + log) + <f64>yes * (<f64>max<f32>(-x, 0) + log);
      const large = <f32>1 / (1 + e), small = e / (1 + e); // sigmoids of |x| and -|x|
      store<f32>(dlogits + o, (x >= 0 ? no * large - yes * small : no * small - yes * large) * scale);
    }
    store<f64>(losses + (<usize>i << 3), sum);
  }
}

/** The sum of n f64 values, in order. Called directly, not in ranges. */
export function sum_f64(values: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += load<f64>(values + (<usize>i << 3));
  return sum;
}
