// Scaled dot-product attention per sequence and head on ragged rows (https://arxiv.org/abs/1706.03762):
//   S = Q K^T / sqrt(D);  P = softmax(S);  O = dropout(P) V
// A block of queries at a time; scores live in thread scratch only. Forward keeps the row maximum and 1 / row sum;
// backward computes P again from them (as FlashAttention does, https://arxiv.org/abs/2205.14135).
//
// Scores are held transposed, St[key, query]: the softmax runs down columns, four queries a vector.
// Q, K, V, O are [rows, heads * D], one sequence after another; the first `t` rows of a sequence are its keys, and all of its rows (masked tokens may follow the keys) are queries.

import { dropoutRow } from "./dropout";
import { exp4, fma, splat } from "./simd";
import {
  MR, multiplyBlock, NR, packColumns, packRows, packStrips, packStripTransposed, panelBytes, stripBytes,
} from "./tile";

/** Queries of one block: a multiple of the tile's 8 columns and 5 rows, so that no block but the last has edges. */
export const QUERY_BLOCK: i32 = 120;

// @ts-ignore: decorator
@inline
function roundUp(n: i32, to: i32): i32 {
  return (n + to - 1) / to * to;
}

/** Packs the transpose of rows [0, n) of B[n, d] (leading dimension `ld`) into strips [n / 8][d][8]. */
function packAllTransposed(dst: usize, b: usize, ld: i32, n: i32, d: i32): void {
  const strips = (n + NR - 1) / NR;
  for (let j = 0; j < strips; j++) packStripTransposed(dst + <usize>j * stripBytes(d), b, ld, n, d, j);
}

/** Where the parts of the scratch stand; `t` keys, `d` the head size. */
let edge: usize = 0, scores: usize = 0, dscores: usize = 0, panelsK: usize = 0, panelsV: usize = 0, packed: usize = 0,
  stripsA: usize = 0, stripsB: usize = 0, factors: usize = 0;

/** Lays the scratch out; returns its bytes. */
function layout(scratch: usize, t: i32, d: i32): usize {
  const square = <usize>roundUp(t, NR) * (QUERY_BLOCK + NR) << 2;
  const keyPanels = <usize>roundUp(t, MR) / MR * panelBytes(d);
  edge = scratch;
  scores = edge + 256;
  dscores = scores + square;
  panelsK = dscores + square;
  panelsV = panelsK + keyPanels;
  packed = panelsV + keyPanels; // scores as panels of queries or of keys
  stripsA = packed + (<usize>roundUp(t, 20) * roundUp(QUERY_BLOCK, 20) << 2);
  stripsB = stripsA + <usize>(roundUp(QUERY_BLOCK, NR) / NR) * stripBytes(d);
  factors = stripsB + <usize>(roundUp(d, NR) / NR) * stripBytes(max(t, QUERY_BLOCK));
  return factors + (<usize>roundUp(t, 16) << 2) - scratch;
}

/** Bytes of scratch that attention over at most `t` rows with head size `d` needs for one thread. */
export function attention_scratch_bytes(t: i32, d: i32): i32 {
  return <i32>layout(0, t, d);
}

/** Multiplies the columns of St[t, q] by dropout factors; row = query's token * heads + head. */
function dropScores(
  st: usize, ld: usize, t: i32, q: i32, firstRow: i32, heads: i32, site: i32, step: i32, seed0: i32, seed1: i32, threshold: i32,
  scale: f32,
): void {
  for (let j = 0; j < q; j++) {
    dropoutRow(factors, t, firstRow + j * heads, site, step, seed0, seed1, threshold, scale);
    let p = st + (<usize>j << 2);
    for (let i = 0; i < t; i++, p += ld) store<f32>(p, load<f32>(p) * load<f32>(factors + (<usize>i << 2)));
  }
}

/**
 * o[rows, heads * d], rowMax and rowInverse [rows, heads] (both may be 0). `units` holds (first row, keys, first query,
 * queries) of each block of at most 120 queries, four i32 each. Range: units x heads, heads fastest.
 */
export function attention_forward(
  o: usize, rowMax: usize, rowInverse: usize, q: usize, k: usize, v: usize, units: usize, heads: i32, d: i32,
  site: i32, step: i32, seed0: i32, seed1: i32, threshold: i32, dropScale: f32, scratch: usize, begin: i32, end: i32,
): void {
  const h = heads * d, ld = <usize>h << 2, scale: f32 = 1 / sqrt(<f32>d);
  for (let unit = begin; unit < end; unit++) {
    const entry = units + (<usize>(unit / heads) << 4), head = unit % heads;
    const first = load<i32>(entry), t = load<i32>(entry, 4), q0 = load<i32>(entry, 8), qn = load<i32>(entry, 12);
    const st = <usize>roundUp(qn, NR) << 2;
    const column = <usize>(head * d) << 2, base = <usize>first * ld + column, row = first + q0;
    layout(scratch, t, d);
    packRows(panelsK, k + base, h, t, d);
    packAllTransposed(stripsA, q + <usize>row * ld + column, h, qn, d);
    multiplyBlock(scores, st, panelsK, stripsA, stripBytes(d), t, roundUp(qn, NR), d, false, edge);
    for (let j = 0; j < qn; j += 4) {
      const from = scores + (<usize>j << 2);
      let top = splat(-Infinity), sum = splat(0), p = from;
      for (let i = 0; i < t; i++, p += st) top = f32x4.max(top, v128.load(p));
      top = f32x4.mul(top, splat(scale));
      p = from;
      for (let i = 0; i < t; i++, p += st) {
        const e = exp4(f32x4.sub(f32x4.mul(v128.load(p), splat(scale)), top));
        v128.store(p, e);
        sum = f32x4.add(sum, e);
      }
      const inverse = f32x4.div(splat(1), sum);
      p = from;
      for (let i = 0; i < t; i++, p += st) v128.store(p, f32x4.mul(v128.load(p), inverse));
      if (rowMax != 0) {
        v128.store(edge, top);
        v128.store(edge, inverse, 16);
        for (let r = 0; r < min(4, qn - j); r++) {
          const at = <usize>((row + j + r) * heads + head) << 2;
          store<f32>(rowMax + at, load<f32>(edge + (<usize>r << 2)));
          store<f32>(rowInverse + at, load<f32>(edge + (<usize>r << 2), 16));
        }
      }
    }
    if (threshold != 0) {
      dropScores(scores, st, t, qn, row * heads + head, heads, site, step, seed0, seed1, threshold, dropScale);
    }
    packStrips(stripsB, v + base, h, d, t, 0, (d + NR - 1) / NR);
    packColumns(packed, scores, roundUp(qn, NR), qn, t);
    multiplyBlock(o + <usize>row * ld + column, ld, packed, stripsB, stripBytes(t), qn, d, t, false, edge);
  }
}

