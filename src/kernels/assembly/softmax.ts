// Softmax over rows: y = e^(x - max) / sum of e^(x - max). A NaN or an infinite maximum makes its row NaN.

import { expNegative4, loadPartial, splat, storePartial, sumLanes } from "./simd";

/** e^(x - top), 0 where that is below the smallest normal number. */
// @ts-ignore: decorator
@inline
function expBelow(x: v128, top: v128): v128 {
  const shifted = f32x4.sub(x, top);
  return v128.andnot(expNegative4(shifted), f32x4.lt(shifted, splat(-87.3)));
}

/** Writes e^(x - top) of a row's `bytes` to y, a multiple of 16 each; returns four partial sums. */
function exponentials(y: usize, x: usize, bytes: usize, top: v128): v128 {
  if (bytes == 0) return splat(0);
  let sums = expBelow(v128.load(x), top);
  v128.store(y, sums);
  const end = x + bytes;
  for (x += 16, y += 16; x < end; x += 16, y += 16) {
    const e = expBelow(v128.load(x), top);
    v128.store(y, e);
    sums = f32x4.add(sums, e);
  }
  return sums;
}

/** y[rows, n] from x[rows, n]; they may be the same. Range: rows. */
export function softmax_forward(y: usize, x: usize, n: i32, begin: i32, end: i32): void {
  const rest = n & 3, bytes = <usize>(n - rest) << 2, row = <usize>n << 2;
  for (let i = begin; i < end; i++) {
    const from = x + <usize>i * row, out = y + <usize>i * row, stop = from + bytes;
    // pmax is one instruction; it passes over NaN, which the sum then has.
    let tops = splat(-Infinity);
    for (let p = from; p < stop; p += 16) tops = f32x4.pmax(tops, v128.load(p));
    let top = max(
      max(f32x4.extract_lane(tops, 0), f32x4.extract_lane(tops, 1)),
      max(f32x4.extract_lane(tops, 2), f32x4.extract_lane(tops, 3)),
    );
    for (let p = stop; p < from + row; p += 4) top = max(top, load<f32>(p));
    const tv = splat(top);
    let sum = sumLanes(exponentials(out, from, bytes, tv));
    if (rest > 0) {
      storePartial(out + bytes, expBelow(loadPartial(stop, rest), tv), rest);
      for (let p = out + bytes; p < out + row; p += 4) sum += load<f32>(p);
    }
    const inverse: f32 = 1 / sum, iv = splat(inverse);
    for (let p = out; p < out + bytes; p += 16) v128.store(p, f32x4.mul(v128.load(p), iv));
    for (let p = out + bytes; p < out + row; p += 4) store<f32>(p, load<f32>(p) * inverse);
  }
}
