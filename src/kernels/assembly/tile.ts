// The innermost matrix product: C tile (+)= A panel * B strip, and the packing of panels and strips.
//
//   A panel: 5 rows, per 4 steps of k: [4][rows 0-3], then row 4's 4 values    B strip: [k][8]    C tile: 5 x 8
//
// 5 x 8 is the largest tile whose accumulators and operands fit the 15 vector registers that V8 allocates. Rows 0 to 3
// are one vector that turns by a lane between products: C's diagonals are summed, and put in order at the end. k is
// rounded up to 4, with zeros. Sums run along k in order for every element: edges and thread counts do not change bits.
//
// Where there is no guard page behind the memory (Deno), V8 checks the bounds of every load with a compare and a branch.
// Intel cores before Ice Lake do not cache the decoded form of a 32-byte line of code in which such a branch crosses or
// meets the line's end: 27 instead of 40 GFLOPS at 3 GHz. The order of the loop below keeps every branch off those ends
// (scripts/branch_lines.ts tells), which is why Binaryen must not reorder it: see scripts/build_kernels.ts.

import { fma } from "./simd";

/** Rows and columns of a tile, and the steps of k that are done at once. */
export const MR: i32 = 5, NR: i32 = 8, KR: i32 = 4;

/** k rounded up to whole steps. */
// @ts-ignore: decorator
@inline
export function wholeDepth(k: i32): i32 {
  return (k + KR - 1) & -KR;
}

/** Bytes of a panel of depth k. */
// @ts-ignore: decorator
@inline
export function panelBytes(k: i32): usize {
  return <usize>wholeDepth(k) * MR * 4;
}

/** Bytes from strip to strip of depth k: a cache line more than it takes, or power-of-two depths would share sets. */
// @ts-ignore: decorator
@inline
export function stripBytes(k: i32): usize {
  return <usize>wholeDepth(k) * NR * 4 + 64;
}

/** All lanes of v moved down by one: (1, 2, 3, 0). */
// @ts-ignore: decorator
@inline
export function turn(v: v128): v128 {
  return v128.shuffle<f32>(v, v, 1, 2, 3, 0);
}

// @ts-ignore: decorator
@inline
function put(c: usize, lo: v128, hi: v128, accumulate: bool): void {
  if (accumulate) {
    lo = f32x4.add(v128.load(c), lo);
    hi = f32x4.add(v128.load(c, 16), hi);
  }
  v128.store(c, lo);
  v128.store(c, hi, 16);
}

/** (x0, y1, x2, y3) */
// @ts-ignore: decorator
@inline
export function evenOdd(x: v128, y: v128): v128 {
  return v128.shuffle<f32>(x, y, 0, 5, 2, 7);
}

/** (x0, x1, y2, y3) */
// @ts-ignore: decorator
@inline
export function lowHigh(x: v128, y: v128): v128 {
  return v128.shuffle<f32>(x, y, 0, 1, 6, 7);
}

/** Puts rows 0 to 3 of a tile, whose diagonals were summed; returns where row 4 goes. */
// @ts-ignore: decorator
@inline
function putDiagonals(
  c: usize, ldc: usize, c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128, accumulate: bool,
): usize {
  const e00 = evenOdd(c00, c30), e10 = evenOdd(c10, c00), e20 = evenOdd(c20, c10), e30 = evenOdd(c30, c20);
  const e01 = evenOdd(c01, c31), e11 = evenOdd(c11, c01), e21 = evenOdd(c21, c11), e31 = evenOdd(c31, c21);
  put(c, lowHigh(e00, e20), lowHigh(e01, e21), accumulate);
  c += ldc;
  put(c, lowHigh(e10, e30), lowHigh(e11, e31), accumulate);
  c += ldc;
  put(c, lowHigh(e20, e00), lowHigh(e21, e01), accumulate);
  c += ldc;
  put(c, lowHigh(e30, e10), lowHigh(e31, e11), accumulate);
  return c + ldc;
}

