// Activations and their derivatives: y = f(u), and f'(u), which the backward pass multiplies with.
// gelu: u * Phi(u), exact by erf (https://arxiv.org/abs/1606.08415); gelu_new: its tanh approximation.

import { erf4, erfSmall, exp4, expNegative4, fma, loadPartial, scaledErfc, splat, storePartial, tanh4 } from "./simd";

export const GELU = 1, RELU = 2, GELU_NEW = 3, SILU = 4, TANH = 5;

let derivative: v128 = i32x4.splat(0);

/** gelu(u); leaves its slope in `derivative` if wanted. */
// @ts-ignore: decorator
@inline
function gelu(u: v128, wantDerivative: bool): v128 {
  const one = splat(1), half = splat(0.5);
  const z = f32x4.mul(f32x4.abs(u), splat(0.707106781));
  const e = expNegative4(f32x4.neg(f32x4.mul(z, z)));
  const tail = f32x4.mul(f32x4.mul(half, e), scaledErfc(z)); // Phi(-|u|) where |u| is large
  const center = fma(splat(-0.5), erfSmall(z), half);
  const below = v128.bitselect(center, tail, f32x4.lt(z, one));
  const phi = v128.bitselect(below, f32x4.sub(one, below), f32x4.lt(u, splat(0)));
  if (wantDerivative) derivative = fma(f32x4.mul(u, splat(0.398942280)), e, phi);
  return f32x4.mul(u, phi);
}

/** The other activations: f(u); leaves f'(u) in `derivative` if wanted. */
function activate(kind: i32, u: v128, wantDerivative: bool): v128 {
  const one = splat(1), half = splat(0.5);
  if (kind == RELU) {
    const positive = f32x4.gt(u, splat(0));
    if (wantDerivative) derivative = v128.and(positive, one);
    return v128.and(positive, u);
  }
  if (kind == GELU_NEW) {
    const c = splat(0.797884561), s = f32x4.mul(u, u);
    const inner = f32x4.mul(f32x4.mul(c, u), fma(splat(0.044715), s, one));
    const t = tanh4(inner);
    if (wantDerivative) {
      const slope = f32x4.mul(c, fma(splat(0.134145), s, one));
      const bell = f32x4.mul(f32x4.sub(one, f32x4.mul(t, t)), slope);
      derivative = f32x4.mul(half, fma(u, bell, f32x4.add(one, t)));
    }
    return f32x4.mul(f32x4.mul(half, u), f32x4.add(one, t));
  }
  if (kind == SILU) {
    const s = f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(u))));
    if (wantDerivative) derivative = fma(f32x4.mul(u, s), f32x4.sub(one, s), s);
    return f32x4.mul(u, s);
  }
  const t = tanh4(u);
  if (wantDerivative) derivative = f32x4.sub(one, f32x4.mul(t, t));
  return t;
}

/** y = gelu(y) over `n` floats, a multiple of 4, in place. */
function geluRow(y: usize, n: i32): void {
  if (n == 0) return;
  const end = y + (<usize>n << 2);
  v128.store(y, gelu(v128.load(y), false));
  for (y += 16; y < end; y += 16) v128.store(y, gelu(v128.load(y), false));
}

/** y = gelu(y) and slope = gelu'(y) over `n` floats, a multiple of 4, in place. */
function geluSlopeRow(y: usize, slope: usize, n: i32): void {
  if (n == 0) return;
  const end = y + (<usize>n << 2);
  v128.store(y, gelu(v128.load(y), true));
  v128.store(slope, derivative);
  for (y += 16, slope += 16; y < end; y += 16, slope += 16) {
    v128.store(y, gelu(v128.load(y), true));
    v128.store(slope, derivative);
  }
}

