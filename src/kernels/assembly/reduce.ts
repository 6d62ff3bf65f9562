// Sums: of rows, and of the rows of each segment (the gradient of a gather). Sums of columns stand in layer_norm.ts.

import { sumLanes } from "./simd";

/** Floats of a row that add up in f32, four lanes; the sums of such runs add up in f64. */
const RUN: usize = 1024 * 4;

/** y[row] = (sum of x[row, 0 .. n - 1]) / divisor. Range: rows. */
export function row_sums(y: usize, x: usize, n: i32, divisor: f32, begin: i32, end: i32): void {
  const row = <usize>n << 2, vectors = <usize>(n & ~3) << 2;
  for (let i = begin; i < end; i++) {
    let p = x + <usize>i * row, total: f64 = 0;
    const stop = p + vectors;
    while (p < stop) {
      let sums = f32x4.splat(0);
      for (const pause = min(p + RUN, stop); p < pause; p += 16) sums = f32x4.add(sums, v128.load(p));
      total += <f64>sumLanes(sums);
    }
    for (const last = x + <usize>(i + 1) * row; p < last; p += 4) total += <f64>load<f32>(p);
    store<f32>(y + (<usize>i << 2), <f32>(total / <f64>divisor));
  }
}

/**
 * y[segments, h] += the rows of x[n, h] by segment; ids outside [0, segments) are dropped. y and x are f32, or i32 if
 * `integers`. Split by columns, so that rows add up in their order. Range: blocks of 16 columns.
 */
export function segment_sum(
  y: usize, x: usize, ids: usize, n: i32, h: i32, segments: i32, integers: i32, begin: i32, end: i32,
): void {
  const ld = <usize>h << 2, first = <usize>begin << 6, bytes = <usize>(min(h, end << 4) - (begin << 4)) << 2;
  for (let i = 0; i < n; i++) {
    const id = load<i32>(ids + (<usize>i << 2));
    if (<u32>id >= <u32>segments) continue;
    let from = x + <usize>i * ld + first, to = y + <usize>id * ld + first;
    const stop = from + bytes;
    if (integers) {
      for (; from < stop; from += 4, to += 4) store<i32>(to, load<i32>(to) + load<i32>(from));
      continue;
    }
    for (const vectors = from + (bytes & ~15); from < vectors; from += 16, to += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    }
    for (; from < stop; from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
  }
}
