// Vector helpers shared by all kernels: fused multiply-add, exp, tanh, the normal distribution, partial loads.
// V8 makes a vector constant with three instructions at every use in a loop, unless the same constant was made before the
// loop: hot loops do their first vector ahead of it.
// Everything is our own polynomial code, so that every engine gives the same bits (the relaxed profile aside).

/** a * b + c: one instruction with relaxed SIMD, two otherwise. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** The sum of the four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** a0 + a1, a2 + a3, b0 + b1, b2 + b3. */
// @ts-ignore: decorator
@inline
function pairSums(a: v128, b: v128): v128 {
  return f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
}

/** What sumLanes gives for each of four vectors, in the same order of adding. */
// @ts-ignore: decorator
@inline
export function sumLanesOfFour(a: v128, b: v128, c: v128, d: v128): v128 {
  return pairSums(pairSums(a, b), pairSums(c, d));
}

/** Loads `count` (1 to 3) floats, the other lanes are zero. */
export function loadPartial(p: usize, count: i32): v128 {
  let v = v128.load32_zero(p);
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(p, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(p, 8));
  return v;
}

/** Stores the first `count` (1 to 3) lanes. */
export function storePartial(p: usize, v: v128, count: i32): void {
  store<f32>(p, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(p, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(p, f32x4.extract_lane(v, 2), 8);
}

/** e^r for |r| <= ln 2 / 2. */
// @ts-ignore: decorator
@inline
function expNearZero(r: v128): v128 {
  const square = f32x4.mul(r, r);
  const high = fma(splat(0.00138145999), r, splat(0.00836871564)), low = fma(splat(0.166665211), r, splat(0.49999994));
  const middle = fma(splat(0.0416683890), square, low);
  return f32x4.add(fma(fma(f32x4.mul(high, r), square, middle), square, r), splat(1));
}

/** x - n ln 2, with ln 2 in two parts: the first has few bits, so that the product is exact. */
// @ts-ignore: decorator
@inline
function reduceByLn2(x: v128, n: v128): v128 {
  return fma(n, splat(2.12194440e-4), fma(n, splat(-0.693359375), x));
}

/** e^x within 2 ulp, subnormal results included; 0 below -104, infinity above 88.73, NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, splat(-104)), splat(89)); // as first operand NaN stays
  const n = f32x4.nearest(f32x4.mul(clamped, splat(1.44269504)));
  let p = expNearZero(reduceByLn2(clamped, n));
  const k = i32x4.trunc_sat_f32x4_s(n);
  const k1 = i32x4.shr_s(k, 1), k2 = i32x4.sub(k, k1); // two factors reach subnormals and infinity
  const bias = i32x4.splat(127);
  p = f32x4.mul(p, i32x4.shl(i32x4.add(k1, bias), 23));
  return f32x4.mul(p, i32x4.shl(i32x4.add(k2, bias), 23));
}

/** e^x within 2 ulp for -87.3 <= x <= 0, and e^-87.3 below: half the work of exp4. The default NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function expNegative4(x: v128): v128 {
  const clamped = f32x4.pmax(x, splat(-87.3)), shift = splat(12582912); // 1.5 * 2^23: adding it rounds to an integer,
  const m = fma(clamped, splat(1.44269504), shift); // which then stands in the low bits
  const p = expNearZero(reduceByLn2(clamped, f32x4.sub(m, shift)));
  return i32x4.add(p, i32x4.shl(m, 23));
}

/** tanh(x) within 2 ulp. */
export function tanh4(x: v128): v128 {
  const a = f32x4.abs(x), s = f32x4.mul(x, x);
  let p = fma(splat(-0.00571703678), s, splat(0.0206505787));
  p = fma(p, s, splat(-0.0537434965));
  p = fma(p, s, splat(0.133314908));
  p = fma(p, s, splat(-0.333332837));
  const small = fma(f32x4.mul(p, s), x, x);
  const e = exp4(f32x4.add(a, a));
  const large = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(e, splat(1))));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(a, splat(0.625)));
}

/** erf(z) for 0 <= z <= 1, relative error 1e-7. */
// @ts-ignore: decorator
@inline
export function erfSmall(z: v128): v128 {
  const s = f32x4.mul(z, z);
  let p = fma(splat(7.85385782e-5), s, splat(-8.01019254e-4));
  p = fma(p, s, splat(0.00518832775));
  p = fma(p, s, splat(-0.026853811));
  p = fma(p, s, splat(0.112835854));
  p = fma(p, s, splat(-0.37612626));
  p = fma(p, s, splat(0.128379166));
  return fma(p, z, z);
}

/** erfc(z) * e^(z^2) for z >= 0.84, relative error 1e-7. */
// @ts-ignore: decorator
@inline
export function scaledErfc(z: v128): v128 {
  const t = f32x4.div(splat(1), f32x4.add(z, splat(2)));
  let p = fma(splat(-2.85400891), t, splat(-2.65837574));
  p = fma(p, t, splat(6.9489012));
  p = fma(p, t, splat(0.658137679));
  p = fma(p, t, splat(1.34969807));
  p = fma(p, t, splat(0.544832349));
  return fma(p, t, splat(6.9675938e-4));
}

/** erf(x) within 2 ulp. */
export function erf4(x: v128): v128 {
  const z = f32x4.abs(x);
  const e = exp4(f32x4.neg(f32x4.mul(z, z)));
  const large = f32x4.sub(splat(1), f32x4.mul(e, scaledErfc(z)));
  const y = v128.bitselect(erfSmall(z), large, f32x4.lt(z, splat(0.84)));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

/** Natural logarithm of a positive, normal number, in double precision (losses only). */
export function log64(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  let e = <i32>((bits >> 52) & 0x7ff) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e += 1;
  }
  const s = (m - 1) / (m + 1), q = s * s;
  let p: f64 = 1.0 / 21;
  for (let n = 19; n >= 1; n -= 2) p = p * q + 1.0 / <f64>n;
  return <f64>e * 0.6931471805599453 + 2 * s * p;
}