/** y = f(y) over `n` floats in place; writes f' to `slope` unless that is 0. */
export function activateRow(kind: i32, y: usize, slope: usize, n: i32): void {
  const whole = n & ~3, rest = n - whole, o = <usize>whole << 2;
  if (kind == GELU) {
    if (slope != 0) geluSlopeRow(y, slope, whole);
    else geluRow(y, whole);
  } else {
    for (let p = y, q = slope, end = y + o; p < end; p += 16, q += 16) {
      v128.store(p, activate(kind, v128.load(p), slope != 0));
      if (slope != 0) v128.store(q, derivative);
    }
  }
  if (rest > 0) {
    const u = loadPartial(y + o, rest);
    storePartial(y + o, kind == GELU ? gelu(u, true) : activate(kind, u, true), rest);
    if (slope != 0) storePartial(slope + o, derivative, rest);
  }
}

/** y = f(x), elementwise; slope = f'(x) unless 0. Range: blocks of 1024 elements. */
export function activation_forward(y: usize, slope: usize, x: usize, kind: i32, n: i32, begin: i32, end: i32): void {
  const from = begin << 10, to = min(n, end << 10), o = <usize>from << 2;
  if (y != x) memory.copy(y + o, x + o, <usize>(to - from) << 2);
  activateRow(kind, y + o, slope == 0 ? 0 : slope + o, to - from);
}

/** y = x * w, elementwise. Range: blocks of 1024 elements. */
export function multiply(y: usize, x: usize, w: usize, n: i32, begin: i32, end: i32): void {
  const to = min(n, end << 10);
  let i = begin << 10;
  for (; i + 4 <= to; i += 4) {
    const o = <usize>i << 2;
    v128.store(y + o, f32x4.mul(v128.load(x + o), v128.load(w + o)));
  }
  for (; i < to; i++) {
    const o = <usize>i << 2;
    store<f32>(y + o, load<f32>(x + o) * load<f32>(w + o));
  }
}

/** y = x * factor, elementwise. Range: blocks of 1024 elements. */
export function scale(y: usize, x: usize, factor: f32, n: i32, begin: i32, end: i32): void {
  const to = min(n, end << 10), factors = f32x4.splat(factor);
  let i = begin << 10;
  for (; i + 4 <= to; i += 4) {
    const o = <usize>i << 2;
    v128.store(y + o, f32x4.mul(v128.load(x + o), factors));
  }
  for (; i < to; i++) {
    const o = <usize>i << 2;
    store<f32>(y + o, load<f32>(x + o) * factor);
  }
}

/** y = x + w, elementwise. Range: blocks of 1024 elements. */
export function add(y: usize, x: usize, w: usize, n: i32, begin: i32, end: i32): void {
  const to = min(n, end << 10);
  let i = begin << 10;
  for (; i + 4 <= to; i += 4) {
    const o = <usize>i << 2;
    v128.store(y + o, f32x4.add(v128.load(x + o), v128.load(w + o)));
  }
  for (; i < to; i++) {
    const o = <usize>i << 2;
    store<f32>(y + o, load<f32>(x + o) + load<f32>(w + o));
  }
}

/** y = erf(x), elementwise. Range: blocks of 1024 elements. */
export function erf_forward(y: usize, x: usize, n: i32, begin: i32, end: i32): void {
  const to = min(n, end << 10);
  let i = begin << 10;
  for (; i + 4 <= to; i += 4) v128.store(y + (<usize>i << 2), erf4(v128.load(x + (<usize>i << 2))));
  if (i < to) storePartial(y + (<usize>i << 2), erf4(loadPartial(x + (<usize>i << 2), to - i)), to - i);
}

/** y = e^x, elementwise. Range: blocks of 1024 elements. */
export function exp_forward(y: usize, x: usize, n: i32, begin: i32, end: i32): void {
  const to = min(n, end << 10);
  let i = begin << 10;
  for (; i + 4 <= to; i += 4) v128.store(y + (<usize>i << 2), exp4(v128.load(x + (<usize>i << 2))));
  if (i < to) storePartial(y + (<usize>i << 2), exp4(loadPartial(x + (<usize>i << 2), to - i)), to - i);
}
