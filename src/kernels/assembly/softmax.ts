// Softmax over rows: y = e^(x - max) / sum of e^(x - max). A NaN or an infinite maximum makes its row NaN.

import { fma, loadPartial, splat, storePartial, sumLanes } from "./simd";

/** Adding it to |n| < 2^22 rounds to a whole number and leaves n + 127, an exponent's bits, in the lowest bits. */
const ROUND: f32 = 12583039;

/** e^x for x <= 0 within 2 ulp; 0 where it is below the smallest normal number; NaN stays NaN. */
// @ts-ignore: decorator
@inline
function expBelow(x: v128): v128 {
  const t = fma(x, splat(1.44269504), splat(ROUND));
  const n = f32x4.sub(t, splat(ROUND));
  let r = fma(n, splat(-0.693359375), x); // ln 2 in two parts: the first has few bits, so the product is exact
  r = fma(n, splat(2.12194440e-4), r);
  let p = fma(splat(0.00138145999), r, splat(0.00836871564));
  p = fma(p, r, splat(0.0416683890));
  p = fma(p, r, splat(0.166665211));
  p = fma(p, r, splat(0.49999994));
  p = f32x4.add(fma(f32x4.mul(r, r), p, r), splat(1));
  return v128.andnot(f32x4.mul(p, i32x4.shl(t, 23)), f32x4.lt(x, splat(-87.33)));
}

/** y[rows, n] from x[rows, n]; they may be the same. Range: rows. */
export function softmax_forward(y: usize, x: usize, n: i32, begin: i32, end: i32): void {
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
      const e = expBelow(f32x4.sub(v128.load(p), tv));
      v128.store(p + shift, e);
      sums = f32x4.add(sums, e);
    }
    let sum = sumLanes(sums);
    if (rest > 0) {
      storePartial(stop + shift, expBelow(f32x4.sub(loadPartial(stop, rest), tv)), rest);
      for (let p = stop + shift; p < out + row; p += 4) sum += load<f32>(p);
    }
    const inverse: f32 = 1 / sum, iv = splat(inverse);
    for (let p = out; p < stop + shift; p += 16) v128.store(p, f32x4.mul(v128.load(p), iv));
    for (let p = stop + shift; p < out + row; p += 4) store<f32>(p, load<f32>(p) * inverse);
  }
}
