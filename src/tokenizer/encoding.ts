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

/** One encoded row. */
export class Encoding {
  /** The tokens of the first and the second sequence. */
  readonly windows: readonly TokenWindow[];
  /** Number of tokens, with special tokens and padding. */
  size: number;
  readonly #template: Template | null;
  #left = 0;
  #right = 0;
  #pad: FixedToken = { id: 0, text: "" };

  /**
   * @param windows The tokens of the first and the second sequence.
   * @param template The special tokens to put around them, or `null`.
   */
  constructor(windows: readonly TokenWindow[], template: Template | null) {
    this.windows = windows;
    this.#template = template;
    this.size = template ? 1 : 0;
    for (const { begin, end } of windows) this.size += end - begin + (template ? 1 : 0);
  }

  /** Pads to `length` tokens, if the row is shorter. */
  padTo(length: number, side: "left" | "right", pad: FixedToken): void {
    const missing = Math.max(0, length - this.size);
    this.#pad = pad;
    this.size += missing;
    if (side === "right") this.#right = missing;
    else this.#left = missing;
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
    return this.#column((_window, _i, sequence) => sequence, (_token, sequence) => sequence, () => 0);
  }

  /** 1 for tokens, 0 for padding. */
  attentionMask(): number[] {
    return this.#column(() => 1, () => 1, () => 0);
  }

  /** 1 for the template's tokens and padding. */
  specialTokensMask(): number[] {
    return this.#column(() => 0, () => 1, () => 1);
  }

  /** Sequences: 0 or 1. */
  sequenceIds(): (number | null)[] {
    return this.#column<number | null>((_window, _i, sequence) => sequence, () => null, () => null);
  }

  /** Words, counted in each sequence. */
  words(): (number | null)[] {
    return this.#column<number | null>(
      ({ tokens: { rows, base } }, i) => rows[base + 4 * i + WORD],
      () => null,
      () => null,
    );
  }

  /** Start and end in the text. */
  offsets(): [start: number, end: number][] {
    return this.#column(
      ({ tokens: { rows, base } }, i) => [rows[base + 4 * i + START], rows[base + 4 * i + END]],
      () => [0, 0],
      () => [0, 0],
    );
  }

  /** Token texts; `textOf` gives those of the vocabulary. */
  texts(textOf: (id: number) => string): string[] {
    return this.#column(
      ({ tokens: { rows, base, texts } }, i) => texts?.get(i) ?? textOf(rows[base + 4 * i]),
      (token) => token.text,
      () => this.#pad.text,
    );
  }

  // Builds a column from the value of a token, of a special token and of padding.
  #column<T>(
    token: (window: TokenWindow, i: number, sequence: number) => T,
    special: (token: FixedToken, sequence: number) => T,
    pad: () => T,
  ): T[] {
    const out: T[] = [];
    const template = this.#template;
    for (let i = 0; i < this.#left; i++) out.push(pad());
    if (template) out.push(special(template.cls, 0));
    this.windows.forEach((window, sequence) => {
      for (let i = window.begin; i < window.end; i++) out.push(token(window, i, sequence));
      if (template) out.push(special(template.sep, sequence));
    });
    for (let i = 0; i < this.#right; i++) out.push(pad());
    return out;
  }
}
