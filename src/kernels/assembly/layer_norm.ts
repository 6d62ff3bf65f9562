// LayerNorm (https://arxiv.org/abs/1607.06450), fused with the residual sum and the dropout before it:
//   z = residual + dropout(x);  y = (z - mean) * rstd * weight + bias;  rstd = 1 / sqrt(var(z) + eps)
// Sums run in four lanes, added in a fixed order.

import { dropoutRow } from "./dropout";
import { fma, splat, sumLanes } from "./simd";

/** z and y [n, h], mean and rstd [n]. `residual` may be 0; `z` may be `y`. No dropout if threshold is 0. Range: rows. */
export function layer_norm_forward(
  y: usize, z: usize, mean: usize, rstd: usize, x: usize, residual: usize, weight: usize, bias: usize, h: i32, eps: f32,
  site: i32, step: i32, seed0: i32, seed1: i32, threshold: i32, scale: f32, scratch: usize, begin: i32, end: i32,
): void {
  const inverse: f32 = 1 / <f32>h, h4 = h & ~3;
  for (let row = begin; row < end; row++) {
    const o = <usize>row * h << 2, zr = z + o, xr = x + o, rr = residual + o, yr = y + o;
    if (threshold != 0) dropoutRow(scratch, h, row, site, step, seed0, seed1, threshold, scale);
    let sums = f32x4.splat(0), sum: f32 = 0;
    let j = 0;
    for (; j < h4; j += 4) {
      const p = <usize>j << 2;
      let v = v128.load(xr + p);
      if (threshold != 0) v = f32x4.mul(v, v128.load(scratch + p));
      if (residual != 0) v = f32x4.add(v, v128.load(rr + p));
      v128.store(zr + p, v);
      sums = f32x4.add(sums, v);
    }
    for (; j < h; j++) {
      const p = <usize>j << 2;
      let v = load<f32>(xr + p);
      if (threshold != 0) v *= load<f32>(scratch + p);
      if (residual != 0) v += load<f32>(rr + p);
      store<f32>(zr + p, v);
      sum += v;
    }
    const m = (sumLanes(sums) + sum) * inverse, mv = splat(m);
    let squares = f32x4.splat(0), square: f32 = 0;
    for (j = 0; j < h4; j += 4) {
      const d = f32x4.sub(v128.load(zr + (<usize>j << 2)), mv);
      squares = fma(d, d, squares);
    }
    for (; j < h; j++) {
      const d = load<f32>(zr + (<usize>j << 2)) - m;
      square += d * d;
    }
    const r: f32 = 1 / sqrt((sumLanes(squares) + square) * inverse + eps), rv = splat(r);
    if (mean != 0) {
      store<f32>(mean + (<usize>row << 2), m);
      store<f32>(rstd + (<usize>row << 2), r);
    }
    for (j = 0; j < h4; j += 4) {
      const p = <usize>j << 2;
      const n = f32x4.mul(f32x4.sub(v128.load(zr + p), mv), rv);
      v128.store(yr + p, fma(n, v128.load(weight + p), v128.load(bias + p)));
    }
    for (; j < h; j++) {
      const p = <usize>j << 2;
      store<f32>(yr + p, (load<f32>(zr + p) - m) * r * load<f32>(weight + p) + load<f32>(bias + p));
    }
  }
}

/**
 * dz = rstd * (g - mean(g) - n * mean(g * n)) with g = dy * weight, n = (z - mean) * rstd; then dx = dropout'(dz)
 * if threshold is not 0. `dz` may be `dy`. Range: rows.
 */
