// AdamW (https://arxiv.org/abs/1711.05101) and the gradient's norm, over a table of chunks that covers all parameters.
//
//   chunk: 9 x 4 bytes   parameter, gradient, m, v (pointers), count (floats), touched (pointer or 0), row width, group,
//                        number of the first value
//   group: 16 x f32      step size, beta1, 1 - beta1, beta2, 1 - beta2, eps, scale of sqrt(v), factor before, factor after,
//                        key of the step's random bits (i32)
//
// The moments are f32, bfloat16, or blocks of 8 bits that hold both and stand where m points; see optimizer_state.ts.
//
//   p *= before;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
//   p -= stepSize * m / (sqrt(v) * rootScale + eps);  p *= after
//
// PyTorch: before = 1 - lr decay, stepSize = lr / (1 - beta1^t), rootScale = 1 / sqrt(1 - beta2^t).
// Rows of an embedding that were never touched have g = m = v = 0: only the factors apply, and 1 costs nothing.

import { gemm } from "./gemm";
import { BLOCK, blockBytes, decodeBlock, encodeBlock, loadBfloat16, randomBits, runBytes, storeBfloat16 } from "./optimizer_state";
import { fma, loadPartial, splat, storePartial } from "./simd";

/** Bytes of a chunk; values that a unit of adamw_update has. */
const CHUNK: usize = 36, UPDATE_SHIFT: i32 = 14;
/** How moments are stored. */
const FLOAT32: i32 = 0, BFLOAT16: i32 = 1;

/** Bytes from a moment to that of the value `n` further, where runs of n values have moments of their own. */
// @ts-ignore: decorator
@inline
function stateBytes(state: i32, n: i32): usize {
  return state == FLOAT32 ? <usize>n << 2 : state == BFLOAT16 ? <usize>(n + 3 & -4) << 1 : runBytes(n);
}

// @ts-ignore: decorator
@inline
function scaleOnly(p: usize, n: i32, factor: f32): void {
  for (let i = 0; i < n; i++) store<f32>(p + (<usize>i << 2), load<f32>(p + (<usize>i << 2)) * factor);
}

let nextM: v128 = i32x4.splat(0), nextV: v128 = i32x4.splat(0);

// @ts-ignore: decorator
@inline
function update(
  p: v128, g: v128, m: v128, v: v128, beta1: v128, rest1: v128, beta2: v128, rest2: v128, stepSize: v128, root: v128, eps: v128,
  before: v128, after: v128,
): v128 {
  nextM = fma(rest1, g, f32x4.mul(beta1, m));
  nextV = fma(f32x4.mul(rest2, g), g, f32x4.mul(beta2, v));
  const denominator = fma(f32x4.sqrt(nextV), root, eps);
  return f32x4.mul(f32x4.sub(f32x4.mul(p, before), f32x4.div(f32x4.mul(stepSize, nextM), denominator)), after);
}

/** Updates n values whose moments are floats. */
function updateFloats(p: usize, g: usize, m: usize, v: usize, n: i32, group: usize, gradientScale: f32): void {
  const stepSize = v128.load32_splat(group), beta1 = v128.load32_splat(group, 4), rest1 = v128.load32_splat(group, 8);
  const beta2 = v128.load32_splat(group, 12), rest2 = v128.load32_splat(group, 16), eps = v128.load32_splat(group, 20);
  const root = v128.load32_splat(group, 24), before = v128.load32_splat(group, 28), after = v128.load32_splat(group, 32);
  const s = splat(gradientScale);
  const i = n & 3, end = p + (<usize>(n - i) << 2);
  for (; p < end; p += 16, g += 16, m += 16, v += 16) {
    const next = update(
      v128.load(p), f32x4.mul(v128.load(g), s), v128.load(m), v128.load(v), beta1, rest1, beta2, rest2, stepSize, root, eps,
      before, after,
    );
    v128.store(m, nextM);
    v128.store(v, nextV);
    v128.store(p, next);
  }
  if (i > 0) {
    const next = update(
      loadPartial(p, i), f32x4.mul(loadPartial(g, i), s), loadPartial(m, i), loadPartial(v, i), beta1, rest1, beta2, rest2,
      stepSize, root, eps, before, after,
    );
    storePartial(m, nextM, i);
    storePartial(v, nextV, i);
    storePartial(p, next, i);
  }
}

