// Products with 8-bit weights:  C[m, n] = A[m, k] W[n, k]^T,  W in int8 with a scale a row (a column of C), A in int16
// with a scale a row, made for each product. Sums are exact integers: A's values are small enough that none overflows.
//
//   A panel: 4 rows, [k / 2][4 rows][2] i16    W strip: 8 columns, [k / 2][8][2] i8    C tile: 4 x 8
//
// k is rounded up to 4, with zeros. Rows turn by a lane between products, as in tile.ts.

import { epilogue } from "./gemm";
import { splat } from "./simd";
import { evenOdd, lowHigh, NR, turn, wholeDepth } from "./tile";

/** Rows of a tile. */
const ROWS: i32 = 4;

// @ts-ignore: decorator
@inline
function panelBytes(k: i32): usize {
  return <usize>wholeDepth(k) * ROWS * 2;
}

// @ts-ignore: decorator
@inline
function stripBytes(k: i32): usize {
  return <usize>wholeDepth(k) * NR;
}

/** The largest magnitude of `n` floats. */
function largest(p: usize, n: i32): f32 {
  let tops = splat(0);
  const whole = p + (<usize>(n & ~3) << 2), end = p + (<usize>n << 2);
  for (; p < whole; p += 16) tops = f32x4.max(tops, f32x4.abs(v128.load(p)));
  let top = max(
    max(f32x4.extract_lane(tops, 0), f32x4.extract_lane(tops, 1)),
    max(f32x4.extract_lane(tops, 2), f32x4.extract_lane(tops, 3)),
  );
  for (; p < end; p += 4) top = max(top, abs(load<f32>(p)));
  return top;
}

/** x / scale, rounded to the nearest integer. */
// @ts-ignore: decorator
@inline
function quantized(p: usize, factor: f32): i32 {
  return <i32>nearest(load<f32>(p) * factor);
}

/**
 * Quantizes W[n, k]: strips to `q` (8 bytes a step of k, rounded up to 4), the scale of each row to scales[n].
 * Range: strips of 8 rows.
 */
export function int8_pack(q: usize, scales: usize, w: usize, n: i32, k: i32, begin: i32, end: i32): void {
  const depth = wholeDepth(k);
  for (let strip = begin; strip < end; strip++) {
    const out = q + <usize>strip * stripBytes(k);
    for (let column = 0; column < NR; column++) {
      const row = strip * NR + column, from = w + (<usize>row * k << 2);
      const top: f32 = row < n ? largest(from, k) : 0, factor: f32 = top > 0 ? 127 / top : 0;
      if (row < n) store<f32>(scales + (<usize>row << 2), top / 127);
      for (let x = 0; x < depth; x++) {
        const value = row < n && x < k ? quantized(from + (<usize>x << 2), factor) : 0;
        store<i8>(out + <usize>((x >> 1) * 16 + column * 2 + (x & 1)), <i8>value);
      }
    }
  }
}

/**
 * Quantizes A[m, k] to whole numbers up to `limit`: panels to `q` (8 bytes a step of k, rounded up to 4), the scale of
 * each row to scales[m rounded up to 4]. Range: panels of 4 rows.
 */
