// Softmax over rows: y = e^(x - max) / sum of e^(x - max). A NaN or an infinite maximum makes its row NaN.

import { fma, loadPartial, splat, storePartial, sumLanes } from "./simd";

/** Adding it to |n| < 2^22 rounds to a whole number and leaves n + 127, an exponent's bits, in the lowest bits. */
const ROUND: f32 = 12583039;

/**
 * Four times `value`, through memory: V8 makes a constant anew wherever it is used, five instructions each time; what was
 * loaded stays in its register.
 */
// @ts-ignore: decorator
@inline
function keep(scratch: usize, value: f32): v128 {
  store<f32>(scratch, value);
  return v128.load32_splat(scratch);
}

/** e^x for x <= 0 within 2 ulp; 0 where it is below the smallest normal number; NaN stays NaN. */
// @ts-ignore: decorator
@inline
function expBelow(
  x: v128, log2e: v128, round: v128, ln2High: v128, ln2Low: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128,
  one: v128, least: v128,
): v128 {
  const t = fma(x, log2e, round);
  const n = f32x4.sub(t, round);
  const r = fma(n, ln2Low, fma(n, ln2High, x)); // ln 2 in two parts: the first has few bits, so the product is exact
  const p = fma(fma(fma(fma(c5, r, c4), r, c3), r, c2), r, c1);
  const e = f32x4.add(fma(f32x4.mul(r, r), p, r), one);
  return v128.andnot(f32x4.mul(e, i32x4.shl(t, 23)), f32x4.lt(x, least));
}

/** y[rows, n] from x[rows, n]; they may be the same. Range: rows. */
export function softmax_forward(y: usize, x: usize, n: i32, scratch: usize, begin: i32, end: i32): void {
  const log2e = keep(scratch, 1.44269504), round = keep(scratch, ROUND);
  const ln2High = keep(scratch, -0.693359375), ln2Low = keep(scratch, 2.12194440e-4);
  const c5 = keep(scratch, 0.00138145999), c4 = keep(scratch, 0.00836871564), c3 = keep(scratch, 0.0416683890);
  const c2 = keep(scratch, 0.166665211), c1 = keep(scratch, 0.49999994), one = keep(scratch, 1), least = keep(scratch, -87.33);
  const rest = n & 3, bytes = <usize>(n - rest) << 2, row = <usize>n << 2;
  for (let i = begin; i < end; i++) {
    const from = x + <usize>i * row, out = y + <usize>i * row, shift = out - from, stop = from + bytes;
    // pmax is one instruction; it passes over NaN, which the sum then has.
    let tops = splat(-Infinity);
    for (let p = from; p < stop; p += 16) tops = f32x4.pmax(tops, v128.load(p));
    let top = max(
      max(f32x4.extract_lane(tops, 0), f32x4.extract_lane(tops, 1)),
      max(f32x4.extract_lane(tops, 2), f32x4.extract_lane(tops, 3)),
    );
    for (let p = stop; p < from + row; p += 4) top = max(top, load<f32>(p));
    const tv = splat(top);
    let sums = splat(0);
    for (let p = from; p < stop; p += 16) {
      const e = expBelow(
        f32x4.sub(v128.load(p), tv), log2e, round, ln2High, ln2Low, c5, c4, c3, c2, c1, one, least,
      );
      v128.store(p + shift, e);
      sums = f32x4.add(sums, e);
    }
    let sum = sumLanes(sums);
    if (rest > 0) {
      const e = expBelow(
        f32x4.sub(loadPartial(stop, rest), tv), log2e, round, ln2High, ln2Low, c5, c4, c3, c2, c1, one, least,
      );
      storePartial(stop + shift, e, rest);
      for (let p = stop + shift; p < out + row; p += 4) sum += load<f32>(p);
    }
    const inverse: f32 = 1 / sum, iv = splat(inverse);
    for (let p = out; p < stop + shift; p += 16) v128.store(p, f32x4.mul(v128.load(p), iv));
    for (let p = stop + shift; p < out + row; p += 4) store<f32>(p, load<f32>(p) * inverse);
  }
}
