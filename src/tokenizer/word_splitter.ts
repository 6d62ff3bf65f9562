/**
 * Pre-tokenization: white space splits normalized text into words, punctuation stands alone.
 *
 * @module
 */

import { isPunctuation, isSpace } from "./unicode.ts";

const WORD = 1;
const SPACE = 2;
const PUNCTUATION = 3;
const PAIR = 4; // half of a surrogate pair
const kinds = new Uint8Array(0x10000); // kind of each code unit, 0 = not looked up yet

/** Finds the words of normalized units; a subclass says what becomes of them. */
export abstract class WordSplitter<Out> {
  /** Takes each word of the normalized units [first, end). */
  run(units: Uint16Array, first: number, end: number, out: Out): void {
    for (let i = first; i < end;) {
      const begin = i;
      let kind = kinds[units[i]] || lookUp(units[i]);
      if (kind === SPACE) {
        i++;
        continue;
      }
      const alone = kind === PUNCTUATION || kind === PAIR && isPunctuationPair(units, i);
      let chars = 0;
      let hash = 0;
      do {
        hash = Math.imul(hash ^ units[i++], 0x9e3779b1);
        if (kind === PAIR) hash = Math.imul(hash ^ units[i++], 0x9e3779b1);
        chars++;
        kind = i < end && !alone ? kinds[units[i]] || lookUp(units[i]) : SPACE;
      } while (kind === WORD || kind === PAIR && !isPunctuationPair(units, i));
      this.word(units, begin, i, chars, hash, out);
    }
  }

  /** Takes the word `units[begin, end)`, of so many code points. */
  protected abstract word(
    units: Uint16Array,
    begin: number,
    end: number,
    chars: number,
    hash: number,
    out: Out,
  ): void;
}

function isPunctuationPair(units: Uint16Array, i: number): boolean {
  return isPunctuation(String.fromCharCode(units[i], units[i + 1]));
}

function lookUp(unit: number): number {
  const char = String.fromCharCode(unit);
  return kinds[unit] = unit >> 11 === 0x1b
    ? PAIR
    : isSpace(char)
    ? SPACE
    : isPunctuation(char)
    ? PUNCTUATION
    : WORD;
}
