// The innermost matrix product: C tile (+)= A panel * B strip, and the packing of panels and strips.
//
//   A panel: [k][MR] floats, MR = 5 or 4 rows    B strip: [k][8] floats    C tile: MR x 8, row major
//
// 5 x 8 is the largest tile whose accumulators, operands and one broadcast fit the 15 vector registers that V8
// allocates (6 x 8 spills: 20 instead of 28 GFLOPS on a 3 GHz core with explicit bounds checks). Rows 0 to 3 of A
// come from one load and four lane broadcasts, because every load costs a bounds check where there is no guard page.
// Loops that compare an address with an end run at 30, those that count k down at 20 GFLOPS (V8 15).
// Sums run along k in order for every element: edges, tile heights and thread counts do not change the bits.

import { fma } from "./simd";

/** Columns of a B strip. */
export const NR: i32 = 8;

// @ts-ignore: decorator
@inline
function put(c: usize, lo: v128, hi: v128, accumulate: bool): void {
  if (accumulate) {
    v128.store(c, f32x4.add(v128.load(c), lo));
    v128.store(c, f32x4.add(v128.load(c, 16), hi), 16);
  } else {
    v128.store(c, lo);
    v128.store(c, hi, 16);
  }
}

/** C[5, 8] (+)= A B; `aStep`, `bStep` and `ldc` in bytes. */
function tile5(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, ldc: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0), c41 = f32x4.splat(0);
  for (const end = a + <usize>k * aStep; a < end; a += aStep, b += bStep) {
    const v = v128.load(a);
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.shuffle<f32>(v, v, 0, 0, 0, 0);
    c00 = fma(a0, b0, c00);
    c01 = fma(a0, b1, c01);
    const a1 = v128.shuffle<f32>(v, v, 1, 1, 1, 1);
    c10 = fma(a1, b0, c10);
    c11 = fma(a1, b1, c11);
    const a2 = v128.shuffle<f32>(v, v, 2, 2, 2, 2);
    c20 = fma(a2, b0, c20);
    c21 = fma(a2, b1, c21);
    const a3 = v128.shuffle<f32>(v, v, 3, 3, 3, 3);
    c30 = fma(a3, b0, c30);
    c31 = fma(a3, b1, c31);
    const a4 = v128.load32_splat(a, 16);
    c40 = fma(a4, b0, c40);
    c41 = fma(a4, b1, c41);
  }
  put(c, c00, c01, accumulate);
  c += ldc;
  put(c, c10, c11, accumulate);
  c += ldc;
  put(c, c20, c21, accumulate);
  c += ldc;
  put(c, c30, c31, accumulate);
  c += ldc;
  put(c, c40, c41, accumulate);
}

/** C[4, 8] (+)= A B, for row counts that 4 divides better than 5. */
function tile4(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, ldc: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  for (const end = a + <usize>k * aStep; a < end; a += aStep, b += bStep) {
    const v = v128.load(a);
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.shuffle<f32>(v, v, 0, 0, 0, 0);
    c00 = fma(a0, b0, c00);
    c01 = fma(a0, b1, c01);
    const a1 = v128.shuffle<f32>(v, v, 1, 1, 1, 1);
    c10 = fma(a1, b0, c10);
    c11 = fma(a1, b1, c11);
    const a2 = v128.shuffle<f32>(v, v, 2, 2, 2, 2);
    c20 = fma(a2, b0, c20);
    c21 = fma(a2, b1, c21);
    const a3 = v128.shuffle<f32>(v, v, 3, 3, 3, 3);
    c30 = fma(a3, b0, c30);
    c31 = fma(a3, b1, c31);
  }
  put(c, c00, c01, accumulate);
  c += ldc;
  put(c, c10, c11, accumulate);
  c += ldc;
  put(c, c20, c21, accumulate);
  c += ldc;
  put(c, c30, c31, accumulate);
}