/** C[5, 8] (+)= A B over a packed panel and strip of depth k, a multiple of 4; `ldc` in bytes. */
function tile(k: i32, a: usize, b: usize, c: usize, ldc: usize, accumulate: bool): void {
  // cd0 and cd1: lane i of diagonal d < 4 is C[(i + d) % 4][i], for columns 0-3 and 4-7; c40 and c41 are row 4.
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0), c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0), c40 = f32x4.splat(0), c41 = f32x4.splat(0);
  let d = b + 64; // the second half of B's four rows: small offsets are shared with A's
  for (const end = a + <usize>k * 20; a < end; a += 80, b += 128, d += 128) {
    const w = v128.load(a, 64); const s0 = v128.shuffle<f32>(w, w, 0, 0, 0, 0); const p0 = v128.load(b);
    let v0 = v128.load(a); c00 = fma(v0, p0, c00); c40 = fma(s0, p0, c40); const q0 = v128.load(b, 16);
    c01 = fma(v0, q0, c01);
    v0 = turn(v0); c41 = fma(s0, q0, c41); const q1 = v128.load(b, 48); c10 = fma(v0, p0, c10);
    c11 = fma(v0, q0, c11);
    v0 = turn(v0); c21 = fma(v0, q0, c21); c20 = fma(v0, p0, c20);
    v0 = turn(v0); c30 = fma(v0, p0, c30); c31 = fma(v0, q0, c31); const p1 = v128.load(b, 32);
    const p2 = v128.load(d); const s1 = v128.shuffle<f32>(w, w, 1, 1, 1, 1); c41 = fma(s1, q1, c41);
    c40 = fma(s1, p1, c40);
    let v1 = v128.load(a, 16); c00 = fma(v1, p1, c00); c01 = fma(v1, q1, c01);
    v1 = turn(v1); c10 = fma(v1, p1, c10); c11 = fma(v1, q1, c11);
    v1 = turn(v1); c20 = fma(v1, p1, c20); c21 = fma(v1, q1, c21);
    v1 = turn(v1); c30 = fma(v1, p1, c30); c31 = fma(v1, q1, c31); const s3 = v128.shuffle<f32>(w, w, 3, 3, 3, 3);
    const q2 = v128.load(d, 16); const s2 = v128.shuffle<f32>(w, w, 2, 2, 2, 2); c41 = fma(s2, q2, c41);
    c40 = fma(s2, p2, c40); const p3 = v128.load(d, 32);
    let v2 = v128.load(a, 32); c01 = fma(v2, q2, c01); c00 = fma(v2, p2, c00); c40 = fma(s3, p3, c40);
    v2 = turn(v2); c11 = fma(v2, q2, c11); c10 = fma(v2, p2, c10);
    v2 = turn(v2); c20 = fma(v2, p2, c20); c21 = fma(v2, q2, c21);
    v2 = turn(v2); c31 = fma(v2, q2, c31); c30 = fma(v2, p2, c30);
    let v3 = v128.load(a, 48); const q3 = v128.load(d, 48); c00 = fma(v3, p3, c00); c01 = fma(v3, q3, c01);
    c41 = fma(s3, q3, c41);
    v3 = turn(v3); c11 = fma(v3, q3, c11); c10 = fma(v3, p3, c10);
    v3 = turn(v3); c20 = fma(v3, p3, c20); c21 = fma(v3, q3, c21);
    v3 = turn(v3); c31 = fma(v3, q3, c31); c30 = fma(v3, p3, c30);
  }
  c = putDiagonals(c, ldc, c00, c01, c10, c11, c20, c21, c30, c31, accumulate);
  put(c, c40, c41, accumulate);
}

/** Copies the valid `rows` x `columns` corner of a computed edge tile ([5, 8] at `from`) to C. */
function putEdge(c: usize, ldc: usize, from: usize, rows: i32, columns: i32, accumulate: bool): void {
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++) {
      const p = c + <usize>r * ldc + (<usize>j << 2);
      const x = load<f32>(from + (<usize>(r * NR + j) << 2));
      store<f32>(p, accumulate ? load<f32>(p) + x : x);
    }
  }
}

// @ts-ignore: decorator
@inline
function tileAt(
  c: usize, ldc: usize, panel: usize, strip: usize, rows: i32, columns: i32, k: i32, accumulate: bool, edge: usize,
): void {
  if (columns >= NR && rows >= MR) {
    tile(k, panel, strip, c, ldc, accumulate);
  } else {
    tile(k, panel, strip, edge, NR * 4, false);
    putEdge(c, ldc, edge, min(rows, MR), min(columns, NR), accumulate);
  }
}