export function int8_rows(
  q: usize, scales: usize, a: usize, m: i32, k: i32, limit: f32, begin: i32, end: i32,
): void {
  const whole = k & ~3;
  for (let panel = begin; panel < end; panel++) {
    const out = q + <usize>panel * panelBytes(k);
    for (let r = 0; r < ROWS; r++) {
      const row = panel * ROWS + r, to = out + <usize>r * 4;
      if (row >= m) {
        for (let x = 0; x < k; x += 2) store<i32>(to + <usize>x * 8, 0);
        if (k & 3) store<i32>(to + <usize>whole * 8 + 16, 0);
        store<f32>(scales + (<usize>row << 2), 0);
        continue;
      }
      const from = a + (<usize>row * k << 2), top = largest(from, k), factor: f32 = top > 0 ? limit / top : 0;
      store<f32>(scales + (<usize>row << 2), top / limit);
      const fv = splat(factor);
      for (let p = from, o = to; p < from + (<usize>whole << 2); p += 16, o += 32) {
        const v = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(p), fv)));
        const pairs = i16x8.narrow_i32x4_s(v, v);
        v128.store32_lane(o, pairs, 0);
        v128.store32_lane(o, pairs, 1, 16);
      }
      if (k & 3) {
        for (let x = 0; x < ROWS; x++) {
          const value = whole + x < k ? quantized(from + (<usize>(whole + x) << 2), factor) : 0;
          store<i16>(to + <usize>(whole * 8 + (x >> 1) * 16 + (x & 1) * 2), <i16>value);
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function dot(sum: v128, a: v128, b: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

// @ts-ignore: decorator
@inline
function putRow(c: usize, lo: v128, hi: v128, rowScale: usize, columnScales: usize): void {
  const s = v128.load32_splat(rowScale);
  v128.store(c, f32x4.mul(lo, f32x4.mul(s, v128.load(columnScales))));
  v128.store(c, f32x4.mul(hi, f32x4.mul(s, v128.load(columnScales, 16))), 16);
}

/**
 * C[4, 8] = A W over a panel and a strip; `bytes` of each; `ldc` in bytes. The order of the loop keeps its bounds checks
 * off the ends of code lines, as in tile.ts.
 */
function tile(
  bytes: usize, a: usize, b: usize, c: usize, ldc: usize, rowScales: usize, columnScales: usize,
): void {
  let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0);
  let c20 = i32x4.splat(0), c21 = i32x4.splat(0), c30 = i32x4.splat(0), c31 = i32x4.splat(0);
  for (const end = a + bytes; a < end; a += 32, b += 32) {
    const w0 = v128.load(b); const p0 = i16x8.extend_low_i8x16_s(w0); const q0 = i16x8.extend_high_i8x16_s(w0);
    let v0 = v128.load(a); c00 = dot(c00, v0, p0); c01 = dot(c01, v0, q0); let v1 = v128.load(a, 16);
    v0 = turn(v0); c11 = dot(c11, v0, q0); c10 = dot(c10, v0, p0); v0 = turn(v0); c21 = dot(c21, v0, q0);
    c20 = dot(c20, v0, p0); v0 = turn(v0); c30 = dot(c30, v0, p0); const w1 = v128.load(b, 16);
    const p1 = i16x8.extend_low_i8x16_s(w1); c31 = dot(c31, v0, q0); c00 = dot(c00, v1, p1);
    const q1 = i16x8.extend_high_i8x16_s(w1); c01 = dot(c01, v1, q1); v1 = turn(v1); c11 = dot(c11, v1, q1);
    c10 = dot(c10, v1, p1); v1 = turn(v1); c21 = dot(c21, v1, q1); c20 = dot(c20, v1, p1); v1 = turn(v1);
    c30 = dot(c30, v1, p1); c31 = dot(c31, v1, q1);
  }
  const f00 = f32x4.convert_i32x4_s(c00), f10 = f32x4.convert_i32x4_s(c10);
  const f20 = f32x4.convert_i32x4_s(c20), f30 = f32x4.convert_i32x4_s(c30);
  const f01 = f32x4.convert_i32x4_s(c01), f11 = f32x4.convert_i32x4_s(c11);
  const f21 = f32x4.convert_i32x4_s(c21), f31 = f32x4.convert_i32x4_s(c31);
  const e00 = evenOdd(f00, f30), e10 = evenOdd(f10, f00), e20 = evenOdd(f20, f10), e30 = evenOdd(f30, f20);
  const e01 = evenOdd(f01, f31), e11 = evenOdd(f11, f01), e21 = evenOdd(f21, f11), e31 = evenOdd(f31, f21);
  putRow(c, lowHigh(e00, e20), lowHigh(e01, e21), rowScales, columnScales);
  putRow(c + ldc, lowHigh(e10, e30), lowHigh(e11, e31), rowScales + 4, columnScales);
  putRow(c + 2 * ldc, lowHigh(e20, e00), lowHigh(e21, e01), rowScales + 8, columnScales);
  putRow(c + 3 * ldc, lowHigh(e30, e10), lowHigh(e31, e11), rowScales + 12, columnScales);
}

/**
 * C[m, n] = A W^T + bias, then the activation of `flags` as in gemm, from panels of int8_rows and strips of int8_pack.
 * Scales have room for whole tiles. Range: blocks of mc x nc of C (multiples of 4 and 8), rows first.
 */
export function int8_gemm(
  c: usize, a: usize, rowScales: usize, b: usize, columnScales: usize, bias: usize, m: i32, n: i32, k: i32, mc: i32, nc: i32,
  flags: i32, scratch: usize, begin: i32, end: i32,
): void {
  const rowBlocks = (m + mc - 1) / mc, ld = <usize>n << 2, panel = panelBytes(k), strip = stripBytes(k);
  for (let unit = begin; unit < end; unit++) {
    const m0 = unit % rowBlocks * mc, n0 = unit / rowBlocks * nc;
    const mm = min(mc, m - m0), nn = min(nc, n - n0);
    const out = c + <usize>m0 * ld + (<usize>n0 << 2);
    for (let j = 0; j < nn; j += NR) {
      const bs = b + <usize>((n0 + j) / NR) * strip, cs = columnScales + (<usize>(n0 + j) << 2);
      for (let i = 0; i < mm; i += ROWS) {
        const as = a + <usize>((m0 + i) / ROWS) * panel, rs = rowScales + (<usize>(m0 + i) << 2);
        const to = out + <usize>i * ld + (<usize>j << 2);
        if (mm - i >= ROWS && nn - j >= NR) {
          tile(panel, as, bs, to, ld, rs, cs);
        } else {
          tile(panel, as, bs, scratch, NR * 4, rs, cs);
          for (let r = 0; r < min(ROWS, mm - i); r++) {
            memory.copy(to + <usize>r * ld, scratch + <usize>r * NR * 4, <usize>min(NR, nn - j) << 2);
          }
        }
      }
    }
    epilogue(out, ld, 0, bias == 0 ? 0 : bias + (<usize>n0 << 2), flags, mm, nn);
  }
}
