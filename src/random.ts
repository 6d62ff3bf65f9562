/**
 * Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 * The same seed gives the same numbers on every engine; dropout in the kernels uses the same generator.
 *
 * @module
 */

/** The high and low word of a 32 x 32 bit product. */
function multiply(a: number, b: number): [high: number, low: number] {
  const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
  const low = a0 * b0, middle = a1 * b0 + (low >>> 16), cross = a0 * b1 + (middle & 0xffff);
  return [
    (a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0,
    Math.imul(a, b) >>> 0,
  ];
}

/** One block of Philox 4x32-10: four random words of a counter of four words under a key of two. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter, [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [h0, l0] = multiply(0xD2511F53, c0), [h1, l1] = multiply(0xCD9E8D57, c2);
    [c0, c1, c2, c3] = [(h1 ^ c1 ^ k0) >>> 0, l1, (h0 ^ c3 ^ k1) >>> 0, l0];
    k0 = (k0 + 0x9E3779B9) >>> 0;
    k1 = (k1 + 0xBB67AE85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

const double = new Float64Array(1), words = new Uint32Array(double.buffer);

/** ln(x) of a positive normal number by arithmetic alone: engines' `Math.log` differ in the last bit. */
function naturalLog(x: number): number {
  double[0] = x;
  let exponent = (words[1] >>> 20) - 1023;
  words[1] = (words[1] & 0x000fffff) | 0x3ff00000;
  let m = double[0];
  if (m > Math.SQRT2) {
    m /= 2;
    exponent++;
  }
  const s = (m - 1) / (m + 1), q = s * s;
  let sum = 1 / 21;
  for (let n = 19; n >= 1; n -= 2) sum = sum * q + 1 / n;
  return exponent * Math.LN2 + 2 * s * sum;
}

/** A stream of random numbers with a position that can be read and set. */
export class Random {
  /** How many words were drawn; set it to go on from there. */
  position = 0;
  readonly #key: [number, number];
  #block: [number, number, number, number] = [0, 0, 0, 0];
  #blockAt = -1;

  /**
   * A stream from its beginning.
   *
   * @param seed A whole number from 0 to 2^53 - 1.
   * @param stream Streams of one seed are independent. Default 0.
   */
  constructor(seed: number, readonly stream: number = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Cannot use ${seed} as a seed: a whole number from 0 to 2^53 - 1 is wanted`);
    }
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const at = Math.floor(this.position / 4);
    if (at !== this.#blockAt) {
      this.#block = philox4x32([at >>> 0, Math.floor(at / 2 ** 32), this.stream, 0], this.#key);
      this.#blockAt = at;
    }
    return this.#block[this.position++ % 4];
  }

  /** A number in [0, 1) with 32 random bits. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A normally distributed number (Marsaglia's polar method, one of the pair). */
  normal(mean = 0, deviation = 1): number {
    for (;;) {
      const u = 2 * this.uniform() - 1, v = 2 * this.uniform() - 1, s = u * u + v * v;
      if (s > 0 && s < 1) return mean + deviation * u * Math.sqrt(-2 * naturalLog(s) / s);
    }
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** Puts an array into random order, in place (Fisher-Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}
