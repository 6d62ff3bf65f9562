// Products of few rows with a matrix as it stands in memory: C[m, n] (+)= A[m, k] B[n, k]^T, by dot products.
//
// B is read once, six of its rows side by side, which stand far apart: memory and the prefetcher of each give most so.
// Two rows of A at a time are multiplied with them, so that the loop runs far enough ahead of what it waits for; the
// other pairs of rows find B's six runs in the cache. 12 sums, two values of A and one of B fill the vector registers
// that V8 allocates.

import { ACCUMULATE, epilogue } from "./gemm";
import { fma, sumLanes, sumLanesOfFour } from "./simd";

/** Rows of B that are read side by side. */
const STREAMS: i32 = 6;
/** Bytes of a pair's sums: [2, 6, 4]. */
const PAIR_BYTES: usize = 192;
/**
 * Floats of each row of B that all pairs of rows go over before the next ones are read: the longer if it divides k. A
 * row that is not longer goes through whole.
 */
const CHUNK: i32 = 256, LONG_CHUNK: i32 = 512;
/** Up to this many rows of A, reading B takes longer than multiplying. */
const MEMORY_ROWS: i32 = 8;
/** Steps of k that the loop does at once. */
const STEPS: i32 = 16;

/** Floats of each row of B that A's pairs of rows go over one after another. */
// @ts-ignore: decorator
@inline
function chunkOf(m: i32, k: i32): i32 {
  return m <= 2 || k <= LONG_CHUNK ? k : k % LONG_CHUNK == 0 ? LONG_CHUNK : CHUNK;
}

/** Packs k columns of A: chunks, in each the pairs of rows, [chunk / 4][2][4]; the last row stands for a missing one. */
function packPairs(dst: usize, a: usize, lda: usize, m: i32, k: i32): void {
  const chunk = chunkOf(m, k);
  for (let x0 = 0; x0 < k; x0 += chunk, a += <usize>chunk << 2) {
    const end = <usize>min(chunk, k - x0) << 2;
    let row = a;
    for (let i = 0; i < m; i += 2, row += 2 * lda) {
      const next = i + 1 < m ? row + lda : row;
      for (let x: usize = 0; x < end; x += 16, dst += 32) {
        v128.store(dst, v128.load(row + x));
        v128.store(dst, v128.load(next + x), 16);
      }
    }
  }
}

/** Stores the lanes `right` bytes apart. */
// @ts-ignore: decorator
@inline
function storeFour(c: usize, right: usize, v: v128): void {
  v128.store_lane<f32>(c, v, 0);
  v128.store_lane<f32>(c + right, v, 1);
  v128.store_lane<f32>(c + 2 * right, v, 2);
  v128.store_lane<f32>(c + 3 * right, v, 3);
}

/**
 * The dot products of k floats, k a multiple of STEPS, of two packed rows with six rows of B, `step` bytes apart, as four
 * partial sums each: sums[2, 6, 4], added to what is there with `more`. Unless `c` is 0, they are added up and stored
 * there instead, `right` bytes from column to column.
 */
