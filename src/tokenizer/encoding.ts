/**
 * One row of a batch: windows on the tokens of one or two sequences, the template's special tokens
 * around them, and padding. Nothing is copied until a column is asked for.
 *
 * @module
 */

import type { TokenSequence } from "./token_buffer.ts";

/** Tokens [begin, end) of a sequence. */
export interface TokenWindow {
  readonly tokens: TokenSequence;
  readonly begin: number;
  readonly end: number;
}

/** A token that the tokenizer puts in by itself. */
export interface FixedToken {
  readonly id: number;
  readonly text: string;
}

/** The special tokens of the template [CLS] A [SEP] B [SEP]. */
export interface Template {
  readonly cls: FixedToken;
  readonly sep: FixedToken;
}

const START = 1;
const END = 2;
const WORD = 3;
const NO_TOKEN: FixedToken = { id: 0, text: "" };

/** One encoded row. */
export class Encoding {
  /** Number of tokens, with special tokens and padding. */
  size: number;
  readonly #windows: readonly TokenWindow[];
  readonly #template: Template | null;
  readonly #begins: number[] = []; // where each window begins in the row
  #left = 0;
  #right = 0;
  #pad = NO_TOKEN;

  /**
   * @param windows The tokens of the first and the second sequence.
   * @param template The special tokens to put around them, or `null`.
   */
  constructor(windows: readonly TokenWindow[], template: Template | null) {
    this.#windows = windows;
    this.#template = template;
    this.size = template ? 1 : 0;
    for (const { begin, end } of windows) {
      this.#begins.push(this.size);
      this.size += end - begin + (template ? 1 : 0);
    }
  }

  /** Number of sequences. */
  get sequences(): number {
    return this.#windows.length;
  }

  /** Pads to `length` tokens, if the row is shorter. */
  padTo(length: number, side: "left" | "right", pad: FixedToken): void {
    const missing = Math.max(0, length - this.size);
    this.#pad = pad;
    this.size += missing;
    if (side === "right") this.#right = missing;
    else {
      this.#left = missing;
      for (let i = 0; i < this.#begins.length; i++) this.#begins[i] += missing;
    }
  }

  /** A token id for every position. */
  ids(): number[] {
    return this.#column(
      ({ tokens: { rows, base } }, i) => rows[base + 4 * i],
      (token) => token.id,
      () => this.#pad.id,
    );
  }

  /** 0 for the first sequence and padding, 1 for the second. */
  typeIds(): number[] {
    return this.#constants(0, 0, 1, 0, 1);
  }

  /** 1 for tokens, 0 for padding. */
  attentionMask(): number[] {
    return this.#constants(0, 1, 1, 1, 1);
  }

  /** 1 for the template's tokens and padding. */
  specialTokensMask(): number[] {
    return this.#constants(1, 0, 0, 1, 1);
  }

  /** Start and end in the text. */
  offsets(): [number, number][] {
    const none = (): [number, number] => [0, 0];
    return this.#column(
      ({ tokens: { rows, base } }, i) => [rows[base + 4 * i + START], rows[base + 4 * i + END]],
      none,
      none,
    );
  }

  /** Words, counted in each sequence. */
  words(): (number | null)[] {
    return this.#column<number | null>(
      ({ tokens }, i) => tokens.rows[tokens.base + 4 * i + WORD],
      () => null,
      () => null,
    );
  }

  /** Sequences: 0 or 1. */
  sequenceIds(): (number | null)[] {
    return this.#constants<number | null>(null, 0, 1, null, null);
  }

  /** Token texts; `textOf` gives those of the vocabulary. */
  texts(textOf: (id: number) => string): string[] {
    return this.#column(
      ({ tokens }, i) => tokens.texts?.get(i) ?? textOf(tokens.rows[tokens.base + 4 * i]),
      (token) => token.text,
      () => this.#pad.text,
    );
  }

  /** The sequence of a position, `null` for special tokens, padding and beyond the row. */
  sequenceOf(position: number): number | null {
    const sequence = this.#windows.findIndex(({ begin, end }, k) =>
      position >= this.#begins[k] && position < this.#begins[k] + end - begin
    );
    return sequence < 0 ? null : sequence;
  }

  /** The word of a position. */
  wordOf(position: number): number | null {
    return this.#field(position, WORD);
  }

  /** The characters of a position. */
  charsOf(position: number): [start: number, end: number] | null {
    const start = this.#field(position, START);
    return start === null ? null : [start, this.#field(position, END)!];
  }

  /** The position of the token that holds a character. */
  positionOfChar(char: number, sequence: number): number | null {
    const [begin, end] = this.#range(sequence);
    for (let i = begin; i < end; i++) {
      const chars = this.charsOf(i);
      if (chars && char >= chars[0] && char < chars[1]) return i;
    }
    return null;
  }

  /** The positions [begin, end) of a word. */
  positionsOfWord(word: number, sequence: number): [begin: number, end: number] | null {
    const [begin, end] = this.#range(sequence);
    let result: [number, number] | null = null;
    for (let i = begin; i < end; i++) {
      const found = this.wordOf(i);
      if (found !== null && found > word) break;
      if (found === word) result = [result ? result[0] : i, i + 1];
    }
    return result;
  }

  // Builds a column from the value of a token, of a special token and of padding.
  #column<T>(
    token: (window: TokenWindow, i: number) => T,
    special: (token: FixedToken) => T,
    pad: () => T,
  ): T[] {
    const out: T[] = [];
    for (let i = 0; i < this.#left; i++) out.push(pad());
    if (this.#template) out.push(special(this.#template.cls));
    for (const window of this.#windows) {
      for (let i = window.begin; i < window.end; i++) out.push(token(window, i));
      if (this.#template) out.push(special(this.#template.sep));
    }
    for (let i = 0; i < this.#right; i++) out.push(pad());
    return out;
  }

  // Builds a column from a value for padding, the tokens of each sequence and the special tokens around each.
  #constants<T>(pad: T, first: T, second: T, aroundFirst: T, aroundSecond: T): T[] {
    const out: T[] = [];
    for (let i = 0; i < this.#left; i++) out.push(pad);
    if (this.#template) out.push(aroundFirst);
    for (let k = 0; k < this.#windows.length; k++) {
      const value = k === 0 ? first : second;
      for (let i = this.#windows[k].begin; i < this.#windows[k].end; i++) out.push(value);
      if (this.#template) out.push(k === 0 ? aroundFirst : aroundSecond);
    }
    for (let i = 0; i < this.#right; i++) out.push(pad);
    return out;
  }

  #field(position: number, field: number): number | null {
    const sequence = this.sequenceOf(position);
    if (sequence === null) return null;
    const { tokens, begin } = this.#windows[sequence];
    return tokens.rows[tokens.base + 4 * (begin + position - this.#begins[sequence]) + field];
  }

  // The positions of a sequence; all, if there is none of that number.
  #range(sequence: number): [begin: number, end: number] {
    const window = this.#windows[sequence];
    const begin = this.#begins[sequence];
    return window ? [begin, begin + window.end - window.begin] : [0, this.size];
  }
}
