/**
 * BertTokenizer: the BERT WordPiece tokenizer, with the interface of transformers' `BertTokenizerFast`.
 *
 * @module
 */

import { BatchEncoding } from "./batch_encoding.ts";
import { type CallOptions, planLengths, type TextInput, type TokenizerInput } from "./call_options.ts";
import { Encoding, type FixedToken, type Template } from "./encoding.ts";
import { parseFiles, type TokenizerFiles } from "./files.ts";
import { parseInput } from "./input.ts";
import { type PadColumns, type PadInput, type PadOptions, padRows } from "./pad.ts";
import { makePipeline, type Pipeline } from "./pipeline.ts";
import { saveFiles } from "./save.ts";
import { encodeBatches, encodeStream, reporter, type StreamInput, type StreamOptions } from "./stream.ts";
import { TokenizerBase } from "./tokenizer_base.ts";
import { resolveSettings, type TokenizerOptions } from "./tokenizer_options.ts";
import { truncate } from "./truncation.ts";
import type { VocabularySource } from "./vocabulary.ts";
import { WordPiece } from "./word_piece.ts";

/** Options of a call that do not change the shape of its result. */
export type PlainOptions = CallOptions & { return_overflowing_tokens?: false; is_split_into_words?: false };

/** Options of a call on texts that are given word by word. */
export type WordOptions = CallOptions & { return_overflowing_tokens?: false; is_split_into_words: true };

/** A class that makes tokenizers: {@linkcode BertTokenizer} or a subclass. */
export type TokenizerClass<T> = new (vocab: VocabularySource, options?: TokenizerOptions) => T;

const REPORT = 1024; // texts between two calls of progress_callback

/** Calling a tokenizer encodes texts. */
export interface BertTokenizer {
  /** Encodes one text: flat arrays. */
  (text: string, options?: PlainOptions): BatchEncoding<false>;
  /** Encodes a batch of texts, each given as words: arrays of arrays. */
  (text: readonly (readonly string[])[], options: WordOptions): BatchEncoding<true>;
  /** Encodes one text given as words: flat arrays. */
  (text: readonly string[], options: WordOptions): BatchEncoding<false>;
  /** Encodes a batch of texts, or of pairs: arrays of arrays. */
  (text: readonly (string | readonly [string, string])[], options?: PlainOptions): BatchEncoding<true>;
  /** Encodes texts: flat arrays for one text, unless overflowing rows are asked for. */
  (text: TokenizerInput, options?: CallOptions): BatchEncoding;
}

/**
 * The BERT WordPiece tokenizer. A tokenizer is a function: call it on texts.
 *
 * It gives the ids, masks and texts of transformers' `BertTokenizerFast`; offsets count UTF-16 units, and half
 * of a surrogate pair reads as U+FFFD.
 *
 * @example
 * ```ts
 * import { BertTokenizer } from "@berth/berth/tokenizer";
 *
 * const tokenizer = BertTokenizer.from_vocab("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n,\n!");
 * const { input_ids } = tokenizer("Hello, world!"); // [2, 5, 7, 6, 8, 3]
 * console.log(tokenizer.decode(input_ids, { skip_special_tokens: true })); // hello, world!
 * ```
 */
export class BertTokenizer extends TokenizerBase {
  readonly #pipeline: Pipeline;
  readonly #template: Template;
  readonly #unk: string;

