// Products of few rows with a matrix as it stands in memory: C[m, n] (+)= A[m, k] B[n, k]^T, by dot products.
//
// B is read once, two of its rows at a time. A's rows go in groups of 6 or 4, packed: [k / 4][6 or 4][4]. The 12 sums of a
// group and what it multiplies fill the vector registers that V8 allocates.

import { ACCUMULATE, epilogue } from "./gemm";
import { fma, sumLanes } from "./simd";

/**
 * Floats that all groups of rows go over before the next ones of B are read: the second and later groups find theirs in
 * the cache.
 */
const CHUNK: i32 = 128;

/** Rows of the next group, of `left` rows: so that at most one is made up, or three if there is only one. */
// @ts-ignore: decorator
@inline
function groupRows(left: i32): i32 {
  return left > 8 || left == 5 || left == 6 ? 6 : 4;
}

/** Packs k columns of A in groups; the last row stands for rows that a group lacks. */
function packGroups(dst: usize, a: usize, lda: usize, m: i32, k: i32): void {
  for (let i = 0; i < m;) {
    const rows = groupRows(m - i);
    for (let x = 0; x < k; x += 4) {
      for (let r = i; r < i + rows; r++, dst += 16) v128.store(dst, v128.load(a + <usize>min(r, m - 1) * lda + (<usize>x << 2)));
    }
    i += rows;
  }
}

/**
 * The dot products of k floats, k a multiple of 8, of six packed rows with the rows b0 and b1, as four partial sums each:
 * sums[6, 2, 4], added to what is there with `more`.
 */
function dotSix(sums: usize, k: i32, a: usize, b0: usize, b1: usize, more: bool): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s30 = f32x4.splat(0), s31 = f32x4.splat(0);
  let s40 = f32x4.splat(0), s41 = f32x4.splat(0), s50 = f32x4.splat(0), s51 = f32x4.splat(0);
  if (more) {
    s00 = v128.load(sums);
    s01 = v128.load(sums, 16);
    s10 = v128.load(sums, 32);
    s11 = v128.load(sums, 48);
    s20 = v128.load(sums, 64);
    s21 = v128.load(sums, 80);
    s30 = v128.load(sums, 96);
    s31 = v128.load(sums, 112);
    s40 = v128.load(sums, 128);
    s41 = v128.load(sums, 144);
    s50 = v128.load(sums, 160);
    s51 = v128.load(sums, 176);
  }
  for (const end = b0 + (<usize>k << 2); b0 < end; b0 += 32, b1 += 32, a += 192) {
    const q00 = v128.load(b0); const q10 = v128.load(b1);
    const p00 = v128.load(a); s00 = fma(p00, q00, s00); s01 = fma(p00, q10, s01);
    const p10 = v128.load(a, 16); s10 = fma(p10, q00, s10); s11 = fma(p10, q10, s11);
    const p20 = v128.load(a, 32); s20 = fma(p20, q00, s20); s21 = fma(p20, q10, s21);
    const p30 = v128.load(a, 48); s30 = fma(p30, q00, s30); s31 = fma(p30, q10, s31);
    const p40 = v128.load(a, 64); s40 = fma(p40, q00, s40); s41 = fma(p40, q10, s41);
    const p50 = v128.load(a, 80); s50 = fma(p50, q00, s50); s51 = fma(p50, q10, s51);
    const q01 = v128.load(b0, 16); const q11 = v128.load(b1, 16);
    const p01 = v128.load(a, 96); s00 = fma(p01, q01, s00); s01 = fma(p01, q11, s01);
    const p11 = v128.load(a, 112); s10 = fma(p11, q01, s10); s11 = fma(p11, q11, s11);
    const p21 = v128.load(a, 128); s20 = fma(p21, q01, s20); s21 = fma(p21, q11, s21);
    const p31 = v128.load(a, 144); s30 = fma(p31, q01, s30); s31 = fma(p31, q11, s31);
    const p41 = v128.load(a, 160); s40 = fma(p41, q01, s40); s41 = fma(p41, q11, s41);
    const p51 = v128.load(a, 176); s50 = fma(p51, q01, s50); s51 = fma(p51, q11, s51);
  }
  v128.store(sums, s00);
  v128.store(sums, s01, 16);
  v128.store(sums, s10, 32);
  v128.store(sums, s11, 48);
  v128.store(sums, s20, 64);
  v128.store(sums, s21, 80);
  v128.store(sums, s30, 96);
  v128.store(sums, s31, 112);
  v128.store(sums, s40, 128);
  v128.store(sums, s41, 144);
  v128.store(sums, s50, 160);
  v128.store(sums, s51, 176);
}

