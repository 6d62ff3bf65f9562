/**
 * The result of a tokenizer call: the columns for the model, and the maps between characters, words and tokens.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import type { CallOptions } from "./call_options.ts";
import type { Encoding } from "./encoding.ts";

/** A flat array for one text, an array of arrays for a batch. */
export type Rows<Batched extends boolean, T> = Batched extends true ? T[][] : T[];

/** Start (inclusive) and end (exclusive) in UTF-16 units, so that `text.slice(...offset)` is the token. */
export type Offset = [start: number, end: number];

/** A range of characters or tokens: `start` inclusive, `end` exclusive. */
export interface Span {
  /** The first. */
  start: number;
  /** The one after the last. */
  end: number;
}

// Each column, the option that asks for it, and what a row gives to it.
const COLUMNS: [name: string, option: keyof CallOptions | "", build: (row: Encoding) => unknown[]][] = [
  ["input_ids", "", (row) => row.ids()],
  ["token_type_ids", "return_token_type_ids", (row) => row.typeIds()],
  ["attention_mask", "return_attention_mask", (row) => row.attentionMask()],
  ["special_tokens_mask", "return_special_tokens_mask", (row) => row.specialTokensMask()],
  ["offset_mapping", "return_offsets_mapping", (row) => row.offsets()],
];

/** The columns of a row by position, and whether a position belongs to a text. */
interface TokenMap {
  readonly sequences: (number | null)[];
  readonly words: (number | null)[];
  readonly offsets: Offset[];
  readonly holds: (sequence: number, position: number) => boolean;
}

/**
 * What a tokenizer call returns, as `BatchEncoding` of transformers: plain arrays by name; only the columns
 * that were asked for are there. Methods that take `(batch_index, index)` also take `(index)` alone for row 0.
 */
export class BatchEncoding<Batched extends boolean = boolean> {
  /** Token ids. */
  declare readonly input_ids: Rows<Batched, number>;
  /** 0 for tokens of the first text, 1 for the second. */
  declare readonly token_type_ids: Rows<Batched, number>;
  /** 1 for tokens, 0 for padding. */
  declare readonly attention_mask: Rows<Batched, number>;
  /** 1 for [CLS], [SEP] and padding; with `return_special_tokens_mask`. */
  declare readonly special_tokens_mask?: Rows<Batched, number>;
  /** Place of each token in its text, [0, 0] for special tokens; with `return_offsets_mapping`. */
  declare readonly offset_mapping?: Rows<Batched, Offset>;
  /** Number of tokens of each row; with `return_length`. */
  declare readonly length?: number[];
  /** The text that each row comes from; with `return_overflowing_tokens`. */
  declare readonly overflow_to_sample_mapping?: number[];
  readonly #encodings: readonly Encoding[];
  readonly #textOf: (id: number) => string;
  readonly #maps = new Map<Encoding, TokenMap>();

  /**
   * Made by the tokenizer.
   *
   * @internal
   */
  constructor(
    samples: readonly (readonly Encoding[])[],
    batched: boolean,
    options: CallOptions,
    inputs: readonly string[],
    textOf: (id: number) => string,
  ) {
    const rows = this.#encodings = samples.length === 1 ? samples[0] : samples.flat();
    this.#textOf = textOf;
    const data = this as Record<string, unknown>;
    for (const [name, option, build] of COLUMNS) {
      const wanted = option === "" || (options[option] ?? inputs.includes(name));
      if (wanted) data[name] = batched ? rows.map(build) : build(rows[0]);
    }
    if (options.return_length) data.length = rows.map((row) => row.size);
    if (options.return_overflowing_tokens) {
      data.overflow_to_sample_mapping = samples.flatMap((encodings, i) => encodings.map(() => i));
    }
  }

  /** Number of texts in each row: 1, or 2 for pairs. */
  get n_sequences(): number {
    return this.#row(0).windows.length;
  }

  /**
   * The tokens of a row.
   *
   * @param batch_index The row.
   * @throws TokenizerError if there is no such row.
   */
  tokens(batch_index = 0): string[] {
    return this.#row(batch_index).texts(this.#textOf);
  }

