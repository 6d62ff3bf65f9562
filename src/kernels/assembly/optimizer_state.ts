// AdamW's moments in fewer bits. Both forms round at random, so that an average over many steps is right: v changes by a
// thousandth a step, which rounding to nearest would lose. The random bits follow from the value's number and the step.
//
//   bfloat16: the upper 16 bits of m and of v.
//   8 bits: blocks of 256 values: { i32 base of m; i32 base of v * 32 + shift; u8 m[n]; u8 v[n] }, n rounded up to 4.
//     m: a sign and 7 bits, v: 8 bits; 0 is zero, c > 0 the float with bits (base + c - 1) << shift. So m has 3 bits of
//     mantissa over 16 powers of two below the block's largest, and v 3 to 6 over 32 to 4, as many as the block spans.
//     What is smaller becomes the least value in v (a smaller step), and zero in m.

/** Values of a block. */
export const BLOCK: i32 = 256;
/** Bits that a moment m loses, and the fewest and most that v loses. */
const M_SHIFT: i32 = 20, V_SHIFT: i32 = 17, LAST_V_SHIFT: i32 = 20;

/** Bytes of a block of n values. */
// @ts-ignore: decorator
@inline
export function blockBytes(n: i32): usize {
  return 8 + (<usize>(n + 3 & -4) << 1);
}

/** Bytes of a run of n values: whole blocks and a rest. */
export function runBytes(n: i32): usize {
  const rest = n & BLOCK - 1;
  return <usize>(n / BLOCK) * blockBytes(BLOCK) + (rest == 0 ? 0 : blockBytes(rest));
}

/** 32 random bits a lane, of a counter and a key (the finaliser "lowbias32" of https://nullprogram.com/blog/2018/07/31/). */
// @ts-ignore: decorator
@inline
export function randomBits(counter: v128, key: v128): v128 {
  let x = i32x4.mul(v128.xor(counter, key), i32x4.splat(0x9E3779B1));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x7feb352d));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), i32x4.splat(0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

/** Four values of bfloat16. */
// @ts-ignore: decorator
@inline
export function loadBfloat16(p: usize): v128 {
  return i32x4.shl(v128.load_ext<u16>(p), 16);
}

/** Four values as bfloat16; the lower 16 of the random bits count. */
// @ts-ignore: decorator
@inline
export function storeBfloat16(p: usize, x: v128, random: v128): void {
  const rounded = i32x4.shr_u(i32x4.add(x, v128.and(random, i32x4.splat(0xffff))), 16);
  v128.store64_lane(p, i16x8.narrow_i32x4_u(rounded, rounded), 0);
}

/** Four bytes, a lane each. */
// @ts-ignore: decorator
@inline
function loadBytes(p: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p)));
}

// @ts-ignore: decorator
@inline
function storeBytes(p: usize, x: v128): void {
  const half = i16x8.narrow_i32x4_u(x, x);
  v128.store32_lane(p, i8x16.narrow_i16x8_u(half, half), 0);
}

/** m[n] and v[n] of a block, to floats; n is rounded up to 4. */
export function decodeBlock(m: usize, v: usize, block: usize, n: i32): void {
  const word = load<i32>(block, 4), shift = word & 31, one = i32x4.splat(1), low7 = i32x4.splat(127);
  const baseM = i32x4.splat(load<i32>(block) - 1), baseV = i32x4.splat((word >> 5) - 1), zero = i32x4.splat(0);
  let codeM = block + 8;
  const whole = <usize>(n + 3 & -4), end = codeM + whole;
  for (let codeV = end; codeM < end; codeM += 4, codeV += 4, m += 16, v += 16) {
    const c = loadBytes(codeM), d = loadBytes(codeV), size = v128.and(c, low7);
    const bits = v128.and(i32x4.shl(i32x4.add(baseM, size), M_SHIFT), i32x4.ge_s(size, one));
    v128.store(m, v128.or(bits, i32x4.shl(i32x4.shr_u(c, 7), 31)));
    v128.store(v, v128.andnot(i32x4.shl(i32x4.add(baseV, d), shift), i32x4.eq(d, zero)));
  }
}

/**
 * m[n] and v[n] from floats to a block; n is rounded up to 4.
 *
 * @param first The number of the first value, `key` that of the step.
 */
export function encodeBlock(block: usize, m: usize, v: usize, n: i32, first: i32, key: v128): void {
  const zero = i32x4.splat(0), one = i32x4.splat(1), magnitude = i32x4.splat(0x7fffffff), most = magnitude;
  let topM = zero, topV = zero, leastV = most;
  const bytes = <usize>(n + 3 & -4) << 2;
  for (let p = m, q = v, end = m + bytes; p < end; p += 16, q += 16) {
    topM = i32x4.max_s(topM, v128.and(v128.load(p), magnitude));
    const bits = v128.load(q);
    topV = i32x4.max_s(topV, bits);
    leastV = i32x4.min_s(leastV, v128.bitselect(most, bits, i32x4.eq(bits, zero)));
  }
  const largestV = largest(topV), smallestV = 0x7fffffff - largest(i32x4.sub(most, leastV));
  let shift = V_SHIFT;
  while (shift < LAST_V_SHIFT && (largestV >> shift) + 1 - (smallestV >> shift) > 254) shift++;
  // The random bits may raise the largest value to the level above its own.
  const baseM = (largest(topM) >> M_SHIFT) - 125, baseV = (largestV >> shift) - 253;
  store<i32>(block, baseM);
  store<i32>(block, baseV << 5 | shift, 4);
  const lowM = i32x4.splat((1 << M_SHIFT) - 1), lowV = i32x4.splat((1 << shift) - 1);
  const fromM = i32x4.splat(baseM - 1), fromV = i32x4.splat(baseV - 1), sign = i32x4.splat(128), last = i32x4.splat(255);
  const four = i32x4.splat(4);
  let counter = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3)), codeM = block + 8;
  const end = codeM + (bytes >> 2);
  for (let codeV = end; codeM < end; codeM += 4, codeV += 4, m += 16, v += 16) {
    const random = randomBits(counter, key), x = v128.load(m), y = v128.load(v);
    counter = i32x4.add(counter, four);
    const size = i32x4.shr_u(i32x4.add(v128.and(x, magnitude), v128.and(random, lowM)), M_SHIFT);
    const c = i32x4.min_s(i32x4.max_s(i32x4.sub(size, fromM), zero), i32x4.splat(127));
    storeBytes(codeM, v128.or(c, v128.and(i32x4.shr_u(x, 24), sign)));
    const level = i32x4.shr_u(i32x4.add(y, v128.and(i32x4.shr_u(random, 12), lowV)), shift);
    const d = i32x4.min_s(i32x4.max_s(i32x4.sub(level, fromV), one), last);
    storeBytes(codeV, v128.andnot(d, i32x4.eq(y, zero)));
  }
}

/** The largest of four lanes that are not negative. */
function largest(x: v128): i32 {
  return max(max(i32x4.extract_lane(x, 0), i32x4.extract_lane(x, 1)), max(i32x4.extract_lane(x, 2), i32x4.extract_lane(x, 3)));
}