/** The same for four rows: sums[4, 2, 4]. */
function dotFour(sums: usize, k: i32, a: usize, b0: usize, b1: usize, more: bool): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s30 = f32x4.splat(0), s31 = f32x4.splat(0);
  if (more) {
    s00 = v128.load(sums);
    s01 = v128.load(sums, 16);
    s10 = v128.load(sums, 32);
    s11 = v128.load(sums, 48);
    s20 = v128.load(sums, 64);
    s21 = v128.load(sums, 80);
    s30 = v128.load(sums, 96);
    s31 = v128.load(sums, 112);
  }
  for (const end = b0 + (<usize>k << 2); b0 < end; b0 += 32, b1 += 32, a += 128) {
    const q00 = v128.load(b0); const q10 = v128.load(b1);
    const p00 = v128.load(a); s00 = fma(p00, q00, s00); s01 = fma(p00, q10, s01);
    const p10 = v128.load(a, 16); s10 = fma(p10, q00, s10); s11 = fma(p10, q10, s11);
    const p20 = v128.load(a, 32); s20 = fma(p20, q00, s20); s21 = fma(p20, q10, s21);
    const p30 = v128.load(a, 48); s30 = fma(p30, q00, s30); s31 = fma(p30, q10, s31);
    const q01 = v128.load(b0, 16); const q11 = v128.load(b1, 16);
    const p01 = v128.load(a, 64); s00 = fma(p01, q01, s00); s01 = fma(p01, q11, s01);
    const p11 = v128.load(a, 80); s10 = fma(p11, q01, s10); s11 = fma(p11, q11, s11);
    const p21 = v128.load(a, 96); s20 = fma(p21, q01, s20); s21 = fma(p21, q11, s21);
    const p31 = v128.load(a, 112); s30 = fma(p31, q01, s30); s31 = fma(p31, q11, s31);
  }
  v128.store(sums, s00);
  v128.store(sums, s01, 16);
  v128.store(sums, s10, 32);
  v128.store(sums, s11, 48);
  v128.store(sums, s20, 64);
  v128.store(sums, s21, 80);
  v128.store(sums, s30, 96);
  v128.store(sums, s31, 112);
}

/** sums[groups of m][rows, 2, 4] of k floats of two rows of B; `packed` is A, `whole` the floats of its packed rows. */
function dotGroups(sums: usize, packed: usize, whole: i32, m: i32, b0: usize, b1: usize): void {
  const chunk = m > 6 ? CHUNK : whole;
  for (let x = 0; x < whole; x += chunk) {
    const k = min(chunk, whole - x), o = <usize>x << 2;
    let out = sums, group = packed;
    for (let i = 0; i < m;) {
      const rows = groupRows(m - i), a = group + <usize>(x * rows << 2);
      if (rows == 6) dotSix(out, k, a, b0 + o, b1 + o, x > 0);
      else dotFour(out, k, a, b0 + o, b1 + o, x > 0);
      out += <usize>rows << 5;
      group += <usize>(whole * rows) << 2;
      i += rows;
    }
  }
}

/** C[m, columns] (+)= A B^T for one or two rows of B, `apart` rows apart; strides in bytes. */
function dotColumns(
  c: usize, ldc: usize, a: usize, lda: usize, packed: usize, b: usize, ldb: usize, m: i32, columns: i32, apart: i32, k: i32,
  accumulate: bool, sums: usize,
): void {
  const whole = k & ~7, step = <usize>apart * ldb;
  if (whole == 0) memory.fill(sums, 0, <usize>(m + 3) << 5);
  dotGroups(sums, packed, whole, m, b, columns > 1 ? b + step : b);
  for (let i = 0; i < m; i++, c += ldc, a += lda, sums += 32) {
    for (let j = 0; j < columns; j++) {
      const q = b + <usize>j * step, o = c + (<usize>(j * apart) << 2);
      let sum = sumLanes(v128.load(sums + (<usize>j << 4)));
      for (let y = whole; y < k; y++) sum += load<f32>(a + (<usize>y << 2)) * load<f32>(q + (<usize>y << 2));
      store<f32>(o, accumulate ? load<f32>(o) + sum : sum);
    }
  }
}

/**
 * C[m, n] (+)= A[m, k] B[n, k]^T for few rows, from two places of B at a time; epilogue as gemm's. Scratch: (m + 3)
 * (32 + 4 k) bytes. Range: blocks of `nc` columns (rows of B).
 */
export function gemm_dot(
  c: usize, a: usize, b: usize, bias: usize, aux: usize, ldc: i32, lda: i32, ldb: i32, m: i32, n: i32, k: i32, nc: i32, flags: i32,
  scratch: usize, begin: i32, end: i32,
): void {
  const ld = <usize>ldc << 2, packed = scratch + (<usize>(m + 3) << 5);
  packGroups(packed, a, <usize>lda << 2, m, k & ~7);
  for (let unit = begin; unit < end; unit++) {
    const n0 = unit * nc, nn = min(nc, n - n0), o = <usize>n0 << 2, apart = (nn + 1) / 2;
    for (let j = 0; j < apart; j++) {
      dotColumns(
        c + o + (<usize>j << 2), ld, a, <usize>lda << 2, packed, b + (<usize>(n0 + j) * ldb << 2), <usize>ldb << 2, m,
        j + apart < nn ? 2 : 1, apart, k, (flags & ACCUMULATE) != 0, scratch,
      );
    }
    epilogue(c + o, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + o, flags, m, nn);
  }
}