export function layer_norm_backward(
  dz: usize, dx: usize, dy: usize, z: usize, mean: usize, rstd: usize, weight: usize, h: i32,
  site: i32, step: i32, seed0: i32, seed1: i32, threshold: i32, scale: f32, scratch: usize, begin: i32, end: i32,
): void {
  const inverse: f32 = 1 / <f32>h, h4 = h & ~3;
  for (let row = begin; row < end; row++) {
    const o = <usize>row * h << 2, zr = z + o, dyr = dy + o, dzr = dz + o, dxr = dx + o;
    const m = load<f32>(mean + (<usize>row << 2)), r = load<f32>(rstd + (<usize>row << 2));
    const mv = splat(m), rv = splat(r);
    let gs = f32x4.splat(0), gns = f32x4.splat(0), g1: f32 = 0, gn1: f32 = 0;
    let j = 0;
    for (; j < h4; j += 4) {
      const p = <usize>j << 2;
      const g = f32x4.mul(v128.load(dyr + p), v128.load(weight + p));
      const n = f32x4.mul(f32x4.sub(v128.load(zr + p), mv), rv);
      gs = f32x4.add(gs, g);
      gns = fma(g, n, gns);
    }
    for (; j < h; j++) {
      const p = <usize>j << 2;
      const g = load<f32>(dyr + p) * load<f32>(weight + p);
      g1 += g;
      gn1 += g * (load<f32>(zr + p) - m) * r;
    }
    const a = (sumLanes(gs) + g1) * inverse, b = (sumLanes(gns) + gn1) * inverse;
    const av = splat(a), bv = splat(b);
    if (threshold != 0) dropoutRow(scratch, h, row, site, step, seed0, seed1, threshold, scale);
    for (j = 0; j < h4; j += 4) {
      const p = <usize>j << 2;
      const g = f32x4.mul(v128.load(dyr + p), v128.load(weight + p));
      const n = f32x4.mul(f32x4.sub(v128.load(zr + p), mv), rv);
      const d = f32x4.mul(rv, f32x4.sub(f32x4.sub(g, av), f32x4.mul(n, bv)));
      v128.store(dzr + p, d);
      if (threshold != 0) v128.store(dxr + p, f32x4.mul(d, v128.load(scratch + p)));
    }
    for (; j < h; j++) {
      const p = <usize>j << 2;
      const g = load<f32>(dyr + p) * load<f32>(weight + p);
      const d = r * (g - a - (load<f32>(zr + p) - m) * r * b);
      store<f32>(dzr + p, d);
      if (threshold != 0) store<f32>(dxr + p, d * load<f32>(scratch + p));
    }
  }
}

/** dweight[h] (+)= sum over rows of dy * n, dbias[h] (+)= sum of dy. Range: blocks of 16 columns. */
export function layer_norm_backward_parameters(
  dweight: usize, dbias: usize, dy: usize, z: usize, mean: usize, rstd: usize, n: i32, h: i32, accumulate: i32,
  begin: i32, end: i32,
): void {
  const step = <usize>h << 2, to = min(h, end << 4);
  let j = begin << 4;
  for (; j + 4 <= to; j += 4) {
    const o = <usize>j << 2;
    let dw = f32x4.splat(0), db = f32x4.splat(0);
    let g = dy + o, q = z + o;
    for (let row = 0; row < n; row++, g += step, q += step) {
      const d = v128.load(g), r = <usize>row << 2;
      const norm = f32x4.mul(f32x4.sub(v128.load(q), v128.load32_splat(mean + r)), v128.load32_splat(rstd + r));
      dw = fma(d, norm, dw);
      db = f32x4.add(db, d);
    }
    if (accumulate) {
      dw = f32x4.add(dw, v128.load(dweight + o));
      db = f32x4.add(db, v128.load(dbias + o));
    }
    v128.store(dweight + o, dw);
    v128.store(dbias + o, db);
  }
  for (; j < to; j++) {
    const o = <usize>j << 2;
    let dw: f32 = 0, db: f32 = 0;
    for (let row = 0; row < n; row++) {
      const r = <usize>row << 2, d = load<f32>(dy + o + <usize>row * step);
      dw += d * (load<f32>(z + o + <usize>row * step) - load<f32>(mean + r)) * load<f32>(rstd + r);
      db += d;
    }
    store<f32>(dweight + o, accumulate ? load<f32>(dweight + o) + dw : dw);
    store<f32>(dbias + o, accumulate ? load<f32>(dbias + o) + db : db);
  }
}

/** sums[h] (+)= column sums of x[n, h]: the gradient of a bias. Range: blocks of 16 columns. */
export function column_sums(sums: usize, x: usize, n: i32, h: i32, accumulate: i32, begin: i32, end: i32): void {
  const step = <usize>h << 2, to = min(h, end << 4);
  let j = begin << 4;
  for (; j + 16 <= to; j += 16) {
    const o = <usize>j << 2;
    let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
    let p = x + o;
    for (let row = 0; row < n; row++, p += step) {
      a = f32x4.add(a, v128.load(p));
      b = f32x4.add(b, v128.load(p, 16));
      c = f32x4.add(c, v128.load(p, 32));
      d = f32x4.add(d, v128.load(p, 48));
    }
    const q = sums + o;
    v128.store(q, accumulate ? f32x4.add(v128.load(q), a) : a);
    v128.store(q, accumulate ? f32x4.add(v128.load(q, 16), b) : b, 16);
    v128.store(q, accumulate ? f32x4.add(v128.load(q, 32), c) : c, 32);
    v128.store(q, accumulate ? f32x4.add(v128.load(q, 48), d) : d, 48);
  }
  for (; j < to; j++) {
    const o = <usize>j << 2;
    let sum: f32 = 0;
    for (let row = 0; row < n; row++) sum += load<f32>(x + o + <usize>row * step);
    store<f32>(sums + o, accumulate ? load<f32>(sums + o) + sum : sum);
  }
}
