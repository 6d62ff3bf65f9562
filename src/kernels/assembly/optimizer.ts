// AdamW (https://arxiv.org/abs/1711.05101) and the gradient's norm, over a table of chunks that covers all parameters.
//
//   chunk: 8 x 4 bytes   parameter, gradient, m, v (pointers), count (floats), touched (pointer or 0), row width, group
//   group: 16 x f32      step size, beta1, 1 - beta1, beta2, 1 - beta2, eps, scale of sqrt(v), factor before, factor after
//
//   p *= before;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
//   p -= stepSize * m / (sqrt(v) * rootScale + eps);  p *= after
//
// PyTorch: before = 1 - lr decay, stepSize = lr / (1 - beta1^t), rootScale = 1 / sqrt(1 - beta2^t).
// Rows of an embedding that were never touched have g = m = v = 0: only the factors apply, and 1 costs nothing.

import { fma, loadPartial, splat, storePartial } from "./simd";

// @ts-ignore: decorator
@inline
function scaleOnly(p: usize, n: i32, factor: f32): void {
  for (let i = 0; i < n; i++) store<f32>(p + (<usize>i << 2), load<f32>(p + (<usize>i << 2)) * factor);
}

let nextM: v128 = i32x4.splat(0), nextV: v128 = i32x4.splat(0);

// @ts-ignore: decorator
@inline
function update(
  p: v128, g: v128, m: v128, v: v128, beta1: v128, rest1: v128, beta2: v128, rest2: v128, stepSize: v128, root: v128, eps: v128,
  before: v128, after: v128,
): v128 {
  nextM = fma(rest1, g, f32x4.mul(beta1, m));
  nextV = fma(f32x4.mul(rest2, g), g, f32x4.mul(beta2, v));
  const denominator = fma(f32x4.sqrt(nextV), root, eps);
  return f32x4.mul(f32x4.sub(f32x4.mul(p, before), f32x4.div(f32x4.mul(stepSize, nextM), denominator)), after);
}

function updateRun(p: usize, g: usize, m: usize, v: usize, n: i32, group: usize, gradientScale: f32): void {
  const stepSize = v128.load32_splat(group), beta1 = v128.load32_splat(group, 4), rest1 = v128.load32_splat(group, 8);
  const beta2 = v128.load32_splat(group, 12), rest2 = v128.load32_splat(group, 16), eps = v128.load32_splat(group, 20);
  const root = v128.load32_splat(group, 24), before = v128.load32_splat(group, 28), after = v128.load32_splat(group, 32);
  const s = splat(gradientScale);
  const i = n & 3, end = p + (<usize>(n - i) << 2);
  for (; p < end; p += 16, g += 16, m += 16, v += 16) {
    const next = update(
      v128.load(p), f32x4.mul(v128.load(g), s), v128.load(m), v128.load(v), beta1, rest1, beta2, rest2, stepSize, root, eps,
      before, after,
    );
    v128.store(m, nextM);
    v128.store(v, nextV);
    v128.store(p, next);
  }
  if (i > 0) {
    const next = update(
      loadPartial(p, i), f32x4.mul(loadPartial(g, i), s), loadPartial(m, i), loadPartial(v, i), beta1, rest1, beta2, rest2,
      stepSize, root, eps, before, after,
    );
    storePartial(m, nextM, i);
    storePartial(v, nextV, i);
    storePartial(p, next, i);
  }
}

/** One step of AdamW with gradients times `gradientScale`. Range: chunks. */
export function adamw_step(chunks: usize, groups: usize, gradientScale: f32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    const chunk = chunks + (<usize>c << 5), group = groups + (<usize>load<i32>(chunk, 28) << 6);
    const p = load<usize>(chunk), g = load<usize>(chunk, 4), m = load<usize>(chunk, 8), v = load<usize>(chunk, 12);
    const count = load<i32>(chunk, 16), touched = load<usize>(chunk, 20), width = load<i32>(chunk, 24);
    if (touched == 0) {
      updateRun(p, g, m, v, count, group, gradientScale);
      continue;
    }
    const factor = load<f32>(group, 28) * load<f32>(group, 32);
    for (let i = 0, row = 0; i < count; i += width, row++) {
      const o = <usize>i << 2;
      if (load<u8>(touched + row)) updateRun(p + o, g + o, m + o, v + o, width, group, gradientScale);
      else if (factor != 1) scaleOnly(p + o, width, factor);
    }
  }
}

/** The sum of squares of each chunk's gradient, as f64, to sums[chunk]. Range: chunks. */
export function sum_squares(sums: usize, chunks: usize, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    const chunk = chunks + (<usize>c << 5);
    const touched = load<usize>(chunk, 20), count = load<i32>(chunk, 16);
    const width = touched == 0 ? count : load<i32>(chunk, 24);
    let total: f64 = 0;
    for (let i = 0, row = 0; i < count; i += width, row++) {
      if (touched != 0 && !load<u8>(touched + row)) continue;
      let p = load<usize>(chunk, 4) + (<usize>i << 2), n = width;
      let a = f64x2.splat(0), b = f64x2.splat(0);
      for (const end = p + (<usize>(n & ~3) << 2); p < end; p += 16) {
        const x = v128.load(p);
        const lo = f64x2.promote_low_f32x4(x), hi = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
        a = f64x2.add(a, f64x2.mul(lo, lo));
        b = f64x2.add(b, f64x2.mul(hi, hi));
      }
      a = f64x2.add(a, b);
      total += f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
      for (n &= 3; n > 0; n--, p += 4) total += <f64>load<f32>(p) * <f64>load<f32>(p);
    }
    store<f64>(sums + (<usize>c << 3), total);
  }
}

/** gradient *= factor, over all chunks. Range: chunks. */
export function scale_gradients(chunks: usize, factor: f32, begin: i32, end: i32): void {
  const f = splat(factor);
  for (let c = begin; c < end; c++) {
    const chunk = chunks + (<usize>c << 5);
    let p = load<usize>(chunk, 4), n = load<i32>(chunk, 16);
    for (; n >= 4; n -= 4, p += 16) v128.store(p, f32x4.mul(v128.load(p), f));
    for (; n > 0; n--, p += 4) store<f32>(p, load<f32>(p) * factor);
  }
}