// @ts-ignore: decorator
@inline
function dotPair(
  sums: usize, k: i32, a: usize, b0: usize, step: usize, more: bool, c: usize, ldc: usize, right: usize,
): void {
  let b1 = b0 + step, b2 = b1 + step, b3 = b2 + step, b4 = b3 + step, b5 = b4 + step;
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s02 = f32x4.splat(0), s03 = f32x4.splat(0), s04 = f32x4.splat(0);
  let s05 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0), s12 = f32x4.splat(0), s13 = f32x4.splat(0);
  let s14 = f32x4.splat(0), s15 = f32x4.splat(0);
  if (more) {
    s00 = v128.load(sums);
    s01 = v128.load(sums, 16);
    s02 = v128.load(sums, 32);
    s03 = v128.load(sums, 48);
    s04 = v128.load(sums, 64);
    s05 = v128.load(sums, 80);
    s10 = v128.load(sums, 96);
    s11 = v128.load(sums, 112);
    s12 = v128.load(sums, 128);
    s13 = v128.load(sums, 144);
    s14 = v128.load(sums, 160);
    s15 = v128.load(sums, 176);
  }
  for (const end = b0 + (<usize>k << 2); b0 < end; a += 128) {
    const p00 = v128.load(a); const p10 = v128.load(a, 16);
    const q00 = v128.load(b0); s00 = fma(p00, q00, s00); s10 = fma(p10, q00, s10);
    const q10 = v128.load(b1); s01 = fma(p00, q10, s01); s11 = fma(p10, q10, s11);
    const q20 = v128.load(b2); s02 = fma(p00, q20, s02); s12 = fma(p10, q20, s12);
    const q30 = v128.load(b3); s03 = fma(p00, q30, s03); s13 = fma(p10, q30, s13);
    const q40 = v128.load(b4); s04 = fma(p00, q40, s04); s14 = fma(p10, q40, s14);
    const q50 = v128.load(b5); s05 = fma(p00, q50, s05); s15 = fma(p10, q50, s15);
    const p01 = v128.load(a, 32); const p11 = v128.load(a, 48);
    const q01 = v128.load(b0, 16); s00 = fma(p01, q01, s00); s10 = fma(p11, q01, s10);
    const q11 = v128.load(b1, 16); s01 = fma(p01, q11, s01); s11 = fma(p11, q11, s11);
    const q21 = v128.load(b2, 16); s02 = fma(p01, q21, s02); s12 = fma(p11, q21, s12);
    const q31 = v128.load(b3, 16); s03 = fma(p01, q31, s03); s13 = fma(p11, q31, s13);
    const q41 = v128.load(b4, 16); s04 = fma(p01, q41, s04); s14 = fma(p11, q41, s14);
    const q51 = v128.load(b5, 16); s05 = fma(p01, q51, s05); s15 = fma(p11, q51, s15);
    const p02 = v128.load(a, 64); const p12 = v128.load(a, 80);
    const q02 = v128.load(b0, 32); s00 = fma(p02, q02, s00); s10 = fma(p12, q02, s10);
    const q12 = v128.load(b1, 32); s01 = fma(p02, q12, s01); s11 = fma(p12, q12, s11);
    const q22 = v128.load(b2, 32); s02 = fma(p02, q22, s02); s12 = fma(p12, q22, s12);
    const q32 = v128.load(b3, 32); s03 = fma(p02, q32, s03); s13 = fma(p12, q32, s13);
    const q42 = v128.load(b4, 32); s04 = fma(p02, q42, s04); s14 = fma(p12, q42, s14);
    const q52 = v128.load(b5, 32); s05 = fma(p02, q52, s05); s15 = fma(p12, q52, s15);
    const p03 = v128.load(a, 96); const p13 = v128.load(a, 112);
    const q03 = v128.load(b0, 48); s00 = fma(p03, q03, s00); s10 = fma(p13, q03, s10);
    const q13 = v128.load(b1, 48); s01 = fma(p03, q13, s01); s11 = fma(p13, q13, s11);
    const q23 = v128.load(b2, 48); s02 = fma(p03, q23, s02); s12 = fma(p13, q23, s12);
    const q33 = v128.load(b3, 48); s03 = fma(p03, q33, s03); s13 = fma(p13, q33, s13);
    const q43 = v128.load(b4, 48); s04 = fma(p03, q43, s04); s14 = fma(p13, q43, s14);
    const q53 = v128.load(b5, 48); s05 = fma(p03, q53, s05); s15 = fma(p13, q53, s15);
    b0 += 64; b1 += 64; b2 += 64; b3 += 64; b4 += 64; b5 += 64;
  }
  if (c != 0) {
    const d = c + ldc, right4 = 4 * right, right5 = 5 * right;
    const ends = sumLanesOfFour(s04, s05, s14, s15);
    storeFour(c, right, sumLanesOfFour(s00, s01, s02, s03));
    v128.store_lane<f32>(c + right4, ends, 0);
    v128.store_lane<f32>(c + right5, ends, 1);
    storeFour(d, right, sumLanesOfFour(s10, s11, s12, s13));
    v128.store_lane<f32>(d + right4, ends, 2);
    v128.store_lane<f32>(d + right5, ends, 3);
    return;
  }
  v128.store(sums, s00);
  v128.store(sums, s01, 16);
  v128.store(sums, s02, 32);
  v128.store(sums, s03, 48);
  v128.store(sums, s04, 64);
  v128.store(sums, s05, 80);
  v128.store(sums, s10, 96);
  v128.store(sums, s11, 112);
  v128.store(sums, s12, 128);
  v128.store(sums, s13, 144);
  v128.store(sums, s14, 160);
  v128.store(sums, s15, 176);
}