/** Up to this depth all strips of a block fit the L1 cache: rows go first then, so that C is written in order. */
const SHALLOW: i32 = 32;

/**
 * C[m, n] (+)= A B over packed operands: panels of A one after another, strips of B `bStrip` bytes apart. Rows of C are
 * `ldc`, its strips of 8 columns `cStrip` bytes apart. `edge` is room for one tile (160 bytes).
 */
export function multiplyBlock(
  c: usize, ldc: usize, cStrip: usize, a: usize, b: usize, bStrip: usize, m: i32, n: i32, k: i32, accumulate: bool, edge: usize,
): void {
  const depth = wholeDepth(k), panel = panelBytes(k);
  if (k <= SHALLOW) {
    for (let i = 0; i < m; i += MR, a += panel, c += MR * ldc) {
      let strip = b, out = c;
      for (let j = 0; j < n; j += NR, strip += bStrip, out += cStrip) {
        tileAt(out, ldc, a, strip, m - i, n - j, depth, accumulate, edge);
      }
    }
    return;
  }
  for (let j = 0; j < n; j += NR, b += bStrip, c += cStrip) {
    let from = a, out = c;
    for (let i = 0; i < m; i += MR, from += panel, out += MR * ldc) {
      tileAt(out, ldc, from, b, m - i, n - j, depth, accumulate, edge);
    }
  }
}

/** Packs A[m, k] (row major, `lda` floats) into panels; missing rows are zero. */
export function packRows(dst: usize, a: usize, lda: i32, m: i32, k: i32): void {
  const ld = <usize>lda << 2;
  for (let i = 0; i < m; i += MR, a += MR * ld) {
    const rows = min(MR, m - i);
    let x = 0;
    if (rows == MR) {
      for (; x + 4 <= k; x += 4, dst += 80) {
        const p = a + (<usize>x << 2), q = p + 2 * ld;
        const r0 = v128.load(p), r1 = v128.load(p + ld), r2 = v128.load(q), r3 = v128.load(q + ld);
        storeTransposed(dst, 16, r0, r1, r2, r3);
        v128.store(dst, v128.load(q + 2 * ld), 64);
      }
    }
    for (; x < k; x += KR, dst += 80) packEdge(dst, a + (<usize>x << 2), ld, 4, rows, k - x);
  }
}

/** Packs the transpose of A[k, m] (row major, `lda` floats) into panels; missing rows are zero. */
export function packColumns(dst: usize, a: usize, lda: i32, m: i32, k: i32): void {
  const ld = <usize>lda << 2;
  for (let i = 0; i < m; i += MR, a += MR * 4) {
    const rows = min(MR, m - i);
    let x = 0, p = a;
    if (rows == MR) {
      for (; x + 4 <= k; x += 4, p += 4 * ld, dst += 80) {
        const q = p + 2 * ld;
        v128.store(dst, v128.load(p));
        v128.store(dst, v128.load(p + ld), 16);
        v128.store(dst, v128.load(q), 32);
        v128.store(dst, v128.load(q + ld), 48);
        store<f32>(dst, load<f32>(p, 16), 64);
        store<f32>(dst, load<f32>(p + ld, 16), 68);
        store<f32>(dst, load<f32>(q, 16), 72);
        store<f32>(dst, load<f32>(q + ld, 16), 76);
      }
    }
    for (; x < k; x += KR, p += 4 * ld, dst += 80) packEdge(dst, p, 4, ld, rows, k - x);
  }
}

/** Packs rows [0, m) of a matrix that stands in strips (columns [0, n), `strip` bytes apart) into panels of depth n. */
export function packStripRows(dst: usize, strips: usize, strip: usize, m: i32, n: i32): void {
  for (let i = 0; i < m; i += MR, strips += MR * NR * 4) {
    const rows = min(MR, m - i);
    let p = strips;
    for (let x = 0; x < n; x += NR, p += strip, dst += 160) {
      if (rows == MR && n - x > KR) {
        storeTransposed(dst, 16, v128.load(p), v128.load(p, 32), v128.load(p, 64), v128.load(p, 96));
        v128.store(dst, v128.load(p, 128), 64);
        storeTransposed(dst + 80, 16, v128.load(p, 16), v128.load(p, 48), v128.load(p, 80), v128.load(p, 112));
        v128.store(dst, v128.load(p, 144), 144);
      } else {
        packEdge(dst, p, NR * 4, 4, rows, n - x);
        if (n - x > KR) packEdge(dst + 80, p + 16, NR * 4, 4, rows, n - x - KR);
        else dst -= 80;
      }
    }
  }
}

