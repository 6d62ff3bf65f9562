// Products of many matrices of one shape:  C_i[m, n] = op(A_i) op(B_i) + bias[n],  on the tiles of tile.ts.
// Where each matrix starts stands in a table, and rows have strides, so that batches may repeat (broadcasting) and heads
// of attention are read and written where they are.

import {
  MR, multiplyBlock, NR, packColumns, packRows, packStrips, packStripTransposed, panelBytes, stripBytes,
} from "./tile";

/** Flags of batch_matmul. */
const TRANSPOSE_A = 1, TRANSPOSE_B = 2;

function addBias(c: usize, ldc: usize, bias: usize, m: i32, n: i32): void {
  for (let i = 0; i < m; i++, c += ldc) {
    let p = c, b = bias;
    for (const end = c + (<usize>(n & ~3) << 2); p < end; p += 16, b += 16) {
      v128.store(p, f32x4.add(v128.load(p), v128.load(b)));
    }
    for (const end = c + (<usize>n << 2); p < end; p += 4, b += 4) store<f32>(p, load<f32>(p) + load<f32>(b));
  }
}

/**
 * `starts` [count, 3] i32: where C_i, A_i and B_i start, in floats from `c`, `a` and `b`. Leading dimensions in floats.
 * `bias` may be 0. Blocks of mc x nc, k in blocks of kc, a multiple of 4. Range: blocks of one matrix after another, rows first.
 */
export function batch_matmul(
  c: usize, a: usize, b: usize, bias: usize, starts: usize, ldc: i32, lda: i32, ldb: i32, m: i32, n: i32, k: i32,
  mc: i32, nc: i32, kc: i32, flags: i32, scratch: usize, begin: i32, end: i32,
): void {
  const rowBlocks = (m + mc - 1) / mc, blocks = rowBlocks * ((n + nc - 1) / nc), ld = <usize>ldc << 2;
  const panels = scratch + 256; // the first bytes hold one edge tile
  const packed = panels + <usize>((mc + MR - 1) / MR) * panelBytes(kc);
  let inStrips: i32 = -1; // the block of B that stands packed, if k is one block
  for (let unit = begin; unit < end; unit++) {
    const start = starts + <usize>(unit / blocks) * 12, block = unit % blocks, columns = unit / rowBlocks;
    const m0 = block % rowBlocks * mc, n0 = block / rowBlocks * nc, mm = min(mc, m - m0), nn = min(nc, n - n0);
    const out = c + ((<usize>load<i32>(start) + <usize>m0 * ldc + n0) << 2);
    const aa = a + (<usize>load<i32>(start, 4) << 2), bb = b + (<usize>load<i32>(start, 8) << 2);
    for (let k0 = 0; k0 < k; k0 += kc) {
      const kk = min(kc, k - k0);
      if (flags & TRANSPOSE_A) packColumns(panels, aa + ((<usize>k0 * lda + m0) << 2), lda, mm, kk);
      else packRows(panels, aa + ((<usize>m0 * lda + k0) << 2), lda, mm, kk);
      const strip = stripBytes(kk);
      if (kk < k || inStrips != columns) {
        const count = (nn + NR - 1) / NR;
        if (flags & TRANSPOSE_B) {
          const from = bb + ((<usize>n0 * ldb + k0) << 2);
          for (let j = 0; j < count; j++) packStripTransposed(packed + <usize>j * strip, from, ldb, nn, kk, j);
        } else packStrips(packed, bb + ((<usize>k0 * ldb + n0) << 2), ldb, nn, kk, 0, count);
        inStrips = columns;
      }
      multiplyBlock(out, ld, NR * 4, panels, packed, strip, mm, nn, kk, k0 > 0, scratch);
    }
    if (bias != 0) addBias(out, ld, bias + (<usize>n0 << 2), mm, nn);
  }
}
