// Matrix products of the linear layers, on the tiles of tile.ts:  C[m, n] (+)= op(A) op(B), with a fused epilogue.
// Blocking after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).

import { activateRow } from "./activation";
import { fma, sumLanes } from "./simd";
import {
  MR, multiplyBlock, NR, packColumns, packRows, packStrips, packStripTransposed, panelBytes, stripBytes,
} from "./tile";

/** Flags of gemm and gemm_dot; the activation's number stands from bit 5 on. */
export const ACCUMULATE = 1, TRANSPOSE_A = 2, MULTIPLY_AUX = 4, PACK_B = 8, TRANSPOSE_B = 16;

/** Packs B into strips [n / 8][k][8] (stripBytes apart): B[k, n], or B[n, k] if `transposed`. Range: strips. */
export function gemm_pack(
  packed: usize, b: usize, ldb: i32, transposed: i32, n: i32, k: i32, begin: i32, end: i32,
): void {
  if (transposed) {
    for (let j = begin; j < end; j++) packStripTransposed(packed + <usize>j * stripBytes(k), b, ldb, n, k, j);
  } else {
    packStrips(packed, b, ldb, n, k, begin, end);
  }
}

/** Adds the bias, multiplies by aux or activates (slope to aux): a block of rows in cache. */
export function epilogue(c: usize, ldc: usize, aux: usize, bias: usize, flags: i32, m: i32, n: i32): void {
  const kind = flags >> 5;
  if (bias == 0 && kind == 0 && !(flags & MULTIPLY_AUX)) return;
  for (let i = 0; i < m; i++, c += ldc, aux = aux == 0 ? 0 : aux + ldc) {
    if (bias != 0) {
      let j = 0;
      for (; j + 4 <= n; j += 4) {
        const o = <usize>j << 2;
        v128.store(c + o, f32x4.add(v128.load(c + o), v128.load(bias + o)));
      }
      for (; j < n; j++) store<f32>(c + (<usize>j << 2), load<f32>(c + (<usize>j << 2)) + load<f32>(bias + (<usize>j << 2)));
    }
    if (flags & MULTIPLY_AUX) {
      let j = 0;
      for (; j + 4 <= n; j += 4) {
        const o = <usize>j << 2;
        v128.store(c + o, f32x4.mul(v128.load(c + o), v128.load(aux + o)));
      }
      for (; j < n; j++) store<f32>(c + (<usize>j << 2), load<f32>(c + (<usize>j << 2)) * load<f32>(aux + (<usize>j << 2)));
    } else if (kind) {
      activateRow(kind, c, aux, n);
    }
  }
}

/**
 * C[m, n] (+)= op(A) op(B), then bias[n], activation (slope to aux) or multiplication by aux.
 * op(A) is A[m, k], or the transpose of A[k, m] with TRANSPOSE_A. B is strips of gemm_pack; with PACK_B it is B[k, n] as
 * it stands in memory (B[n, k] with TRANSPOSE_B), `ldb` floats a row, and each unit packs its own block.
 * k is cut in blocks of kc, a multiple of 4. Range: blocks of mc x nc of C, rows first.
 */
export function gemm(
  c: usize, a: usize, b: usize, bias: usize, aux: usize, ldc: i32, lda: i32, ldb: i32,
  m: i32, n: i32, k: i32, mc: i32, nc: i32, kc: i32, flags: i32, scratch: usize, begin: i32, end: i32,
): void {
  const rowBlocks = (m + mc - 1) / mc, ld = <usize>ldc << 2;
  const panels = scratch + 256; // the first bytes hold one edge tile
  const packed = panels + <usize>((mc + MR - 1) / MR) * panelBytes(kc);
  for (let unit = begin; unit < end; unit++) {
    const m0 = unit % rowBlocks * mc, n0 = unit / rowBlocks * nc;
    const mm = min(mc, m - m0), nn = min(nc, n - n0);
    const out = c + <usize>m0 * ld + (<usize>n0 << 2);
    for (let k0 = 0; k0 < k; k0 += kc) {
      const kk = min(kc, k - k0);
      if (flags & TRANSPOSE_A) packColumns(panels, a + ((<usize>k0 * lda + m0) << 2), lda, mm, kk);
      else packRows(panels, a + ((<usize>m0 * lda + k0) << 2), lda, mm, kk);
      let strips = packed, strip = stripBytes(kk);
      if (!(flags & PACK_B)) {
        strip = stripBytes(k);
        strips = b + <usize>(n0 / NR) * strip + <usize>k0 * NR * 4;
      } else if (flags & TRANSPOSE_B) {
        const from = b + ((<usize>n0 * ldb + k0) << 2);
        for (let j = 0; j * NR < nn; j++) packStripTransposed(packed + <usize>j * strip, from, ldb, nn, kk, j);
      } else {
        packStrips(packed, b + ((<usize>k0 * ldb + n0) << 2), ldb, nn, kk, 0, (nn + NR - 1) / NR);
      }
      multiplyBlock(out, ld, NR * 4, panels, strips, strip, mm, nn, kk, k0 > 0 || (flags & ACCUMULATE) != 0, scratch);
    }
    const o = <usize>m0 * ld + (<usize>n0 << 2);
    epilogue(out, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + (<usize>n0 << 2), flags, mm, nn);
  }
}

