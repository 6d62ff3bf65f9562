// Products of few rows with a matrix as it stands in memory: C[m, n] (+)= A[m, k] B[k, n], by slices of k.
//
// As in gemm_dot.ts B is read once, six of its rows side by side, and two rows of C at a time are added to. 12 factors,
// two values of C and one of B fill the vector registers that V8 allocates; seven addresses leave it enough of the others.

import { ACCUMULATE, epilogue } from "./gemm";
import { fma, loadPartial, storePartial } from "./simd";
import { storeTransposed } from "./tile";

/** Rows of B that are read side by side. */
const STREAMS: i32 = 6;
/** Bytes of a pair's factors: [2, 6]. */
const FACTOR_BYTES: usize = 48;
/** Floats of each row of B that all pairs of rows go over before the next ones are read. */
const CHUNK: i32 = 256;
/** Columns that the loop does at once. */
const COLUMNS: i32 = 32;

/** Bytes of a pair of a slice's rows, [n / 4, 2, 4] and a line more: pairs would share cache sets. */
// @ts-ignore: decorator
@inline
function pairBytes(n: i32): usize {
  return (<usize>(n + 3 & ~3) << 3) + 64;
}

/** A pair's rows c[n / 4, 2, 4] += six rows of B, `step` bytes apart, times factors[2, 6]; n is a multiple of 4. */
function addPair(c: usize, factors: usize, b0: usize, step: usize, n: i32): void {
  let b1 = b0 + step, b2 = b1 + step, b3 = b2 + step, b4 = b3 + step, b5 = b4 + step;
  const f00 = v128.load32_splat(factors), f01 = v128.load32_splat(factors, 4), f02 = v128.load32_splat(factors, 8);
  const f03 = v128.load32_splat(factors, 12), f04 = v128.load32_splat(factors, 16), f05 = v128.load32_splat(factors, 20);
  const f10 = v128.load32_splat(factors, 24), f11 = v128.load32_splat(factors, 28), f12 = v128.load32_splat(factors, 32);
  const f13 = v128.load32_splat(factors, 36), f14 = v128.load32_splat(factors, 40), f15 = v128.load32_splat(factors, 44);
  const last = b0 + (<usize>n << 2);
  for (const end = b0 + (<usize>(n / COLUMNS * COLUMNS) << 2); b0 < end; c += 256) {
    let x0 = v128.load(c); let y0 = v128.load(c, 16);
    const q00 = v128.load(b0); x0 = fma(f00, q00, x0); y0 = fma(f10, q00, y0);
    const q10 = v128.load(b1); x0 = fma(f01, q10, x0); y0 = fma(f11, q10, y0);
    const q20 = v128.load(b2); x0 = fma(f02, q20, x0); y0 = fma(f12, q20, y0);
    const q30 = v128.load(b3); x0 = fma(f03, q30, x0); y0 = fma(f13, q30, y0);
    const q40 = v128.load(b4); x0 = fma(f04, q40, x0); y0 = fma(f14, q40, y0);
    const q50 = v128.load(b5); x0 = fma(f05, q50, x0); y0 = fma(f15, q50, y0);
    v128.store(c, x0); v128.store(c, y0, 16);
    let x1 = v128.load(c, 32); let y1 = v128.load(c, 48);
    const q01 = v128.load(b0, 16); x1 = fma(f00, q01, x1); y1 = fma(f10, q01, y1);
    const q11 = v128.load(b1, 16); x1 = fma(f01, q11, x1); y1 = fma(f11, q11, y1);
    const q21 = v128.load(b2, 16); x1 = fma(f02, q21, x1); y1 = fma(f12, q21, y1);
    const q31 = v128.load(b3, 16); x1 = fma(f03, q31, x1); y1 = fma(f13, q31, y1);
    const q41 = v128.load(b4, 16); x1 = fma(f04, q41, x1); y1 = fma(f14, q41, y1);
    const q51 = v128.load(b5, 16); x1 = fma(f05, q51, x1); y1 = fma(f15, q51, y1);
    v128.store(c, x1, 32); v128.store(c, y1, 48);
    let x2 = v128.load(c, 64); let y2 = v128.load(c, 80);
    const q02 = v128.load(b0, 32); x2 = fma(f00, q02, x2); y2 = fma(f10, q02, y2);
    const q12 = v128.load(b1, 32); x2 = fma(f01, q12, x2); y2 = fma(f11, q12, y2);
    const q22 = v128.load(b2, 32); x2 = fma(f02, q22, x2); y2 = fma(f12, q22, y2);
    const q32 = v128.load(b3, 32); x2 = fma(f03, q32, x2); y2 = fma(f13, q32, y2);
    const q42 = v128.load(b4, 32); x2 = fma(f04, q42, x2); y2 = fma(f14, q42, y2);
    const q52 = v128.load(b5, 32); x2 = fma(f05, q52, x2); y2 = fma(f15, q52, y2);
    v128.store(c, x2, 64); v128.store(c, y2, 80);
    let x3 = v128.load(c, 96); let y3 = v128.load(c, 112);
    const q03 = v128.load(b0, 48); x3 = fma(f00, q03, x3); y3 = fma(f10, q03, y3);
    const q13 = v128.load(b1, 48); x3 = fma(f01, q13, x3); y3 = fma(f11, q13, y3);
    const q23 = v128.load(b2, 48); x3 = fma(f02, q23, x3); y3 = fma(f12, q23, y3);
    const q33 = v128.load(b3, 48); x3 = fma(f03, q33, x3); y3 = fma(f13, q33, y3);
    const q43 = v128.load(b4, 48); x3 = fma(f04, q43, x3); y3 = fma(f14, q43, y3);
    const q53 = v128.load(b5, 48); x3 = fma(f05, q53, x3); y3 = fma(f15, q53, y3);
    v128.store(c, x3, 96); v128.store(c, y3, 112);
    let x4 = v128.load(c, 128); let y4 = v128.load(c, 144);
    const q04 = v128.load(b0, 64); x4 = fma(f00, q04, x4); y4 = fma(f10, q04, y4);
    const q14 = v128.load(b1, 64); x4 = fma(f01, q14, x4); y4 = fma(f11, q14, y4);
    const q24 = v128.load(b2, 64); x4 = fma(f02, q24, x4); y4 = fma(f12, q24, y4);
    const q34 = v128.load(b3, 64); x4 = fma(f03, q34, x4); y4 = fma(f13, q34, y4);
    const q44 = v128.load(b4, 64); x4 = fma(f04, q44, x4); y4 = fma(f14, q44, y4);
    const q54 = v128.load(b5, 64); x4 = fma(f05, q54, x4); y4 = fma(f15, q54, y4);
    v128.store(c, x4, 128); v128.store(c, y4, 144);
    let x5 = v128.load(c, 160); let y5 = v128.load(c, 176);
    const q05 = v128.load(b0, 80); x5 = fma(f00, q05, x5); y5 = fma(f10, q05, y5);
    const q15 = v128.load(b1, 80); x5 = fma(f01, q15, x5); y5 = fma(f11, q15, y5);
    const q25 = v128.load(b2, 80); x5 = fma(f02, q25, x5); y5 = fma(f12, q25, y5);
    const q35 = v128.load(b3, 80); x5 = fma(f03, q35, x5); y5 = fma(f13, q35, y5);
    const q45 = v128.load(b4, 80); x5 = fma(f04, q45, x5); y5 = fma(f14, q45, y5);
    const q55 = v128.load(b5, 80); x5 = fma(f05, q55, x5); y5 = fma(f15, q55, y5);
    v128.store(c, x5, 160); v128.store(c, y5, 176);
    let x6 = v128.load(c, 192); let y6 = v128.load(c, 208);
    const q06 = v128.load(b0, 96); x6 = fma(f00, q06, x6); y6 = fma(f10, q06, y6);
    const q16 = v128.load(b1, 96); x6 = fma(f01, q16, x6); y6 = fma(f11, q16, y6);
    const q26 = v128.load(b2, 96); x6 = fma(f02, q26, x6); y6 = fma(f12, q26, y6);
    const q36 = v128.load(b3, 96); x6 = fma(f03, q36, x6); y6 = fma(f13, q36, y6);
    const q46 = v128.load(b4, 96); x6 = fma(f04, q46, x6); y6 = fma(f14, q46, y6);
    const q56 = v128.load(b5, 96); x6 = fma(f05, q56, x6); y6 = fma(f15, q56, y6);
    v128.store(c, x6, 192); v128.store(c, y6, 208);
    let x7 = v128.load(c, 224); let y7 = v128.load(c, 240);
    const q07 = v128.load(b0, 112); x7 = fma(f00, q07, x7); y7 = fma(f10, q07, y7);
    const q17 = v128.load(b1, 112); x7 = fma(f01, q17, x7); y7 = fma(f11, q17, y7);
    const q27 = v128.load(b2, 112); x7 = fma(f02, q27, x7); y7 = fma(f12, q27, y7);
    const q37 = v128.load(b3, 112); x7 = fma(f03, q37, x7); y7 = fma(f13, q37, y7);
    const q47 = v128.load(b4, 112); x7 = fma(f04, q47, x7); y7 = fma(f14, q47, y7);
    const q57 = v128.load(b5, 112); x7 = fma(f05, q57, x7); y7 = fma(f15, q57, y7);
    v128.store(c, x7, 224); v128.store(c, y7, 240);
    b0 += 128; b1 += 128; b2 += 128; b3 += 128; b4 += 128; b5 += 128;
  }
  for (; b0 < last; c += 32) {
    let x = v128.load(c); let y = v128.load(c, 16);
    const q0 = v128.load(b0); x = fma(f00, q0, x); y = fma(f10, q0, y);
    const q1 = v128.load(b1); x = fma(f01, q1, x); y = fma(f11, q1, y);
    const q2 = v128.load(b2); x = fma(f02, q2, x); y = fma(f12, q2, y);
    const q3 = v128.load(b3); x = fma(f03, q3, x); y = fma(f13, q3, y);
    const q4 = v128.load(b4); x = fma(f04, q4, x); y = fma(f14, q4, y);
    const q5 = v128.load(b5); x = fma(f05, q5, x); y = fma(f15, q5, y);
    v128.store(c, x); v128.store(c, y, 16);
    b0 += 16; b1 += 16; b2 += 16; b3 += 16; b4 += 16; b5 += 16;
  }
}

