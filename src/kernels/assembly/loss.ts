// Losses of the heads with their gradients with respect to the logits, in one pass. `losses` gets one f64 a row;
// dlogits is scaled by `scale` (1 / number of counted elements for the mean that PyTorch takes).

import { exp4, log64, splat } from "./simd";

// @ts-ignore: decorator
@inline
function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(splat(x)), 0);
}

/** Softmax cross entropy: logits [n, k], labels i32 [n]; rows with `ignore` count nothing. Range: rows. */
export function cross_entropy(
  losses: usize, dlogits: usize, logits: usize, labels: usize, k: i32, ignore: i32, scale: f32, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; i++) {
    const x = logits + (<usize>i * k << 2), d = dlogits + (<usize>i * k << 2), label = load<i32>(labels + (<usize>i << 2));
    if (label == ignore) {
      store<f64>(losses + (<usize>i << 3), 0);
      memory.fill(d, 0, <usize>k << 2);
      continue;
    }
    let top: f32 = load<f32>(x);
    for (let j = 1; j < k; j++) top = max(top, load<f32>(x + (<usize>j << 2)));
    let sum: f64 = 0;
    let j = 0;
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
    store<f64>(losses + (<usize>i << 3), log64(sum) - (<f64>load<f32>(x + (<usize>label << 2)) - <f64>top));
    const factor = <f32>(<f64>scale / sum);
    for (j = 0; j + 4 <= k; j += 4) {
      v128.store(d + (<usize>j << 2), f32x4.mul(v128.load(d + (<usize>j << 2)), splat(factor)));
    }
    for (; j < k; j++) store<f32>(d + (<usize>j << 2), load<f32>(d + (<usize>j << 2)) * factor);
    const at = d + (<usize>label << 2);
    store<f32>(at, load<f32>(at) - scale);
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

/** Binary cross entropy on logits, f32 labels [n, k]: max(x, 0) - x y + log(1 + e^-|x|). Range: rows. */
export function binary_cross_entropy(
  losses: usize, dlogits: usize, logits: usize, labels: usize, k: i32, scale: f32, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < k; j++) {
      const o = <usize>(i * k + j) << 2, x = load<f32>(logits + o), y = load<f32>(labels + o);
      const e = exp1(-abs(x));
      sum += <f64>max<f32>(x, 0) - <f64>x * <f64>y + log64(1 + <f64>e);
      const sigmoid = (x >= 0 ? <f32>1 : e) / (1 + e);
      store<f32>(dlogits + o, (sigmoid - y) * scale);
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
