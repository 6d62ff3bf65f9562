/**
 * How often each word comes in a text, for training a vocabulary. The words lie side by side in one array, so that
 * millions of them cost little more than their letters.
 *
 * @module
 */

import type { Normalizer } from "./normalizer.ts";
import { segmentEnd } from "./pipeline.ts";
import { WordSplitter } from "./word_splitter.ts";

/** Counts the words of texts. */
export class WordCounts extends WordSplitter<null> {
  /** Number of different words. */
  size = 0;
  readonly #normalizer: Normalizer;
  #units = new Uint16Array(1 << 12); // the words, one behind the other
  #ends = new Int32Array(1 << 10); // where each word ends in it
  #counts = new Float64Array(1 << 10);
  #hashes = new Int32Array(1 << 10);
  #table = new Int32Array(1 << 11).fill(-1); // open addressing: words by hash

  constructor(normalizer: Normalizer) {
    super();
    this.#normalizer = normalizer;
  }

  /** Counts the words of a text. */
  add(text: string): void {
    for (let begin = 0; begin < text.length;) {
      const end = segmentEnd(text, begin, text.length);
      this.#normalizer.run(text, begin, end);
      this.run(this.#normalizer.units, 0, this.#normalizer.length, null);
      begin = end;
    }
  }

  /** The code points of a word. */
  chars(word: number): number[] {
    const chars: number[] = [], units = this.#units, end = this.#ends[word];
    for (let i = this.#begin(word); i < end; i++) {
      const isPair = (units[i] & 0xfc00) === 0xd800; // the normalizer leaves no halves
      chars.push(isPair ? 0x10000 + ((units[i] & 0x3ff) << 10) + (units[++i] & 0x3ff) : units[i]);
    }
    return chars;
  }

  /** How often a word came. */
  count(word: number): number {
    return this.#counts[word];
  }

  #begin(word: number): number {
    return word > 0 ? this.#ends[word - 1] : 0;
  }

  protected override word(
    units: Uint16Array,
    begin: number,
    end: number,
    _chars: number,
    hash: number,
  ): void {
    const mask = this.#table.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let word; (word = this.#table[slot]) >= 0; slot = (slot + 1) & mask) {
      if (this.#hashes[word] === hash && this.#equals(word, units, begin, end)) {
        this.#counts[word]++;
        return;
      }
    }
    this.#table[slot] = this.size;
    this.#append(units.subarray(begin, end), hash);
  }

  #equals(word: number, units: Uint16Array, begin: number, end: number): boolean {
    const own = this.#units;
    let at = this.#begin(word);
    if (this.#ends[word] - at !== end - begin) return false;
    for (let i = begin; i < end; i++) if (units[i] !== own[at++]) return false;
    return true;
  }

  #append(units: Uint16Array, hash: number): void {
    const word = this.size++, begin = this.#begin(word), end = begin + units.length;
    if (end > this.#units.length) this.#units = grown(this.#units, new Uint16Array(2 * end));
    this.#units.set(units, begin);
    this.#ends[word] = end;
    this.#hashes[word] = hash;
    this.#counts[word] = 1;
    if (this.size === this.#ends.length) this.#grow();
  }

  #grow(): void {
    const length = 2 * this.size;
    this.#ends = grown(this.#ends, new Int32Array(length));
    this.#hashes = grown(this.#hashes, new Int32Array(length));
    this.#counts = grown(this.#counts, new Float64Array(length));
    const table = this.#table = new Int32Array(2 * length).fill(-1), mask = table.length - 1;
    for (let word = 0; word < this.size; word++) {
      const hash = this.#hashes[word];
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (table[slot] >= 0) slot = (slot + 1) & mask;
      table[slot] = word;
    }
  }
}

function grown<T extends Uint16Array | Int32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