/** Row i of C's pairs, columns [from, n), += b[n] * factor; `from` is a multiple of 4. */
function addRow(c: usize, i: i32, factor: f32, b: usize, from: i32, n: i32): void {
  const f = f32x4.splat(factor);
  let j = from, p = c + (<usize>(2 * from + (i & 1) * 4) << 2), q = b + (<usize>from << 2);
  for (; j + 4 <= n; j += 4, p += 32, q += 16) v128.store(p, fma(f, v128.load(q), v128.load(p)));
  for (; j < n; j++, p += 4, q += 4) store<f32>(p, load<f32>(p) + factor * load<f32>(q));
}

/** The factors of A[m, k] for addPair: [k / 6][pairs][2, 6]; the last row stands for one that a pair lacks. */
function packFactors(dst: usize, a: usize, lda: usize, m: i32, apart: i32): void {
  const group = <usize>(m + 1 >> 1) * FACTOR_BYTES, step = <usize>apart << 2;
  for (let i = 0; i < m; i += 2, a += 2 * lda, dst += FACTOR_BYTES) {
    let p = a, q = i + 1 < m ? a + lda : a, out = dst, g = 0;
    for (; g + 4 <= apart; g += 4, p += 16, q += 16, out += 4 * group) {
      const p2 = p + 2 * step, p4 = p2 + 2 * step, q2 = q + 2 * step, q4 = q2 + 2 * step;
      storeTransposed(out, group, v128.load(p), v128.load(p + step), v128.load(p2), v128.load(p2 + step));
      storeTransposed(out + 16, group, v128.load(p4), v128.load(p4 + step), v128.load(q), v128.load(q + step));
      storeTransposed(out + 32, group, v128.load(q2), v128.load(q2 + step), v128.load(q4), v128.load(q4 + step));
    }
    for (; g < apart; g++, p += 4, q += 4, out += group) {
      for (let t: usize = 0; t < <usize>STREAMS; t++) {
        store<f32>(out + (t << 2), load<f32>(p + t * step));
        store<f32>(out + (t << 2), load<f32>(q + t * step), 24);
      }
    }
  }
}

