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
function epilogue(c: usize, ldc: usize, aux: usize, bias: usize, flags: i32, m: i32, n: i32): void {
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
      multiplyBlock(out, ld, panels, strips, strip, mm, nn, kk, k0 > 0 || (flags & ACCUMULATE) != 0, scratch);
    }
    const o = <usize>m0 * ld + (<usize>n0 << 2);
    epilogue(out, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + (<usize>n0 << 2), flags, mm, nn);
  }
}

/** Nine dot products: rows a .. a + 2 lda with rows b .. b + 2 ldb, k floats each, to C[3, 3]. Strides in bytes. */
function dot9(
  c: usize, ldc: usize, a: usize, lda: usize, b: usize, ldb: usize, rows: i32, columns: i32, k: i32, accumulate: bool,
): void {
  let a0 = a, a1 = rows > 1 ? a + lda : a, a2 = rows > 2 ? a + 2 * lda : a;
  let b0 = b, b1 = columns > 1 ? b + ldb : b, b2 = columns > 2 ? b + 2 * ldb : b;
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s02 = f32x4.splat(0);
  let s10 = f32x4.splat(0), s11 = f32x4.splat(0), s12 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s22 = f32x4.splat(0);
  const x = k & 3, end = a0 + (<usize>(k - x) << 2);
  while (a0 < end) {
    const p0 = v128.load(a0), p1 = v128.load(a1), p2 = v128.load(a2);
    const q0 = v128.load(b0);
    s00 = fma(p0, q0, s00);
    s10 = fma(p1, q0, s10);
    s20 = fma(p2, q0, s20);
    const q1 = v128.load(b1);
    s01 = fma(p0, q1, s01);
    s11 = fma(p1, q1, s11);
    s21 = fma(p2, q1, s21);
    const q2 = v128.load(b2);
    s02 = fma(p0, q2, s02);
    s12 = fma(p1, q2, s12);
    s22 = fma(p2, q2, s22);
    a0 += 16;
    a1 += 16;
    a2 += 16;
    b0 += 16;
    b1 += 16;
    b2 += 16;
  }
  for (let r = 0; r < rows; r++, c += ldc) {
    const v0 = r == 0 ? s00 : r == 1 ? s10 : s20, v1 = r == 0 ? s01 : r == 1 ? s11 : s21, v2 = r == 0 ? s02 : r == 1 ? s12 : s22;
    const p = r == 0 ? a0 : r == 1 ? a1 : a2;
    for (let j = 0; j < columns; j++) {
      const q = j == 0 ? b0 : j == 1 ? b1 : b2, o = c + (<usize>j << 2);
      let sum = sumLanes(j == 0 ? v0 : j == 1 ? v1 : v2);
      for (let y = 0; y < x; y++) sum += load<f32>(p + (<usize>y << 2)) * load<f32>(q + (<usize>y << 2));
      store<f32>(o, accumulate ? load<f32>(o) + sum : sum);
    }
  }
}

/**
 * C[m, n] (+)= A[m, k] B[n, k]^T by dot products, for few rows: streams B once, unpacked. Epilogue as gemm.
 * Range: blocks of `nc` columns (rows of B).
 */
export function gemm_dot(
  c: usize, a: usize, b: usize, bias: usize, aux: usize, ldc: i32, lda: i32, ldb: i32, m: i32, n: i32, k: i32, nc: i32, flags: i32,
  begin: i32, end: i32,
): void {
  const ld = <usize>ldc << 2;
  for (let unit = begin; unit < end; unit++) {
    const n0 = unit * nc, nn = min(nc, n - n0), o = <usize>n0 << 2;
    for (let j = 0; j < nn; j += 3) {
      const from = b + (<usize>(n0 + j) * ldb << 2);
      for (let i = 0; i < m; i += 3) {
        dot9(
          c + <usize>i * ld + o + (<usize>j << 2), ld, a + (<usize>i * lda << 2), <usize>lda << 2, from, <usize>ldb << 2,
          min(3, m - i), min(3, nn - j), k, (flags & ACCUMULATE) != 0,
        );
      }
    }
    epilogue(c + o, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + o, flags, m, nn);
  }
}