  /**
   * For each token of a row the word it belongs to, `null` for special tokens and padding.
   *
   * @param batch_index The row.
   * @throws TokenizerError if there is no such row.
   */
  word_ids(batch_index = 0): (number | null)[] {
    return this.#row(batch_index).words();
  }

  /**
   * For each token of a row the text it comes from: 0, 1, or `null` for special tokens and padding.
   *
   * @param batch_index The row.
   * @throws TokenizerError if there is no such row.
   */
  sequence_ids(batch_index = 0): (number | null)[] {
    return this.#row(batch_index).sequenceIds();
  }

  /** The text (0 or 1) that a token comes from, or `null`. */
  token_to_sequence(batch_or_token_index: number, token_index?: number): number | null {
    const [map, token] = this.#locate(batch_or_token_index, token_index);
    return map.sequences[token] ?? null;
  }

  /** The word that a token belongs to, or `null`. */
  token_to_word(batch_or_token_index: number, token_index?: number): number | null {
    const [map, token] = this.#locate(batch_or_token_index, token_index);
    return map.words[token] ?? null;
  }

  /** The characters of a token, or `null`. */
  token_to_chars(batch_or_token_index: number, token_index?: number): Span | null {
    const [map, token] = this.#locate(batch_or_token_index, token_index);
    if (map.words[token] == null) return null;
    const [start, end] = map.offsets[token];
    return { start, end };
  }

  /** The tokens of a word of text `sequence_index`, or `null`. */
  word_to_tokens(batch_or_word_index: number, word_index?: number, sequence_index = 0): Span | null {
    const [map, word] = this.#locate(batch_or_word_index, word_index);
    let result: Span | null = null;
    for (let i = 0; i < map.words.length; i++) {
      const found = map.words[i];
      if (found === null || !map.holds(sequence_index, i)) continue;
      if (found > word) break;
      if (found === word) result = { start: result ? result.start : i, end: i + 1 };
    }
    return result;
  }

  /** The characters of a word of text `sequence_index`, or `null`. */
  word_to_chars(batch_or_word_index: number, word_index?: number, sequence_index = 0): Span | null {
    const tokens = this.word_to_tokens(batch_or_word_index, word_index, sequence_index);
    const [map] = this.#locate(batch_or_word_index, word_index);
    return tokens && { start: map.offsets[tokens.start][0], end: map.offsets[tokens.end - 1][1] };
  }

  /** The token that holds a character of text `sequence_index`, or `null`. */
  char_to_token(batch_or_char_index: number, char_index?: number, sequence_index = 0): number | null {
    const [map, char] = this.#locate(batch_or_char_index, char_index);
    const token = map.offsets.findIndex(([start, end], i) =>
      char >= start && char < end && map.holds(sequence_index, i)
    );
    return token < 0 ? null : token;
  }

  /** The word that holds a character of text `sequence_index`, or `null`. */
  char_to_word(batch_or_char_index: number, char_index?: number, sequence_index = 0): number | null {
    const token = this.char_to_token(batch_or_char_index, char_index, sequence_index);
    const [map] = this.#locate(batch_or_char_index, char_index);
    return token === null ? null : map.words[token];
  }

  #row(index: number): Encoding {
    const row = this.#encodings.at(index);
    if (!row) {
      throw new TokenizerError(`Cannot read row ${index} of an encoding with ${this.#encodings.length} rows`);
    }
    return row;
  }

  // The columns of a row that the maps read, and the index within the row.
  #locate(first: number, second?: number): [TokenMap, number] {
    const [index, position] = second === undefined ? [0, first] : [first, second];
    const row = this.#row(index);
    let map = this.#maps.get(row);
    if (!map) {
      const sequences = row.sequenceIds();
      map = {
        sequences,
        words: row.words(),
        offsets: row.offsets(),
        // A text that is not there stands for the whole row.
        holds: (sequence, i) => sequence >= row.windows.length || sequences[i] === sequence,
      };
      this.#maps.set(row, map);
    }
    return [map, position];
  }
}