/** Pairs of rows, `pair` bytes apart, += A[m, k] B[k, n]; strides in bytes. */
function addProduct(
  c: usize, pair: usize, a: usize, lda: usize, b: usize, ldb: usize, m: i32, n: i32, k: i32, factors: usize,
): void {
  const apart = k / STREAMS, whole = n & ~3;
  packFactors(factors, a, lda, m, apart);
  for (let g = 0, from = b; g < apart; g++, from += ldb, factors += <usize>(m + 1 >> 1) * FACTOR_BYTES) {
    for (let j = 0; j < whole; j += CHUNK) {
      let row = c + (<usize>j << 3), f = factors;
      for (let i = 0; i < m; i += 2, row += pair, f += FACTOR_BYTES) {
        addPair(row, f, from + (<usize>j << 2), <usize>apart * ldb, min(CHUNK, whole - j));
      }
    }
  }
  for (let i = 0; i < m; i++, a += lda) { // in the same order, so that a column's sum is the same in any block
    const out = c + <usize>(i >> 1) * pair;
    for (let g = 0; whole < n && g < apart; g++) {
      for (let x = g; x < STREAMS * apart; x += apart) addRow(out, i, load<f32>(a + (<usize>x << 2)), b + <usize>x * ldb, whole, n);
    }
    for (let x = STREAMS * apart; x < k; x++) addRow(out, i, load<f32>(a + (<usize>x << 2)), b + <usize>x * ldb, 0, n);
  }
}

