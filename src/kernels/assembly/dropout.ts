// Dropout from a counter-based generator, Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// 2011). The mask is a function of (seed, step, site, row, column), so the backward pass computes it again.
//
// Column j of a row takes word (j >> 2) & 3 of counter (4 * (j >> 4) + (j & 3), row, site, step), key = seed: sixteen
// columns are four counters side by side. An element is kept where its word >= p * 2^32, then scaled by 1 / (1 - p).

import { splat } from "./simd";

/** The four words of four counters; `philox` leaves them here. */
export let word0: v128 = i32x4.splat(0), word1: v128 = i32x4.splat(0), word2: v128 = i32x4.splat(0),
  word3: v128 = i32x4.splat(0);

/** Ten rounds over four counters: (c0, c1, site, step). */
export function philox(c0: v128, c1: v128, site: i32, step: i32, seed0: i32, seed1: i32): void {
  const m0 = i32x4.splat(0xD2511F53), m1 = i32x4.splat(0xCD9E8D57);
  let c2 = i32x4.splat(site), c3 = i32x4.splat(step);
  let k0 = seed0, k1 = seed1;
  for (let round = 0; round < 10; round++) {
    const a = i64x2.extmul_low_i32x4_u(c0, m0), b = i64x2.extmul_high_i32x4_u(c0, m0);
    const c = i64x2.extmul_low_i32x4_u(c2, m1), d = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(c, d, 1, 3, 5, 7), c1), i32x4.splat(k0)); // high words of the products
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(a, b, 1, 3, 5, 7), c3), i32x4.splat(k1));
    c1 = v128.shuffle<i32>(c, d, 0, 2, 4, 6); // low words
    c3 = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  word0 = c0;
  word1 = c1;
  word2 = c2;
  word3 = c3;
}

/** The factors (0 or `scale`) of columns [0, n) of one row, to `factors` (room for n rounded up to 16). */
export function dropoutRow(
  factors: usize, n: i32, row: i32, site: i32, step: i32, seed0: i32, seed1: i32, threshold: i32, scale: f32,
): void {
  const t = i32x4.splat(threshold), s = splat(scale);
  let counter = i32x4(0, 1, 2, 3);
  for (let j = 0; j < n; j += 16, factors += 64) {
    philox(counter, i32x4.splat(row), site, step, seed0, seed1);
    v128.store(factors, v128.and(i32x4.ge_u(word0, t), s));
    v128.store(factors, v128.and(i32x4.ge_u(word1, t), s), 16);
    v128.store(factors, v128.and(i32x4.ge_u(word2, t), s), 32);
    v128.store(factors, v128.and(i32x4.ge_u(word3, t), s), 48);
    counter = i32x4.add(counter, i32x4.splat(4));
  }
}

/** y (+)= x * dropout factors, [rows, h]; the same call maps dy to dx. Range: rows. */
export function dropout(
  y: usize, x: usize, h: i32, site: i32, step: i32, seed0: i32, seed1: i32, threshold: i32, scale: f32, accumulate: i32,
  scratch: usize, begin: i32, end: i32,
): void {
  const to = <usize>h << 2, vectors = <usize>(h & ~3) << 2;
  for (let row = begin; row < end; row++) {
    dropoutRow(scratch, h, row, site, step, seed0, seed1, threshold, scale);
    const out = y + <usize>row * to, from = x + <usize>row * to;
    let p: usize = 0;
    for (; p < vectors; p += 16) {
      const kept = f32x4.mul(v128.load(from + p), v128.load(scratch + p));
      v128.store(out + p, accumulate ? f32x4.add(v128.load(out + p), kept) : kept);
    }
    for (; p < to; p += 4) {
      const kept = load<f32>(from + p) * load<f32>(scratch + p);
      store<f32>(out + p, accumulate ? load<f32>(out + p) + kept : kept);
    }
  }
}