/**
 * A[m, k] B[k, n] for few rows in slices of `ks` along k, to partials[slice][m, n]: each slice reads whole rows of B, one
 * after another, which memory gives fastest. B is packed kc rows at a time. Range: slices.
 */
export function gemm_slices(
  partials: usize, a: usize, b: usize, lda: i32, ldb: i32, m: i32, n: i32, k: i32, ks: i32, kc: i32, scratch: usize, begin: i32, end: i32,
): void {
  for (let slice = begin; slice < end; slice++) {
    const k0 = slice * ks, out = partials + (<usize>(slice * m) * n << 2);
    gemm(
      out, a + (<usize>k0 << 2), b + (<usize>k0 * ldb << 2), 0, 0, n, lda, ldb, m, n, min(ks, k - k0), m, n, kc, PACK_B, scratch, 0, 1,
    );
  }
}

/** C[m, n] (+)= the sum of partials[slices][m, n], in order, then gemm's epilogue. Range: blocks of 64 columns. */
export function gemm_slices_sum(
  c: usize, partials: usize, bias: usize, aux: usize, m: i32, n: i32, slices: i32, flags: i32, begin: i32, end: i32,
): void {
  const first = begin << 6, count = min(end << 6, n) - first, ld = <usize>n << 2, step = <usize>m * ld;
  const o = <usize>first << 2;
  for (let i = 0; i < m; i++) {
    const out = c + <usize>i * ld + o, from = partials + <usize>i * ld + o;
    let j = 0;
    for (; j + 4 <= count; j += 4) {
      const x = <usize>j << 2;
      let sum = v128.load(from + x);
      for (let s = 1, p = from + x + step; s < slices; s++, p += step) sum = f32x4.add(sum, v128.load(p));
      v128.store(out + x, flags & ACCUMULATE ? f32x4.add(v128.load(out + x), sum) : sum);
    }
    for (; j < count; j++) {
      const x = <usize>j << 2;
      let sum = load<f32>(from + x);
      for (let s = 1, p = from + x + step; s < slices; s++, p += step) sum += load<f32>(p);
      store<f32>(out + x, flags & ACCUMULATE ? load<f32>(out + x) + sum : sum);
    }
  }
  epilogue(c + o, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + o, flags, m, count);
}

/**
 * Floats that all rows of A go over before the next ones of B are read: while the second and later rows find theirs in the
 * cache, memory brings the next.
 */
const DOT_CHUNK: i32 = 128;

/**
 * The dot products of k floats, k a multiple of 8, of A's rows with the rows b, b + ldb1, b + ldb2, three by three, as
 * four partial sums each: sums[m / 3][3, 3, 4], added to what is there with `more`. Strides in bytes. The order of the loop keeps its bounds checks off the
 * ends of code lines, as in tile.ts: 15 -> 27 GFLOPS.
 */