/**
 * A[m, k] B[k, n] for few rows in slices of `ks` along k, to partials[slice][pair of rows]. Scratch: 4 (m + 1) ks bytes.
 * Range: blocks of `nc` columns, a multiple of 4, in each the slices.
 */
export function gemm_slices(
  partials: usize, a: usize, b: usize, lda: i32, ldb: i32, m: i32, n: i32, k: i32, ks: i32, nc: i32, scratch: usize, begin: i32, end: i32,
): void {
  const slices = (k + ks - 1) / ks, pair = pairBytes(n), pairs = m + 1 >> 1;
  for (let unit = begin; unit < end; unit++) {
    const slice = unit % slices, k0 = slice * ks, n0 = unit / slices * nc, nn = min(nc, n - n0);
    const out = partials + <usize>(slice * pairs) * pair + (<usize>n0 << 3);
    for (let i = 0; i < pairs; i++) memory.fill(out + <usize>i * pair, 0, <usize>(nn + 3 & ~3) << 3);
    addProduct(
      out, pair, a + (<usize>k0 << 2), <usize>lda << 2, b + (<usize>(k0 * ldb + n0) << 2), <usize>ldb << 2, m, nn, min(ks, k - k0),
      scratch,
    );
  }
}

/** C[m, n] (+)= the sum of gemm_slices' partials, in order, then gemm's epilogue. Range: blocks of 64 columns. */
export function gemm_slices_sum(
  c: usize, partials: usize, bias: usize, aux: usize, m: i32, n: i32, slices: i32, flags: i32, begin: i32, end: i32,
): void {
  const first = begin << 6, count = min(end << 6, n) - first, ld = <usize>n << 2, o = <usize>first << 2;
  const pair = pairBytes(n), step = <usize>(m + 1 >> 1) * pair;
  for (let i = 0; i < m; i++) {
    const out = c + <usize>i * ld + o, from = partials + <usize>(i >> 1) * pair + (<usize>(i & 1) << 4) + (<usize>first << 3);
    for (let j = 0; j < count; j += 4) {
      let p = from + (<usize>j << 3), sum = v128.load(p);
      for (let s = 1; s < slices; s++) sum = f32x4.add(sum, v128.load(p += step));
      const to = out + (<usize>j << 2), left = count - j;
      if (left >= 4) v128.store(to, flags & ACCUMULATE ? f32x4.add(v128.load(to), sum) : sum);
      else storePartial(to, flags & ACCUMULATE ? f32x4.add(loadPartial(to, left), sum) : sum, left);
    }
  }
  epilogue(c + o, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + o, flags, m, count);
}
