/**
 * BertNormalizer: clean, space out ideographs, decompose and strip accents, lower case; with the source
 * position of every code unit of the result. Most characters map to one unit through a table that
 * fills as characters appear.
 *
 * @module
 */

import {
  combiningRank,
  decompose,
  isChinese,
  isKeptMark,
  isMark,
  isNonStarter,
  isRemoved,
  isSpace,
  lower,
} from "./unicode.ts";

/** What the normalizer does; the names are those of the files. */
export interface NormalizerOptions {
  /** Drop control characters and turn all white space into spaces. */
  readonly clean_text: boolean;
  /** Put spaces around Chinese characters. */
  readonly tokenize_chinese_chars: boolean;
  /** Strip accents; `null` follows `do_lower_case`. */
  readonly strip_accents: boolean | null;
  /** Turn everything into lower case. */
  readonly do_lower_case: boolean;
}

const SLOW = -1; // not seen yet, or not one unit to one unit
const CACHED = 1 << 17; // characters remembered; there are 81,000 ideographs

/** A decomposed character. */
interface Part {
  readonly char: string;
  /** Whether it shares the source of the part before it. */
  readonly added: boolean;
  /** Rank of its combining class, -1 for a starter. */
  readonly rank: number;
}

/** Normalizes ranges of a text into `units`, `starts` and `length`. */
export class Normalizer {
  /** Code units of the normalized text. */
  units: Uint16Array = new Uint16Array(1024);
  /** For each unit, where its source character starts in the text. */
  starts: Int32Array = new Int32Array(1024);
  /** Number of units. */
  length = 0;
  /** Whether some source character was a surrogate pair. */
  wide = false;
  readonly #options: NormalizerOptions;
  readonly #strip: boolean;
  readonly #single = new Int32Array(0x10000).fill(SLOW); // code unit -> unit
  readonly #several = new Map<string, string>(); // character -> units
  readonly #kept = new Set<string>(); // characters whose order with their neighbours matters
  readonly #parts = new Map<string, Part[]>();

  constructor(options: NormalizerOptions) {
    this.#options = options;
    this.#strip = options.strip_accents ?? options.do_lower_case;
  }

  /** Normalizes `text` from `begin` to `end`, which must not part a surrogate pair. */
  run(text: string, begin: number, end: number): void {
    this.#reserve(end - begin);
    this.wide = false;
    const single = this.#single;
    let { units, starts } = this;
    let n = 0;
    for (let i = begin; i < end;) {
      const mapped = single[text.charCodeAt(i)];
      if (mapped >= 0) {
        units[n] = mapped;
        starts[n++] = i++;
        continue;
      }
      this.length = n;
      i = this.#slow(text, begin, i, end);
      n = this.length;
      this.#reserve(n + end - i);
      ({ units, starts } = this);
    }
    this.length = n;
  }

  /** The normalized units as a string. */
  text(): string {
    let result = "";
    for (let i = 0; i < this.length; i += 4096) {
      result += String.fromCharCode(...this.units.subarray(i, Math.min(i + 4096, this.length)));
    }
    return result;
  }

  // Appends what the character at `i` becomes; returns where the next one starts.
  #slow(text: string, begin: number, i: number, end: number): number {
    const char = charAt(text, i);
    if (char.length > 1) this.wide = true;
    let result = this.#several.get(char);
    if (result === undefined) {
      if (this.#several.size >= CACHED) this.#several.clear();
      result = this.#convert(char);
      if (result.length !== 1 || char.length !== 1 || this.#kept.has(char)) this.#several.set(char, result);
      else this.#single[char.charCodeAt(0)] = result.charCodeAt(0);
    }
    if (this.#kept.has(char)) return this.#cluster(text, begin, i, end);
    this.#append(result, i);
    return i + char.length;
  }

  #append(result: string, start: number): void {
    this.#reserve(this.length + result.length);
    for (let k = 0; k < result.length; k++) {
      this.starts[this.length] = start;
      this.units[this.length++] = result.charCodeAt(k);
    }
  }

  // What one character becomes when its neighbours do not matter.
  #convert(char: string): string {
    let result = "";
    for (const source of this.#spaced(char)) {
      for (const part of this.#strip ? decompose(source) : source) {
        if (this.#strip && isKeptMark(part)) this.#kept.add(char);
        if (!this.#strip || !isMark(part)) result += this.#lower(part);
      }
    }
    return result;
  }

  #lower(char: string): string {
    return this.#options.do_lower_case ? lower(char) : char;
  }

  // Cleaning and the spaces around ideographs.
  #spaced(char: string): string {
    if (this.#options.clean_text) {
      if (isRemoved(char)) return "";
      if (isSpace(char)) return " ";
    }
    return this.#options.tokenize_chinese_chars && isChinese(char) ? ` ${char} ` : char;
  }

  #decomposed(char: string): Part[] {
    let parts = this.#parts.get(char);
    if (parts === undefined) {
      if (this.#parts.size >= CACHED) this.#parts.clear();
      parts = [...this.#spaced(char)].flatMap((source) =>
        [...decompose(source)].map((part, k) => {
          return { char: part, added: k > 0, rank: isNonStarter(part) ? combiningRank(part) : -1 };
        })
      );
      this.#parts.set(char, parts);
    }
    return parts;
  }

  // A base character with its marks, one of which is kept: the canonical order decides the positions.
  #cluster(text: string, begin: number, i: number, end: number): number {
    let first = i;
    while (first > begin && this.#decomposed(charAt(text, first)).every((part) => part.rank >= 0)) {
      first -= first - 1 > begin && charAt(text, first - 2).length === 2 ? 2 : 1;
    }
    while (this.length > 0 && this.starts[this.length - 1] >= first) this.length--;

    const sources: number[] = [];
    const parts: Part[] = [];
    let next = first;
    while (next < end) {
      const char = charAt(text, next);
      const more = this.#decomposed(char);
      if (next > i && more.length > 0 && more[0].rank < 0) break;
      for (const part of more) {
        if (!part.added) sources.push(next);
        parts.push(part);
      }
      next += char.length;
    }
    let cursor = 0;
    for (const part of canonicalOrder(parts)) {
      if (!part.added) cursor++;
      if (!isMark(part.char)) this.#append(this.#lower(part.char), sources[cursor - 1]);
    }
    return next;
  }

  #reserve(length: number): void {
    if (length <= this.units.length) return;
    const { units, starts } = this;
    this.units = new Uint16Array(length * 2);
    this.units.set(units);
    this.starts = new Int32Array(length * 2);
    this.starts.set(starts);
  }
}

// The code point at `i`; half of a surrogate pair reads as U+FFFD, as in UTF-8.
function charAt(text: string, i: number): string {
  const code = text.codePointAt(i)!;
  return code >= 0xd800 && code < 0xe000 ? "\ufffd" : String.fromCodePoint(code);
}

// Sorts every run of non-starters by combining class, stably and in place.
function canonicalOrder(parts: Part[]): Part[] {
  for (let begin = 0, end; begin < parts.length; begin = end + 1) {
    for (end = begin; end < parts.length && parts[end].rank >= 0;) end++;
    const run = parts.slice(begin, end).sort((a, b) => a.rank - b.rank);
    for (let i = 0; i < run.length; i++) parts[begin + i] = run[i];
  }
  return parts;
}