/** Copies the valid `rows` x `columns` corner of a computed edge tile ([5, 8] at `tile`) to C. */
function putEdge(c: usize, ldc: usize, tile: usize, rows: i32, columns: i32, accumulate: bool): void {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      const p = c + <usize>r * ldc + (<usize>j << 2);
      const x = load<f32>(tile + (<usize>(r * NR + j) << 2));
      store<f32>(p, accumulate ? load<f32>(p) + x : x);
    }
  }
}

// @ts-ignore: decorator
@inline
function tileAt(
  c: usize, ldc: usize, panel: usize, aStep: usize, strip: usize, bStep: usize, rows: i32, columns: i32, k: i32, mr: i32,
  accumulate: bool, edge: usize,
): void {
  if (columns >= NR && rows >= mr) {
    if (mr == 5) tile5(k, panel, aStep, strip, bStep, c, ldc, accumulate);
    else tile4(k, panel, aStep, strip, bStep, c, ldc, accumulate);
  } else {
    if (mr == 5) tile5(k, panel, aStep, strip, bStep, edge, NR * 4, false);
    else tile4(k, panel, aStep, strip, bStep, edge, NR * 4, false);
    putEdge(c, ldc, edge, min(rows, mr), min(columns, NR), accumulate);
  }
}

/** Up to this depth all strips of a block fit the L1 cache: rows go first then, so that C is written in order. */
const SHALLOW: i32 = 32;

/**
 * C[m, n] (+)= A B over packed or strided operands, all steps in bytes. Panel i of A starts at a + i * aPanel, strip j
 * of B at b + j * bStrip. `edge` is room for one tile (160 bytes).
 */
export function multiplyBlock(
  c: usize, ldc: usize, a: usize, aPanel: usize, aStep: usize, b: usize, bStrip: usize, bStep: usize,
  m: i32, n: i32, k: i32, mr: i32, accumulate: bool, edge: usize,
): void {
  if (k <= SHALLOW) {
    for (let i = 0; i < m; i += mr, a += aPanel, c += <usize>mr * ldc) {
      let strip = b, out = c;
      for (let j = 0; j < n; j += NR, strip += bStrip, out += NR * 4) {
        tileAt(out, ldc, a, aStep, strip, bStep, m - i, n - j, k, mr, accumulate, edge);
      }
    }
    return;
  }
  for (let j = 0; j < n; j += NR, b += bStrip, c += NR * 4) {
    let panel = a, out = c;
    for (let i = 0; i < m; i += mr, panel += aPanel, out += <usize>mr * ldc) {
      tileAt(out, ldc, panel, aStep, b, bStep, m - i, n - j, k, mr, accumulate, edge);
    }
  }
}

/** Packs A[m, k] (row major, `lda` floats) into panels [m / mr][k][mr]; missing rows are zero. */
export function packRows(dst: usize, a: usize, lda: i32, m: i32, k: i32, mr: i32): void {
  const ld = <usize>lda << 2, step = <usize>mr << 2;
  for (let i = 0; i < m; i += mr, a += <usize>mr * ld) {
    const rows = min(mr, m - i);
    const a1 = rows > 1 ? a + ld : a, a2 = rows > 2 ? a1 + ld : a, a3 = rows > 3 ? a2 + ld : a;
    const a4 = rows > 4 ? a3 + ld : a;
    let x = 0;
    if (rows >= 4) {
      for (; x + 4 <= k; x += 4) {
        const o = <usize>x << 2;
        const r0 = v128.load(a + o), r1 = v128.load(a1 + o), r2 = v128.load(a2 + o), r3 = v128.load(a3 + o);
        const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
        const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
        v128.store(dst, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
        v128.store(dst + step, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
        v128.store(dst + 2 * step, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5));
        v128.store(dst + 3 * step, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7));
        if (mr == 5) {
          const r4 = rows > 4 ? v128.load(a4 + o) : f32x4.splat(0);
          v128.store_lane<f32>(dst, r4, 0, 16);
          v128.store_lane<f32>(dst + step, r4, 1, 16);
          v128.store_lane<f32>(dst + 2 * step, r4, 2, 16);
          v128.store_lane<f32>(dst + 3 * step, r4, 3, 16);
        }
        dst += 4 * step;
      }
    }
    for (; x < k; x++, dst += step) {
      for (let r = 0; r < mr; r++) {
        const value: f32 = r < rows ? load<f32>(a + <usize>r * ld + (<usize>x << 2)) : 0;
        store<f32>(dst + (<usize>r << 2), value);
      }
    }
  }
}