/** C[m, 6] (+)= A B^T for six rows of B, `apart` rows apart, or for one row if that is 0; strides in bytes. */
function dotColumns(
  c: usize, ldc: usize, a: usize, lda: usize, packed: usize, b: usize, ldb: usize, m: i32, apart: i32, k: i32,
  accumulate: bool, sums: usize,
): void {
  const whole = k / STEPS * STEPS, step = <usize>apart * ldb, chunk = chunkOf(m, whole), count = apart == 0 ? 1 : STREAMS;
  if (whole == 0) memory.fill(sums, 0, <usize>(m + 1 >> 1) * PAIR_BYTES);
  const direct = whole == k && k > 0 && !accumulate && count == STREAMS;
  for (let x = 0; x < whole; x += chunk) {
    const depth = min(chunk, whole - x), last = direct && x + depth == k;
    let out = sums, to = c;
    for (let i = 0; i < m; i += 2, out += PAIR_BYTES, packed += <usize>depth << 3, to += 2 * ldc) {
      dotPair(
        out, depth, packed, b + (<usize>x << 2), step, x > 0, last ? to : 0, i + 1 < m ? ldc : 0, <usize>apart << 2,
      );
    }
  }
  if (direct) return;
  for (let i = 0; i < m; i++, c += ldc, a += lda, sums += PAIR_BYTES >> 1) {
    for (let j = 0; j < count; j++) {
      const q = b + <usize>j * step, o = c + (<usize>(j * apart) << 2);
      let four = v128.load(sums + (<usize>j << 4)), y = whole;
      for (; y + 4 <= k; y += 4) four = fma(v128.load(a + (<usize>y << 2)), v128.load(q + (<usize>y << 2)), four);
      let sum = sumLanes(four);
      for (; y < k; y++) sum += load<f32>(a + (<usize>y << 2)) * load<f32>(q + (<usize>y << 2));
      store<f32>(o, accumulate ? load<f32>(o) + sum : sum);
    }
  }
}

/** What cutColumns is asked for instead of a unit: how many there are. */
const ALL: i32 = -1;

/**
 * The first column of a unit, n after the last one; of ALL, the number of units. Each is as wide as half of a thread's
 * share of the columns that are left when its round (a unit for each thread) begins, so that all threads end at about the
 * same time.
 */
function cutColumns(unit: i32, n: i32, threads: i32, widest: i32, narrowest: i32): i32 {
  let column = 0, i = 0;
  for (let width = 0; i != unit && column < n; i++, column += width) {
    if (i % threads == 0) width = max(narrowest, min(widest, (n - column) / (2 * threads * STREAMS) * STREAMS));
  }
  return unit == ALL ? i : min(column, n);
}

/** Units that gemm_dot cuts n columns in. */
export function gemm_dot_units(n: i32, threads: i32, widest: i32, narrowest: i32): i32 {
  return cutColumns(ALL, n, threads, widest, narrowest);
}

/**
 * C[m, n] (+)= A[m, k] B[n, k]^T for few rows, from six places of B at a time; epilogue as gemm's. Scratch: (m + 1)
 * (96 + 4 k) bytes, which keep A from a thread's first range on. Range: units of columns (rows of B).
 */
export function gemm_dot(
  c: usize, a: usize, b: usize, bias: usize, aux: usize, ldc: i32, lda: i32, ldb: i32, m: i32, n: i32, k: i32, threads: i32,
  widest: i32, narrowest: i32, flags: i32, scratch: usize, fresh: bool, begin: i32, end: i32,
): void {
  const ld = <usize>ldc << 2, packed = scratch + <usize>(m + 1) * (PAIR_BYTES >> 1);
  // Rows of whole chunks: an odd number of rows apart, the six runs take different sets of the L1 cache.
  const oddly = m <= MEMORY_ROWS && k % CHUNK == 0 && chunkOf(m, k) == CHUNK;
  if (fresh) packPairs(packed, a, <usize>lda << 2, m, k / STEPS * STEPS);
  for (let unit = begin; unit < end; unit++) {
    const n0 = cutColumns(unit, n, threads, widest, narrowest), nn = cutColumns(unit + 1, n, threads, widest, narrowest) - n0;
    const o = <usize>n0 << 2;
    for (let column = 0; column < nn;) {
      let apart = (nn - column) / STREAMS;
      if (oddly && apart > 0) apart = apart - 1 | 1;
      for (let j = column; j < column + max(1, apart); j++) {
        dotColumns(
          c + o + (<usize>j << 2), ld, a, <usize>lda << 2, packed, b + (<usize>(n0 + j) * ldb << 2), <usize>ldb << 2, m, apart, k,
          (flags & ACCUMULATE) != 0, scratch,
        );
      }
      column += apart == 0 ? 1 : apart * STREAMS;
    }
    epilogue(c + o, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + o, flags, m, nn);
  }
}