/** Updates n values whose moments are bfloat16; `first` is the number of the first. */
function updateBfloats(p: usize, g: usize, m: usize, v: usize, n: i32, group: usize, gradientScale: f32, first: i32): void {
  const stepSize = v128.load32_splat(group), beta1 = v128.load32_splat(group, 4), rest1 = v128.load32_splat(group, 8);
  const beta2 = v128.load32_splat(group, 12), rest2 = v128.load32_splat(group, 16), eps = v128.load32_splat(group, 20);
  const root = v128.load32_splat(group, 24), before = v128.load32_splat(group, 28), after = v128.load32_splat(group, 32);
  const s = splat(gradientScale), key = v128.load32_splat(group, 36), four = i32x4.splat(4);
  let counter = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
  const i = n & 3, end = p + (<usize>(n - i) << 2);
  for (; p < end; p += 16, g += 16, m += 8, v += 8) {
    const next = update(
      v128.load(p), f32x4.mul(v128.load(g), s), loadBfloat16(m), loadBfloat16(v), beta1, rest1, beta2, rest2, stepSize, root,
      eps, before, after,
    );
    const random = randomBits(counter, key);
    counter = i32x4.add(counter, four);
    storeBfloat16(m, nextM, random);
    storeBfloat16(v, nextV, i32x4.shr_u(random, 16));
    v128.store(p, next);
  }
  if (i > 0) { // the moments have room for whole vectors
    const next = update(
      loadPartial(p, i), f32x4.mul(loadPartial(g, i), s), loadBfloat16(m), loadBfloat16(v), beta1, rest1, beta2, rest2,
      stepSize, root, eps, before, after,
    );
    const random = randomBits(counter, key);
    storeBfloat16(m, nextM, random);
    storeBfloat16(v, nextV, i32x4.shr_u(random, 16));
    storePartial(p, next, i);
  }
}

/** Updates n values whose moments are blocks of 8 bits. Scratch: a block's moments as floats. */
function updateBlocks(
  p: usize, g: usize, blocks: usize, n: i32, group: usize, gradientScale: f32, first: i32, scratch: usize,
): void {
  const key = v128.load32_splat(group, 36), m = scratch, v = scratch + (BLOCK << 2);
  for (let i = 0; i < n; i += BLOCK) {
    const count = min(BLOCK, n - i), o = <usize>i << 2;
    decodeBlock(m, v, blocks, count);
    updateFloats(p + o, g + o, m, v, count, group, gradientScale);
    encodeBlock(blocks, m, v, count, first + i, key);
    blocks += blockBytes(count);
  }
}

/** Updates n values, the first of which has the number `first`. */
function updateRun(
  p: usize, g: usize, m: usize, v: usize, n: i32, group: usize, gradientScale: f32, state: i32, first: i32, scratch: usize,
): void {
  if (state == FLOAT32) updateFloats(p, g, m, v, n, group, gradientScale);
  else if (state == BFLOAT16) updateBfloats(p, g, m, v, n, group, gradientScale, first);
  else updateBlocks(p, g, m, n, group, gradientScale, first, scratch);
}

/** One step of AdamW with gradients times `gradientScale`; `state` says how moments are stored. Range: chunks. */
export function adamw_step(
  chunks: usize, groups: usize, gradientScale: f32, state: i32, scratch: usize, begin: i32, end: i32,
): void {
  for (let c = begin; c < end; c++) {
    const chunk = chunks + <usize>c * CHUNK, group = groups + (<usize>load<i32>(chunk, 28) << 6);
    const p = load<usize>(chunk), g = load<usize>(chunk, 4), m = load<usize>(chunk, 8), v = load<usize>(chunk, 12);
    const count = load<i32>(chunk, 16), touched = load<usize>(chunk, 20), width = load<i32>(chunk, 24);
    const first = load<i32>(chunk, 32);
    if (touched == 0) {
      updateRun(p, g, m, v, count, group, gradientScale, state, first, scratch);
      continue;
    }
    const factor = load<f32>(group, 28) * load<f32>(group, 32);
    const rowState = stateBytes(state, width);
    for (let i = 0, row = 0; i < count; i += width, row++) {
      const o = <usize>i << 2, s = <usize>row * rowState;
      if (load<u8>(touched + row)) {
        updateRun(p + o, g + o, m + s, v + s, width, group, gradientScale, state, first + i, scratch);
      } else if (factor != 1) scaleOnly(p + o, width, factor);
    }
  }
}

