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
const CACHED = 1e5; // characters remembered; there are 81,000 ideographs

/** What a part of a decomposed character becomes. */
interface Part {
  readonly units: string;
  /** Whether it shares the source of the part before it. */
  readonly added: boolean;
  /** Rank of its combining class, -1 for a starter. */
  readonly rank: number;
}

/** What a character becomes. */
interface Conversion {
  readonly units: string;
  readonly parts: readonly Part[];
  /** Whether a part stays that may have to change places with its neighbours. */
  readonly moves: boolean;
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
  readonly #conversions = new Map<string, Conversion>();

  constructor(options: NormalizerOptions) {
    this.#options = options;
    this.#strip = options.strip_accents ?? options.do_lower_case;
  }

  /** Normalizes `text` from `begin` to `end`, which must not part a surrogate pair. */
  run(text: string, begin: number, end: number): void {
    this.length = 0;
    this.wide = false;
    this.#reserve(end - begin);
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
      const char = charAt(text, i);
      const conversion = this.#convert(char);
      if (conversion.moves) return this.#reorder(text, begin, end);
      this.length = n;
      this.#append(conversion.units, i);
      i += char.length;
      this.#reserve(end - i);
      ({ units, starts, length: n } = this);
    }
    this.length = n;
  }

  /** The normalized units as a string. */
  text(): string {
    let result = "";
    for (let i = 0; i < this.length; i++) result += String.fromCharCode(this.units[i]);
    return result;
  }

  #append(units: string, start: number): void {
    this.#reserve(units.length);
    for (let k = 0; k < units.length; k++) {
      this.starts[this.length] = start;
      this.units[this.length++] = units.charCodeAt(k);
    }
  }

  #convert(char: string): Conversion {
    if (char.length > 1) this.wide = true;
    let conversion = this.#conversions.get(char);
    if (!conversion) {
      const parts = this.#parts(char);
      const units = parts.map((part) => part.units).join("");
      conversion = { units, parts, moves: parts.some((part) => part.rank >= 0 && part.units !== "") };
      if (this.#conversions.size >= CACHED) this.#conversions.clear();
      this.#conversions.set(char, conversion);
      if (units.length === 1 && char.length === 1 && !conversion.moves) {
        this.#single[char.charCodeAt(0)] = units.charCodeAt(0);
      }
    }
    return conversion;
  }

  #parts(char: string): Part[] {
    const { clean_text, tokenize_chinese_chars, do_lower_case } = this.#options;
    const strip = this.#strip;
    if (clean_text && isRemoved(char)) return [];
    if (clean_text && isSpace(char)) char = " ";
    const spaced = tokenize_chinese_chars && isChinese(char) ? [" ", char, " "] : [char];
    return spaced.flatMap((source) =>
      [...strip ? decompose(source) : source].map((part, k) => ({
        units: strip && isMark(part) ? "" : do_lower_case ? lower(part) : part,
        added: k > 0,
        rank: strip && isNonStarter(part) ? combiningRank(part) : -1,
      }))
    );
  }

  // The canonical order of accents decides which source position the parts that stay get.
  #reorder(text: string, begin: number, end: number): void {
    const sources: number[] = [];
    const parts: Part[] = [];
    for (let i = begin, width; i < end; i += width) {
      const char = charAt(text, i);
      width = char.length;
      for (const part of this.#convert(char).parts) {
        if (!part.added) sources.push(i);
        parts.push(part);
      }
    }
    this.length = 0;
    let taken = 0;
    for (let first = 0, last; first < parts.length; first = last) {
      for (last = first + 1; last < parts.length && parts[last].rank >= 0;) last++;
      for (const part of parts.slice(first, last).sort((a, b) => a.rank - b.rank)) {
        if (!part.added) taken++;
        this.#append(part.units, sources[taken - 1]);
      }
    }
  }

  // Makes room for `more` units.
  #reserve(more: number): void {
    const { units, starts } = this;
    const length = this.length + more;
    if (length <= units.length) return;
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
