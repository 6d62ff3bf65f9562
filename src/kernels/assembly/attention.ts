// Scaled dot-product attention per sequence and head on ragged rows (https://arxiv.org/abs/1706.03762):
//   S = Q K^T / sqrt(D);  P = softmax(S);  O = dropout(P) V
// A block of queries at a time; scores live in thread scratch only. Forward keeps the row maximum and 1 / row sum;
// backward computes P again from them (as FlashAttention does, https://arxiv.org/abs/2205.14135).
//
// Scores are held transposed, in strips of 8 queries: [query / 8][key][8]. The first product writes them so, the softmax
// runs down a strip, and strips are what the next product, O^T = V^T P^T, takes as its B operand, unpacked.
// Q, K, V, O are [rows, heads * D], one sequence after another; the first `t` rows of a sequence are its keys, and all of
// its rows (masked tokens may follow the keys) are queries.

import { philox, word0, word1, word2, word3 } from "./dropout";
import { expNegative4, fma, splat } from "./simd";
import {
  MR, multiplyBlock, NR, packColumns, packRows, packStripRows, packStrips, packStripTransposed, padStrip, panelBytes,
  storeTransposed, stripBytes,
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
let edge: usize = 0, scores: usize = 0, dscores: usize = 0, panelsK: usize = 0, panelsV: usize = 0, panels: usize = 0,
  stripsA: usize = 0, stripsB: usize = 0, transposed: usize = 0;

/** Lays the scratch out; returns its bytes. */
function layout(scratch: usize, t: i32, d: i32): usize {
  const square = <usize>(QUERY_BLOCK / NR) * stripBytes(t);
  const keyPanels = <usize>roundUp(t, MR) / MR * panelBytes(d), columnPanels = <usize>roundUp(d, MR) / MR * panelBytes(t);
  const scorePanels = <usize>roundUp(t, MR) / MR * panelBytes(QUERY_BLOCK);
  edge = scratch;
  scores = edge + 256;
  dscores = scores + square;
  panelsK = dscores + square;
  panelsV = panelsK + keyPanels;
  panels = panelsV + keyPanels; // V^T, K^T or scores
  stripsA = panels + max(columnPanels, scorePanels);
  stripsB = stripsA + <usize>(QUERY_BLOCK / NR) * stripBytes(d);
  transposed = stripsB + <usize>(roundUp(d, NR) / NR) * stripBytes(QUERY_BLOCK);
  return transposed + (<usize>roundUp(d, 4) * QUERY_BLOCK << 2) - scratch;
}

/** Bytes of scratch that attention over at most `t` rows with head size `d` needs for one thread. */
export function attention_scratch_bytes(t: i32, d: i32): i32 {
  return <i32>layout(0, t, d);
}

/** Strips of st[t, q] = A[t, d] B[q, d]^T, from A's panels; what pads the keys to whole steps is zero. */
function transposedScores(st: usize, panels: usize, b: usize, h: i32, t: i32, q: i32, d: i32): void {
  const strip = stripBytes(t);
  packAllTransposed(stripsA, b, h, q, d);
  multiplyBlock(st, NR * 4, strip, panels, stripsA, stripBytes(d), t, roundUp(q, NR), d, false, edge);
  for (let j = 0; j < q; j += NR, st += strip) padStrip(st, t);
}

/** out[q, d] = (A B)^T from panels of A[d, t] and strips of B[t, q]; `ld` bytes from row to row of `out`. */
function multiplyTransposed(out: usize, ld: usize, panels: usize, strips: usize, q: i32, d: i32, t: i32): void {
  const row = <usize>roundUp(q, NR) << 2;
  multiplyBlock(transposed, row, NR * 4, panels, strips, stripBytes(t), d, roundUp(q, NR), t, false, edge);
  for (let i = 0; i < d; i += 4) {
    let from = transposed + <usize>i * row, to = out + (<usize>i << 2), j = 0;
    if (i + 4 <= d) {
      for (; j + 4 <= q; j += 4, from += 16, to += 4 * ld) {
        const last = from + 2 * row;
        storeTransposed(to, ld, v128.load(from), v128.load(from + row), v128.load(last), v128.load(last + row));
      }
    }
    for (; j < q; j++, from += 4, to += ld) {
      for (let r = 0; r < min(4, d - i); r++) store<f32>(to + (<usize>r << 2), load<f32>(from + <usize>r * row));
    }
  }
}

/** The masks of one strip: what of (p, key) is kept. */
let site: i32 = 0, step: i32 = 0, seed0: i32 = 0, seed1: i32 = 0, threshold: i32 = 0;

/** Overwrites four scores with e^(score * scale - top), which it returns. */
// @ts-ignore: decorator
@inline
function exponential(p: usize, scale: v128, top: v128): v128 {
  const e = expNegative4(f32x4.sub(f32x4.mul(v128.load(p), scale), top));
  v128.store(p, e);
  return e;
}

/** Softmax down one strip, dropout included: 8 queries from `row` (query's token * heads + head), `heads` apart. */
function softmaxStrip(
  st: usize, t: i32, scale: f32, row: i32, heads: i32, queries: i32, dropScale: f32, rowMax: usize, rowInverse: usize,
): void {
  const end = st + <usize>t * NR * 4, sv = splat(scale);
  let top0 = splat(-Infinity), top1 = top0, sum0: v128, sum1: v128;
  for (let p = st; p < end; p += NR * 4) {
    top0 = f32x4.pmax(top0, v128.load(p));
    top1 = f32x4.pmax(top1, v128.load(p, 16));
  }
  top0 = f32x4.mul(top0, sv);
  top1 = f32x4.mul(top1, sv);
  sum0 = exponential(st, sv, top0);
  sum1 = exponential(st + 16, sv, top1);
  for (let p = st + NR * 4; p < end; p += NR * 4) {
    sum0 = f32x4.add(sum0, exponential(p, sv, top0));
    sum1 = f32x4.add(sum1, exponential(p + 16, sv, top1));
  }
  const inverse0 = f32x4.div(splat(1), sum0), inverse1 = f32x4.div(splat(1), sum1);
  if (rowMax != 0) {
    v128.store(edge, top0);
    v128.store(edge, top1, 16);
    v128.store(edge, inverse0, 32);
    v128.store(edge, inverse1, 48);
    for (let r = 0; r < queries; r++) {
      const at = <usize>(row + r * heads) << 2;
      store<f32>(rowMax + at, load<f32>(edge + (<usize>r << 2)));
      store<f32>(rowInverse + at, load<f32>(edge + (<usize>r << 2), 32));
    }
  }
  if (threshold == 0) {
    for (let p = st; p < end; p += NR * 4) {
      v128.store(p, f32x4.mul(v128.load(p), inverse0));
      v128.store(p, f32x4.mul(v128.load(p, 16), inverse1), 16);
    }
  } else {
    dropHalf(st, end, row, heads, f32x4.mul(inverse0, splat(dropScale)));
    dropHalf(st + 16, end, row + 4 * heads, heads, f32x4.mul(inverse1, splat(dropScale)));
  }
}

/** Multiplies four queries of a strip, from `p` on, by `factors` where they are kept, else by 0. */
function dropHalf(p: usize, end: usize, row: i32, heads: i32, factors: v128): void {
  const rows = i32x4.add(i32x4.splat(row), i32x4.mul(i32x4.splat(heads), i32x4(0, 1, 2, 3))), limit = i32x4.splat(threshold);
  for (let c = 0; p < end; c++) { // counter c decides keys 16 (c / 4) + c % 4 + 0, 4, 8, 12
    philox(i32x4.splat(c), rows, site, step, seed0, seed1);
    dropKey(p, end, v128.and(i32x4.ge_u(word0, limit), factors));
    dropKey(p + 128, end, v128.and(i32x4.ge_u(word1, limit), factors));
    dropKey(p + 256, end, v128.and(i32x4.ge_u(word2, limit), factors));
    dropKey(p + 384, end, v128.and(i32x4.ge_u(word3, limit), factors));
    p += (c & 3) == 3 ? 512 - 96 : 32;
  }
}

// @ts-ignore: decorator
@inline
function dropKey(p: usize, end: usize, factors: v128): void {
  if (p < end) v128.store(p, f32x4.mul(v128.load(p), factors));
}

/**
 * o[rows, heads * d], rowMax and rowInverse [rows, heads] (both may be 0). `units` holds (first row, keys, first query,
 * queries) of each block of at most 120 queries, four i32 each. Range: units x heads, heads fastest.
 */
export function attention_forward(
  o: usize, rowMax: usize, rowInverse: usize, q: usize, k: usize, v: usize, units: usize, heads: i32, d: i32,
  dropSite: i32, dropStep: i32, key0: i32, key1: i32, dropThreshold: i32, dropScale: f32, scratch: usize, begin: i32, end: i32,
): void {
  const h = heads * d, ld = <usize>h << 2, scale: f32 = 1 / sqrt(<f32>d);
  setDropout(dropSite, dropStep, key0, key1, dropThreshold);
  for (let unit = begin; unit < end; unit++) {
    const entry = units + (<usize>(unit / heads) << 4), head = unit % heads;
    const first = load<i32>(entry), t = load<i32>(entry, 4), q0 = load<i32>(entry, 8), qn = load<i32>(entry, 12);
    const column = <usize>(head * d) << 2, base = <usize>first * ld + column, row = first + q0;
    layout(scratch, t, d);
    packRows(panelsK, k + base, h, t, d);
    transposedScores(scores, panelsK, q + <usize>row * ld + column, h, t, qn, d);
    for (let j = 0; j < qn; j += NR) {
      softmaxStrip(
        scores + <usize>(j / NR) * stripBytes(t), t, scale, (row + j) * heads + head, heads, min(NR, qn - j), dropScale, rowMax,
        rowInverse,
      );
    }
    packColumns(panels, v + base, h, d, t);
    multiplyTransposed(o + <usize>row * ld + column, ld, panels, scores, qn, d, t);
  }
}

/**
 * The probabilities after dropout, of queries and keys, to p[B, heads, width, width], which is zero before. `places` holds
 * b * width + t of each row; the other arguments are those of attention_forward. Range: units x heads, heads fastest.
 */
export function attention_probabilities(
  p: usize, q: usize, k: usize, units: usize, places: usize, width: i32, heads: i32, d: i32, dropSite: i32, dropStep: i32,
  key0: i32, key1: i32, dropThreshold: i32, dropScale: f32, scratch: usize, begin: i32, end: i32,
): void {
  const h = heads * d, ld = <usize>h << 2, scale: f32 = 1 / sqrt(<f32>d);
  setDropout(dropSite, dropStep, key0, key1, dropThreshold);
  for (let unit = begin; unit < end; unit++) {
    const entry = units + (<usize>(unit / heads) << 4), head = unit % heads;
    const first = load<i32>(entry), t = load<i32>(entry, 4), qn = load<i32>(entry, 12), row = first + load<i32>(entry, 8);
    const column = <usize>(head * d) << 2;
    layout(scratch, t, d);
    packRows(panelsK, k + <usize>first * ld + column, h, t, d);
    transposedScores(scores, panelsK, q + <usize>row * ld + column, h, t, qn, d);
    for (let j = 0; j < qn; j++) {
      const strip = scores + <usize>(j / NR) * stripBytes(t);
      if (j % NR == 0) softmaxStrip(strip, t, scale, (row + j) * heads + head, heads, min(NR, qn - j), dropScale, 0, 0);
      const place = load<i32>(places + (<usize>(row + j) << 2)), from = strip + (<usize>(j % NR) << 2);
      const line = (<usize>(place / width) * heads + head) * width + <usize>(place % width), to = p + (line * width << 2);
      for (let i = 0; i < t; i++) {
        const key = <usize>(load<i32>(places + (<usize>(first + i) << 2)) % width);
        store<f32>(to + (key << 2), load<f32>(from + <usize>i * NR * 4));
      }
    }
  }
}

function setDropout(dropSite: i32, dropStep: i32, key0: i32, key1: i32, dropThreshold: i32): void {
  site = dropSite;
  step = dropStep;
  seed0 = key0;
  seed1 = key1;
  threshold = dropThreshold;
}

/**
 * Four queries of a strip, from `p` on: scores become P, the sign bit set where dropped; dscores become dP, 0 where
 * dropped. Returns the sum of P dP down the keys.
 */
function weighHalf(p: usize, g: usize, end: usize, top: v128, inverse: v128, scale: f32, row: i32, heads: i32, dropScale: f32): v128 {
  const sv = splat(scale), from = p;
  v128.store(p, f32x4.mul(exponential(p, sv, top), inverse));
  for (p += NR * 4; p < end; p += NR * 4) v128.store(p, f32x4.mul(exponential(p, sv, top), inverse));
  p = from;
  if (threshold != 0) markDropped(p, g, end, row, heads, splat(dropScale));
  let delta = splat(0);
  for (; p < end; p += NR * 4, g += NR * 4) delta = fma(f32x4.abs(v128.load(p)), v128.load(g), delta);
  return delta;
}

function markDropped(p: usize, g: usize, end: usize, row: i32, heads: i32, factors: v128): void {
  const rows = i32x4.add(i32x4.splat(row), i32x4.mul(i32x4.splat(heads), i32x4(0, 1, 2, 3))), limit = i32x4.splat(threshold);
  const offset = g - p;
  for (let c = 0; p < end; c++) {
    philox(i32x4.splat(c), rows, site, step, seed0, seed1);
    markKey(p, offset, end, i32x4.ge_u(word0, limit), factors);
    markKey(p + 128, offset, end, i32x4.ge_u(word1, limit), factors);
    markKey(p + 256, offset, end, i32x4.ge_u(word2, limit), factors);
    markKey(p + 384, offset, end, i32x4.ge_u(word3, limit), factors);
    p += (c & 3) == 3 ? 512 - 96 : 32;
  }
}

// @ts-ignore: decorator
@inline
function markKey(p: usize, offset: usize, end: usize, kept: v128, factors: v128): void {
  if (p >= end) return;
  v128.store(p, v128.or(v128.load(p), v128.andnot(i32x4.splat(0x80000000), kept)));
  v128.store(p + offset, f32x4.mul(v128.load(p + offset), v128.and(kept, factors)));
}

/** Down one strip: dscores become dS = P (dP - delta) scale, scores become dropout(P). */
function differentiateStrip(p: usize, g: usize, t: i32, delta0: v128, delta1: v128, scale: f32, dropScale: f32): void {
  const sv = splat(scale), kept = splat(threshold == 0 ? 1 : dropScale), zero = splat(0);
  for (const end = p + <usize>t * NR * 4; p < end; p += NR * 4, g += NR * 4) {
    const p0 = v128.load(p), p1 = v128.load(p, 16);
    v128.store(g, f32x4.mul(f32x4.mul(f32x4.abs(p0), f32x4.sub(v128.load(g), delta0)), sv));
    v128.store(g, f32x4.mul(f32x4.mul(f32x4.abs(p1), f32x4.sub(v128.load(g, 16), delta1)), sv), 16);
    v128.store(p, f32x4.mul(f32x4.pmax(zero, p0), kept));
    v128.store(p, f32x4.mul(f32x4.pmax(zero, p1), kept), 16);
  }
}

/**
 * dq, dk, dv from dout, all [rows, heads * d], of sequences given as (first row, keys, rows), three i32 each.
 * Range: sequences x heads, heads fastest.
 */
export function attention_backward(
  dq: usize, dk: usize, dv: usize, dout: usize, q: usize, k: usize, v: usize, rowMax: usize, rowInverse: usize, sequences: usize,
  heads: i32, d: i32, dropSite: i32, dropStep: i32, key0: i32, key1: i32, dropThreshold: i32, dropScale: f32, scratch: usize,
  begin: i32, end: i32,
): void {
  const h = heads * d, ld = <usize>h << 2, scale: f32 = 1 / sqrt(<f32>d), columns = (d + NR - 1) / NR;
  setDropout(dropSite, dropStep, key0, key1, dropThreshold);
  for (let unit = begin; unit < end; unit++) {
    const entry = sequences + <usize>(unit / heads) * 12, head = unit % heads;
    const first = load<i32>(entry), t = load<i32>(entry, 4), rows = load<i32>(entry, 8);
    const column = <usize>(head * d) << 2, base = <usize>first * ld + column, strip = stripBytes(t);
    layout(scratch, t, d);
    packRows(panelsK, k + base, h, t, d);
    packRows(panelsV, v + base, h, t, d);
    for (let i = t; i < rows; i++) { // rows that are no keys
      memory.fill(dk + base + <usize>i * ld, 0, <usize>d << 2);
      memory.fill(dv + base + <usize>i * ld, 0, <usize>d << 2);
    }
    for (let q0 = 0; q0 < rows; q0 += QUERY_BLOCK) {
      const qn = min(QUERY_BLOCK, rows - q0), row = first + q0, at = <usize>row * ld + column;
      transposedScores(scores, panelsK, q + at, h, t, qn, d);
      transposedScores(dscores, panelsV, dout + at, h, t, qn, d);
      for (let j = 0; j < qn; j += NR) {
        const p = scores + <usize>(j / NR) * strip, g = dscores + <usize>(j / NR) * strip, last = p + <usize>t * NR * 4;
        const query = (row + j) * heads + head;
        for (let r = 0; r < NR; r++) {
          const stat = <usize>(query + min(r, qn - 1 - j) * heads) << 2;
          store<f32>(edge + (<usize>r << 2), load<f32>(rowMax + stat));
          store<f32>(edge + (<usize>r << 2), load<f32>(rowInverse + stat), 32);
        }
        const delta0 = weighHalf(p, g, last, v128.load(edge), v128.load(edge, 32), scale, query, heads, dropScale);
        const delta1 = weighHalf(
          p + 16, g + 16, last, v128.load(edge, 16), v128.load(edge, 48), scale, query + 4 * heads, heads, dropScale,
        );
        differentiateStrip(p, g, t, delta0, delta1, scale, dropScale);
      }
      packStrips(stripsB, dout + at, h, d, qn, 0, columns); // dV (+)= P^T dO
      packStripRows(panels, scores, strip, t, qn);
      multiplyBlock(dv + base, ld, NR * 4, panels, stripsB, stripBytes(qn), t, d, qn, q0 > 0, edge);
      packStrips(stripsB, q + at, h, d, qn, 0, columns); // dK (+)= dS^T Q
      packStripRows(panels, dscores, strip, t, qn);
      multiplyBlock(dk + base, ld, NR * 4, panels, stripsB, stripBytes(qn), t, d, qn, q0 > 0, edge);
      packColumns(panels, k + base, h, d, t); // dQ = dS K
      multiplyTransposed(dq + at, ld, panels, dscores, qn, d, t);
    }
  }
}