/** The same for one parameter of n values without untouched rows. Range: chunks of 16384 values. */
export function adamw_update(
  p: usize, g: usize, m: usize, v: usize, n: i32, group: usize, state: i32, first: i32, scratch: usize, begin: i32, end: i32,
): void {
  const i = begin << UPDATE_SHIFT, o = <usize>i << 2, s = stateBytes(state, i);
  updateRun(p + o, g + o, m + s, v + s, min(n, end << UPDATE_SHIFT) - i, group, 1, state, first + i, scratch);
}

/**
 * Changes p[rows, n] by the gradient A[k, rows]^T B[k, n], mc rows at a time, which stay in the thread's cache and are
 * never written to memory. B as it stands in memory, with gemm's `flags`; mc * n a multiple of what moments allow.
 * Range: blocks of mc rows.
 */
export function gemm_adamw(
  p: usize, m: usize, v: usize, a: usize, b: usize, rows: i32, n: i32, k: i32, mc: i32, kc: i32, flags: i32, group: usize,
  state: i32, first: i32, scratch: usize, fresh: bool, begin: i32, end: i32,
): void {
  const gradient = scratch + (BLOCK << 3), rest = gradient + (<usize>mc * n << 2), ld = <usize>n << 2;
  for (let unit = begin; unit < end; unit++) {
    const row = unit * mc, i = row * n, o = <usize>i << 2, s = stateBytes(state, i), isFirst = fresh && unit == begin;
    gemm(gradient - <usize>row * ld, a, b, 0, 0, n, rows, n, rows, n, k, mc, n, kc, flags, rest, isFirst, unit, unit + 1);
    updateRun(p + o, gradient, m + s, v + s, min(mc, rows - row) * n, group, 1, state, first + i, scratch);
  }
}

/** The sum of squares of each chunk's gradient, as f64, to sums[chunk]. Range: chunks. */
export function sum_squares(sums: usize, chunks: usize, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    const chunk = chunks + <usize>c * CHUNK;
    const touched = load<usize>(chunk, 20), count = load<i32>(chunk, 16);
    const width = touched == 0 ? count : load<i32>(chunk, 24);
    let total: f64 = 0;
    for (let i = 0, row = 0; i < count; i += width, row++) {
      if (touched != 0 && !load<u8>(touched + row)) continue;
      let p = load<usize>(chunk, 4) + (<usize>i << 2), n = width;
      let a = f64x2.splat(0), b = f64x2.splat(0);
      for (const end = p + (<usize>(n & ~3) << 2); p < end; p += 16) {
        const x = v128.load(p);
        const lo = f64x2.promote_low_f32x4(x), hi = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
        a = f64x2.add(a, f64x2.mul(lo, lo));
        b = f64x2.add(b, f64x2.mul(hi, hi));
      }
      a = f64x2.add(a, b);
      total += f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
      for (n &= 3; n > 0; n--, p += 4) total += <f64>load<f32>(p) * <f64>load<f32>(p);
    }
    store<f64>(sums + (<usize>c << 3), total);
  }
}

/** gradient *= factor, over all chunks. Range: chunks. */
export function scale_gradients(chunks: usize, factor: f32, begin: i32, end: i32): void {
  const f = splat(factor);
  for (let c = begin; c < end; c++) {
    const chunk = chunks + <usize>c * CHUNK;
    let p = load<usize>(chunk, 4), n = load<i32>(chunk, 16);
    for (; n >= 4; n -= 4, p += 16) v128.store(p, f32x4.mul(v128.load(p), f));
    for (; n > 0; n--, p += 4) store<f32>(p, load<f32>(p) * factor);
  }
}
