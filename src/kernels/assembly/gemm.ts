// Matrix products of the linear layers, on the tiles of tile.ts:  C[m, n] (+)= op(A) op(B), with a fused epilogue.
// Blocking after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).

import { activateRow } from "./activation";
import { MR, multiplyBlock, NR, packColumns, packRows, packStrips, packStripTransposed, panelBytes, stripBytes } from "./tile";

/** Flags of gemm and gemm_dot; the activation's number stands from bit 5 on. */
export const ACCUMULATE = 1, TRANSPOSE_A = 2, MULTIPLY_AUX = 4, PACK_B = 8;

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
 * it stands in memory, `ldb` floats a row, and each thread packs it in its first range.
 * k is cut in blocks of kc, a multiple of 4. Range: blocks of mc x nc of C, rows first.
 */
export function gemm(
  c: usize, a: usize, b: usize, bias: usize, aux: usize, ldc: i32, lda: i32, ldb: i32,
  m: i32, n: i32, k: i32, mc: i32, nc: i32, kc: i32, flags: i32, scratch: usize, fresh: bool, begin: i32, end: i32,
): void {
  const rowBlocks = (m + mc - 1) / mc, ld = <usize>ldc << 2;
  const panels = scratch + 256; // the first bytes hold one edge tile
  const packed = panels + <usize>((mc + MR - 1) / MR) * panelBytes(kc), strip = stripBytes(k);
  const strips = flags & PACK_B ? packed : b;
  if (fresh && flags & PACK_B) packStrips(packed, b, ldb, n, k, 0, (n + NR - 1) / NR);
  for (let unit = begin; unit < end; unit++) {
    const m0 = unit % rowBlocks * mc, n0 = unit / rowBlocks * nc;
    const mm = min(mc, m - m0), nn = min(nc, n - n0);
    const out = c + <usize>m0 * ld + (<usize>n0 << 2);
    for (let k0 = 0; k0 < k; k0 += kc) {
      const kk = min(kc, k - k0);
      if (flags & TRANSPOSE_A) packColumns(panels, a + ((<usize>k0 * lda + m0) << 2), lda, mm, kk);
      else packRows(panels, a + ((<usize>m0 * lda + k0) << 2), lda, mm, kk);
      multiplyBlock(
        out, ld, NR * 4, panels, strips + <usize>(n0 / NR) * strip + <usize>k0 * NR * 4, strip, mm, nn, kk,
        k0 > 0 || (flags & ACCUMULATE) != 0, scratch,
      );
    }
    const o = <usize>m0 * ld + (<usize>n0 << 2);
    epilogue(out, ld, aux == 0 ? 0 : aux + o, bias == 0 ? 0 : bias + (<usize>n0 << 2), flags, mm, nn);
  }
}
