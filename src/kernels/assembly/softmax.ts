// Softmax over rows: y = e^(x - max) / sum of e^(x - max). A NaN or an infinite maximum makes its row NaN.

import { exp4, loadPartial, splat, storePartial, sumLanes } from "./simd";

/** y[rows, n] from x[rows, n]; they may be the same. Range: rows. */
export function softmax_forward(y: usize, x: usize, n: i32, begin: i32, end: i32): void {
  const rest = n & 3, bytes = <usize>(n - rest) << 2, row = <usize>n << 2;
  for (let i = begin; i < end; i++) {
    const from = x + <usize>i * row, out = y + <usize>i * row, shift = out - from, stop = from + bytes;
    let tops = splat(-Infinity);
    for (let p = from; p < stop; p += 16) tops = f32x4.max(tops, v128.load(p));
    let top = max(
      max(f32x4.extract_lane(tops, 0), f32x4.extract_lane(tops, 1)),
      max(f32x4.extract_lane(tops, 2), f32x4.extract_lane(tops, 3)),
    );
    for (let p = stop; p < from + row; p += 4) top = max(top, load<f32>(p));
    const tv = splat(top);
    let sums = splat(0);
    for (let p = from; p < stop; p += 16) {
      const e = exp4(f32x4.sub(v128.load(p), tv));
      v128.store(p + shift, e);
      sums = f32x4.add(sums, e);
    }
    let sum = sumLanes(sums);
    if (rest > 0) {
      storePartial(stop + shift, exp4(f32x4.sub(loadPartial(stop, rest), tv)), rest);
      for (let p = stop + shift; p < out + row; p += 4) sum += load<f32>(p);
    }
    const inverse: f32 = 1 / sum, iv = splat(inverse);
    for (let p = out; p < stop + shift; p += 16) v128.store(p, f32x4.mul(v128.load(p), iv));
    for (let p = stop + shift; p < out + row; p += 4) store<f32>(p, load<f32>(p) * inverse);
  }
}