function dotRows(
  sums: usize, m: i32, k: i32, a: usize, lda: usize, b: usize, ldb1: usize, ldb2: usize, more: bool,
): void {
  for (let i = 0; i < m; i += 3, a += 3 * lda, sums += 144) {
    let a0 = a, a1 = i + 1 < m ? a + lda : a, a2 = i + 2 < m ? a1 + lda : a1;
    let b0 = b, b1 = b + ldb1, b2 = b + ldb2;
    let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s02 = f32x4.splat(0);
    let s10 = f32x4.splat(0), s11 = f32x4.splat(0), s12 = f32x4.splat(0);
    let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s22 = f32x4.splat(0);
    if (more) {
      s00 = v128.load(sums);
      s01 = v128.load(sums, 16);
      s02 = v128.load(sums, 32);
      s10 = v128.load(sums, 48);
      s11 = v128.load(sums, 64);
      s12 = v128.load(sums, 80);
      s20 = v128.load(sums, 96);
      s21 = v128.load(sums, 112);
      s22 = v128.load(sums, 128);
    }
    for (const end = a0 + (<usize>k << 2); a0 < end; a0 += 32, a1 += 32, a2 += 32, b0 += 32, b1 += 32, b2 += 32) {
      const p02 = v128.load(a2); const q01 = v128.load(b1); const p00 = v128.load(a0); s21 = fma(p02, q01, s21);
      s01 = fma(p00, q01, s01); const q00 = v128.load(b0); s20 = fma(p02, q00, s20); s00 = fma(p00, q00, s00);
      const p10 = v128.load(a0, 16); const q02 = v128.load(b2); s02 = fma(p00, q02, s02);
      const p01 = v128.load(a1); s22 = fma(p02, q02, s22); s11 = fma(p01, q01, s11);
      const q12 = v128.load(b2, 16); s10 = fma(p01, q00, s10); s12 = fma(p01, q02, s12); s02 = fma(p10, q12, s02);
      const p12 = v128.load(a2, 16); s22 = fma(p12, q12, s22); const q11 = v128.load(b1, 16);
      s21 = fma(p12, q11, s21); s01 = fma(p10, q11, s01); const p11 = v128.load(a1, 16); s12 = fma(p11, q12, s12);
      s11 = fma(p11, q11, s11); const q10 = v128.load(b0, 16); s20 = fma(p12, q10, s20); s10 = fma(p11, q10, s10);
      s00 = fma(p10, q10, s00);
    }
    v128.store(sums, s00);
    v128.store(sums, s01, 16);
    v128.store(sums, s02, 32);
    v128.store(sums, s10, 48);
    v128.store(sums, s11, 64);
    v128.store(sums, s12, 80);
    v128.store(sums, s20, 96);
    v128.store(sums, s21, 112);
    v128.store(sums, s22, 128);
  }
}

/** C[m, columns] (+)= A B^T for at most three rows of B, `apart` rows apart, by dot products of k floats; `ldb` in bytes. */
function dotStrip(
  c: usize, ldc: usize, a: usize, lda: usize, b: usize, ldb: usize, m: i32, columns: i32, apart: i32, k: i32, accumulate: bool, sums: usize,
): void {
  const whole = k & ~7, step = <usize>apart * ldb, ldb1 = columns > 1 ? step : 0;
  for (let x = 0; x == 0 || x < whole; x += DOT_CHUNK) {
    const o = <usize>x << 2;
    dotRows(sums, m, min(DOT_CHUNK, whole - x), a + o, lda, b + o, ldb1, columns > 2 ? 2 * step : ldb1, x > 0);
  }
  for (let i = 0; i < m; i++, c += ldc, a += lda, sums += 48) {
    for (let j = 0; j < columns; j++) {
      const q = b + <usize>j * step, o = c + (<usize>(j * apart) << 2);
      let sum = sumLanes(v128.load(sums + (<usize>j << 4)));
      for (let y = whole; y < k; y++) sum += load<f32>(a + (<usize>y << 2)) * load<f32>(q + (<usize>y << 2));
      store<f32>(o, accumulate ? load<f32>(o) + sum : sum);
    }
  }
}

/**
 * C[m, n] (+)= A[m, k] B[n, k]^T by dot products, for few rows: streams B once, unpacked, from three
 * places at a time, which memory gives faster than one. Epilogue as gemm.
 * Range: blocks of `nc` columns (rows of B).
 */
export function gemm_dot(
  c: usize, a: usize, b: usize, bias: usize, aux: usize, ldc: i32, lda: i32, ldb: i32, m: i32, n: i32, k: i32, nc: i32, flags: i32,
  scratch: usize, begin: i32, end: i32,
): void {
  const ld = <usize>ldc << 2;
  for (let unit = begin; unit < end; unit++) {
    const n0 = unit * nc, nn = min(nc, n - n0), o = <usize>n0 << 2;
    const apart = (nn + 2) / 3;
    for (let j = 0; j < apart; j++) {
      dotStrip(
        c + o + (<usize>j << 2), ld, a, <usize>lda << 2, b + (<usize>(n0 + j) * ldb << 2), <usize>ldb << 2, m,
        (nn - j + apart - 1) / apart, apart, k, (flags & ACCUMULATE) != 0, scratch,
      );
    }
    epilogue(c + o, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + o, flags, m, nn);
  }
}