/**
 * dq, dk, dv from dout, all [rows, heads * d], of sequences given as (first row, keys, rows), three i32 each.
 * Range: sequences x heads, heads fastest.
 */
export function attention_backward(
  dq: usize, dk: usize, dv: usize, dout: usize, q: usize, k: usize, v: usize, rowMax: usize, rowInverse: usize, sequences: usize,
  heads: i32, d: i32, site: i32, step: i32, seed0: i32, seed1: i32, threshold: i32, dropScale: f32, scratch: usize,
  begin: i32, end: i32,
): void {
  const h = heads * d, ld = <usize>h << 2, scale: f32 = 1 / sqrt(<f32>d), strips = (d + NR - 1) / NR;
  for (let unit = begin; unit < end; unit++) {
    const entry = sequences + <usize>(unit / heads) * 12, head = unit % heads;
    const first = load<i32>(entry), t = load<i32>(entry, 4), rows = load<i32>(entry, 8);
    const column = <usize>(head * d) << 2, base = <usize>first * ld + column;
    layout(scratch, t, d);
    packRows(panelsK, k + base, h, t, d);
    packRows(panelsV, v + base, h, t, d);
    for (let i = t; i < rows; i++) { // rows that are no keys
      memory.fill(dk + base + <usize>i * ld, 0, <usize>d << 2);
      memory.fill(dv + base + <usize>i * ld, 0, <usize>d << 2);
    }
    for (let q0 = 0; q0 < rows; q0 += QUERY_BLOCK) {
      const qn = min(QUERY_BLOCK, rows - q0), qw = roundUp(qn, NR), st = <usize>qw << 2, row = first + q0;
      const at = <usize>row * ld + column;
      packAllTransposed(stripsA, q + at, h, qn, d);
      multiplyBlock(scores, st, panelsK, stripsA, stripBytes(d), t, qw, d, false, edge);
      packAllTransposed(stripsA, dout + at, h, qn, d);
      multiplyBlock(dscores, st, panelsV, stripsA, stripBytes(d), t, qw, d, false, edge);
      if (threshold != 0) {
        dropScores(dscores, st, t, qn, row * heads + head, heads, site, step, seed0, seed1, threshold, dropScale);
      }
      for (let j = 0; j < qn; j += 4) {
        for (let r = 0; r < 4; r++) {
          const stat = <usize>((row + min(j + r, qn - 1)) * heads + head) << 2;
          store<f32>(edge + (<usize>r << 2), load<f32>(rowMax + stat));
          store<f32>(edge + (<usize>r << 2), load<f32>(rowInverse + stat), 16);
        }
        const top = v128.load(edge), inverse = v128.load(edge, 16);
        let delta = splat(0);
        let p = scores + (<usize>j << 2), g = dscores + (<usize>j << 2);
        for (let i = 0; i < t; i++, p += st, g += st) {
          const e = f32x4.mul(exp4(f32x4.sub(f32x4.mul(v128.load(p), splat(scale)), top)), inverse);
          v128.store(p, e);
          delta = fma(e, v128.load(g), delta);
        }
        p = scores + (<usize>j << 2);
        g = dscores + (<usize>j << 2);
        for (let i = 0; i < t; i++, p += st, g += st) {
          v128.store(g, f32x4.mul(f32x4.mul(v128.load(p), f32x4.sub(v128.load(g), delta)), splat(scale)));
        }
      }
      if (threshold != 0) {
        dropScores(scores, st, t, qn, row * heads + head, heads, site, step, seed0, seed1, threshold, dropScale);
      }
      packStrips(stripsB, dout + at, h, d, qn, 0, strips); // dV (+)= P^T dO
      packRows(packed, scores, qw, t, qn);
      multiplyBlock(dv + base, ld, packed, stripsB, stripBytes(qn), t, d, qn, q0 > 0, edge);
      packStrips(stripsB, q + at, h, d, qn, 0, strips); // dK (+)= dS^T Q
      packRows(packed, dscores, qw, t, qn);
      multiplyBlock(dk + base, ld, packed, stripsB, stripBytes(qn), t, d, qn, q0 > 0, edge);
      packStrips(stripsB, k + base, h, d, t, 0, strips); // dQ = dS K
      packColumns(packed, dscores, qw, qn, t);
      multiplyBlock(dq + at, ld, packed, stripsB, stripBytes(t), qn, d, t, false, edge);
    }
  }
}