/** Packs the transpose of A[k, m] (row major, `lda` floats) into panels [m / mr][k][mr]; missing rows are zero. */
export function packColumns(dst: usize, a: usize, lda: i32, m: i32, k: i32, mr: i32): void {
  const ld = <usize>lda << 2, step = <usize>mr << 2;
  for (let i = 0; i < m; i += mr, a += step) {
    const rows = min(mr, m - i);
    let from = a;
    for (let x = 0; x < k; x++, from += ld, dst += step) {
      if (rows == mr) {
        v128.store(dst, v128.load(from));
        if (mr == 5) store<f32>(dst, load<f32>(from, 16), 16);
      } else {
        for (let r = 0; r < mr; r++) {
          store<f32>(dst + (<usize>r << 2), r < rows ? load<f32>(from + (<usize>r << 2)) : 0);
        }
      }
    }
  }
}

/** Packs strip `j` of the transpose of B[n, k] (row major, `ldb` floats) into [k][8]; missing columns are zero. */
export function packStripTransposed(dst: usize, b: usize, ldb: i32, n: i32, k: i32, j: i32): void {
  const ld = <usize>ldb << 2, first = j * NR, columns = min(NR, n - first);
  const from = b + <usize>first * ld;
  let x = 0;
  if (columns == NR) {
    for (; x + 4 <= k; x += 4, dst += 128) {
      for (let h = 0; h < 2; h++) {
        const p = from + (<usize>x << 2) + <usize>h * 4 * ld, out = dst + (<usize>h << 4);
        const r0 = v128.load(p), r1 = v128.load(p + ld), r2 = v128.load(p + 2 * ld), r3 = v128.load(p + 3 * ld);
        const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
        const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
        v128.store(out, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
        v128.store(out, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7), 32);
        v128.store(out, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5), 64);
        v128.store(out, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7), 96);
      }
    }
  }
  for (; x < k; x++, dst += NR * 4) {
    for (let r = 0; r < NR; r++) {
      const value: f32 = r < columns ? load<f32>(from + <usize>r * ld + (<usize>x << 2)) : 0;
      store<f32>(dst + (<usize>r << 2), value);
    }
  }
}

/** Bytes from strip to strip of k rows: one cache line more than it takes, or power-of-two depths would share sets. */
// @ts-ignore: decorator
@inline
export function stripBytes(k: i32): usize {
  return <usize>k * NR * 4 + 64;
}

/** Packs strips [begin, end) of B[k, n] (row major, `ldb` floats) into [strip][k][8]; missing columns are zero. */
export function packStrips(dst: usize, b: usize, ldb: i32, n: i32, k: i32, begin: i32, end: i32): void {
  const ld = <usize>ldb << 2, strip = stripBytes(k);
  for (let x = 0; x < k; x++, b += ld) {
    let out = dst + <usize>begin * strip + <usize>x * NR * 4, from = b + <usize>begin * NR * 4;
    for (let j = begin; j < end; j++, out += strip, from += NR * 4) {
      const columns = n - j * NR;
      if (columns >= NR) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
      } else {
        for (let r = 0; r < NR; r++) {
          store<f32>(out + (<usize>r << 2), r < columns ? load<f32>(from + (<usize>r << 2)) : 0);
        }
      }
    }
  }
}