/** Packs up to 4 steps of a panel from A, whose rows and columns are `rowStep` and `columnStep` bytes apart. */
function packEdge(dst: usize, a: usize, rowStep: usize, columnStep: usize, rows: i32, k: i32): void {
  for (let r = 0; r < MR; r++) {
    for (let x = 0; x < KR; x++) {
      const value: f32 = r < rows && x < k ? load<f32>(a + <usize>r * rowStep + <usize>x * columnStep) : 0;
      store<f32>(dst + (<usize>(r < 4 ? x * 4 + r : 16 + x) << 2), value);
    }
  }
}

/** Stores the transpose of the 4 x 4 block of rows r0 to r3, its rows `step` bytes apart. */
// @ts-ignore: decorator
@inline
export function storeTransposed(dst: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(dst, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
  v128.store(dst + step, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7));
  v128.store(dst + 2 * step, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5));
  v128.store(dst + 3 * step, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7));
}

/** Packs strip `j` of the transpose of B[n, k] (row major, `ldb` floats); missing columns are zero. */
export function packStripTransposed(dst: usize, b: usize, ldb: i32, n: i32, k: i32, j: i32): void {
  const ld = <usize>ldb << 2, first = j * NR, columns = min(NR, n - first), depth = wholeDepth(k);
  const from = b + <usize>first * ld;
  let x = 0;
  if (columns == NR) {
    for (; x + 4 <= k; x += 4, dst += 128) {
      const p = from + (<usize>x << 2), q = p + 2 * ld, r = q + 2 * ld, s = r + 2 * ld;
      storeTransposed(dst, 32, v128.load(p), v128.load(p + ld), v128.load(q), v128.load(q + ld));
      storeTransposed(dst + 16, 32, v128.load(r), v128.load(r + ld), v128.load(s), v128.load(s + ld));
    }
  }
  for (; x < depth; x++, dst += NR * 4) {
    for (let r = 0; r < NR; r++) {
      const value: f32 = r < columns && x < k ? load<f32>(from + <usize>r * ld + (<usize>x << 2)) : 0;
      store<f32>(dst + (<usize>r << 2), value);
    }
  }
}

/**
 * Packs strips [begin, end) of B[k, n] (row major, `ldb` floats), stripBytes apart; missing columns are zero. Goes by
 * rows: long runs of loads are what memory gives fastest.
 */
export function packStrips(dst: usize, b: usize, ldb: i32, n: i32, k: i32, begin: i32, end: i32): void {
  const ld = <usize>ldb << 2, strip = stripBytes(k), whole = min(end, n / NR), used = <usize>k * NR * 4;
  for (let j = begin; j < end; j++) {
    const rest = dst + <usize>j * strip;
    padStrip(rest, k);
    if (j >= whole) packEdgeStrip(rest, b + <usize>j * NR * 4, ld, n - j * NR, k);
  }
  const width = <usize>max(0, whole - begin) * NR * 4;
  let row = dst + <usize>begin * strip, from = b + <usize>begin * NR * 4;
  for (const last = row + used; row < last; row += NR * 4, from += ld) {
    let out = row;
    for (let p = from, stop = from + width; p < stop; p += NR * 4, out += strip) {
      v128.store(out, v128.load(p));
      v128.store(out, v128.load(p, 16), 16);
    }
  }
}

/** Zeroes what rounds a strip of depth k up to whole steps. */
export function padStrip(strip: usize, k: i32): void {
  for (let p = strip + <usize>k * NR * 4, end = strip + <usize>wholeDepth(k) * NR * 4; p < end; p += 16) {
    v128.store(p, f32x4.splat(0));
  }
}

/** Packs a strip of fewer than 8 columns; the missing ones are zero. */
function packEdgeStrip(dst: usize, b: usize, ld: usize, columns: i32, k: i32): void {
  for (let x = 0; x < k; x++, b += ld, dst += NR * 4) {
    for (let r = 0; r < NR; r++) store<f32>(dst + (<usize>r << 2), r < columns ? load<f32>(b + (<usize>r << 2)) : 0);
  }
}