  /**
   * Makes a tokenizer.
   *
   * @param vocab The vocabulary.
   * @param options What differs from the defaults.
   * @throws TokenizerError if the vocabulary is malformed or an option has a value that it cannot have.
   */
  constructor(vocab: VocabularySource, options: TokenizerOptions = {}) {
    super(vocab, options);
    this.#unk = this.unk_token!;
    const model = new WordPiece(this.vocabulary, this, this.#unk);
    this.#pipeline = makePipeline(this.added, this.normalizer, model);
    this.#template = { cls: this.#fixed(this.cls_token!), sep: this.#fixed(this.sep_token!) };
  }

  /**
   * Makes a tokenizer from its files.
   *
   * @param files The contents by name; vocab.txt or tokenizer.json must be there.
   * @param options What goes before the files.
   * @throws TokenizerError if a file is malformed, or the tokenizer is no BERT WordPiece.
   */
  static from_files<T extends BertTokenizer>(
    this: TokenizerClass<T>,
    files: TokenizerFiles,
    options: TokenizerOptions = {},
  ): T {
    const parsed = parseFiles(files);
    return new this(parsed.vocab, { ...parsed.options, ...options });
  }

  /**
   * Makes a tokenizer from a vocabulary.
   *
   * @param vocab The text of a vocab.txt, the tokens in the order of their ids, or ids by token.
   * @param options What differs from the defaults.
   * @throws TokenizerError if the vocabulary is malformed or an option has a value that it cannot have.
   */
  static from_vocab<T extends BertTokenizer>(
    this: TokenizerClass<T>,
    vocab: VocabularySource,
    options: TokenizerOptions = {},
  ): T {
    return new this(vocab, options);
  }

  /**
   * The files that transformers loads with equal results: vocab.txt (unless one line a token cannot give
   * the ids), tokenizer.json, tokenizer_config.json, special_tokens_map.json.
   */
  to_files(): Record<string, string> {
    return saveFiles({
      vocabulary: this.vocabulary,
      settings: resolveSettings(this),
      added: this.added_tokens_decoder,
      special: this.special_tokens_map,
      extra: this.extra_special_tokens,
      ...this.#template,
      unk: this.#unk,
    });
  }

  /**
   * Encodes texts: what a call of the tokenizer does.
   *
   * @param text One text, a batch of texts, or a batch of pairs.
   * @param options See {@linkcode CallOptions}.
   * @throws TokenizerError if the input is no text, or the options contradict each other or the texts.
   */
  override _call(text: TokenizerInput, options: CallOptions = {}): BatchEncoding {
    const { samples, batched } = parseInput(text, options.text_pair, !!options.is_split_into_words);
    const overflow = !!options.return_overflowing_tokens;
    const plan = planLengths(options, this);
    const report = reporter(options.progress_callback, samples.length);
    const template = options.add_special_tokens ?? true ? this.#template : null;
    const splitSpecial = options.split_special_tokens ?? this.split_special_tokens;
    const encodings = samples.map((sample, i) => {
      if (i > 0 && i % REPORT === 0) report(i);
      const windows = sample.map((text) => {
        const tokens = this.#pipeline(text, splitSpecial);
        return { tokens, begin: 0, end: tokens.size };
      });
      const truncation = plan.truncation(template ? windows.length + 1 : 0);
      return truncate(windows, truncation, overflow).map((row) => new Encoding(row, template));
    });
    const length = plan.paddedLength(encodings.reduce((longest, [row]) => Math.max(longest, row.size), 0));
    if (length !== null) {
      const pad = this.#fixed(this.pad_token!);
      for (const rows of encodings) for (const row of rows) row.padTo(length, plan.side, pad);
    }
    const textOf = (id: number): string => this.vocabulary.token(id) ?? this.added.tokens.get(id)!.content;
    const result = new BatchEncoding(encodings, batched || overflow, options, this.model_input_names, textOf);
    report(samples.length, true);
    return result;
  }

  /**
   * The ids of one text.
   *
   * @param text The text.
   * @param options See {@linkcode CallOptions}.
   * @throws TokenizerError as a call of the tokenizer does.
   */
  encode(text: TextInput, options: Omit<CallOptions, "return_overflowing_tokens"> = {}): number[] {
    return this._call(text, options).input_ids as number[];
  }

  /**
   * The tokens of one text, by default without special tokens around it.
   *
   * @param text The text.
   * @param options See {@linkcode CallOptions}.
   * @throws TokenizerError as a call of the tokenizer does.
   */
  tokenize(text: TextInput, options: CallOptions = {}): string[] {
    return this._call(text, { add_special_tokens: false, ...options }).tokens();
  }

  /**
   * Encodes many texts in batches, one at a time in memory.
   *
   * @param texts The texts or pairs.
   * @param options Those of a call, and `batch_size`.
   * @throws TokenizerError as a call of the tokenizer does.
   */
  encode_batches(
    texts: Iterable<StreamInput>,
    options: StreamOptions = {},
  ): Generator<BatchEncoding<true>, void, undefined> {
    return encodeBatches(texts, options, (batch, call) => this._call(batch, call) as BatchEncoding<true>);
  }

  /**
   * Encodes texts in batches as they arrive, one batch at a time in memory.
   *
   * @param texts The texts or pairs.
   * @param options Those of a call, and `batch_size`.
   * @throws TokenizerError as a call of the tokenizer does.
   */
  encode_stream(
    texts: Iterable<StreamInput> | AsyncIterable<StreamInput>,
    options: StreamOptions = {},
  ): AsyncGenerator<BatchEncoding<true>, void, undefined> {
    return encodeStream(texts, options, (batch, call) => this._call(batch, call) as BatchEncoding<true>);
  }

  /**
   * Pads rows that were encoded before to one length.
   *
   * @param encoded_inputs The columns of a call, or a list of such of single texts.
   * @param options By default to the longest row.
   * @throws TokenizerError if there are no `input_ids`, or the options contradict each other.
   */
  pad(encoded_inputs: PadInput, options: PadOptions = {}): PadColumns {
    return padRows(encoded_inputs, options, this, this.pad_token_id ?? 0);
  }

  /** Number of special tokens that a call adds to one text, or to a pair. */
  num_special_tokens_to_add(pair = false): number {
    return pair ? 3 : 2;
  }

  #fixed(text: string): FixedToken {
    return { text, id: this.convert_tokens_to_ids(text) };
  }
}
