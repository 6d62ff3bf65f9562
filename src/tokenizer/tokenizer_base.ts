/**
 * What a tokenizer knows about its tokens: ids, special tokens, added tokens, decoding.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { AddedToken, AddedVocabulary } from "./added_tokens.ts";
import { Callable } from "./callable.ts";
import { cleanUp, joinPieces } from "./decoder.ts";
import { Normalizer } from "./normalizer.ts";
import {
  type ResolvedOptions,
  resolveOptions,
  SPECIAL_NAMES,
  type SpecialName,
  toAddedToken,
  type TokenizerOptions,
} from "./tokenizer_options.ts";
import { parseVocabulary, type Vocabulary, type VocabularySource } from "./vocabulary.ts";

/** Special tokens to add: by role, and further ones. */
export type SpecialTokens =
  & { readonly [name in SpecialName]?: string | AddedToken }
  & {
    /** Special tokens without a role. */
    readonly extra_special_tokens?: readonly (string | AddedToken)[];
    /** The older name of `extra_special_tokens`. */
    readonly additional_special_tokens?: readonly (string | AddedToken)[];
  };

/** Options of decoding. */
export interface DecodeOptions {
  /** Leave special tokens out. Default false. */
  skip_special_tokens?: boolean;
  /** Remove spaces before punctuation. Default: `clean_up_tokenization_spaces` of the tokenizer. */
  clean_up_tokenization_spaces?: boolean | null;
}

const EXTRA = "extra_special_tokens";
const EXTRA_OLD = "additional_special_tokens";

/** The token side of {@linkcode BertTokenizer}. */
export abstract class TokenizerBase extends Callable {
  /** Longest row that the model takes, in tokens; 1e30 if there is no limit. */
  model_max_length: number;
  /** Where padding goes. */
  padding_side: "left" | "right";
  /** Where tokens are cut off. */
  truncation_side: "left" | "right";
  /** Whether decoding removes spaces before punctuation by default. */
  clean_up_tokenization_spaces: boolean;
  /** Whether special tokens in texts are treated as plain text by default. */
  split_special_tokens: boolean;
  /** @internal */
  protected readonly options: ResolvedOptions;
  /** @internal */
  protected readonly vocabulary: Vocabulary;
  /** @internal */
  protected readonly added: AddedVocabulary;
  /** @internal */
  protected readonly normalizer: Normalizer;
  readonly #special = new Map<SpecialName, string>();
  #extra: string[];

  /**
   * Makes a tokenizer.
   *
   * @param vocab The vocabulary.
   * @param options What differs from the defaults.
   * @throws TokenizerError if the vocabulary is malformed or an option has a value that it cannot have.
   */
  constructor(vocab: VocabularySource, options: TokenizerOptions = {}) {
    super();
    const resolved = this.options = resolveOptions(options);
    this.model_max_length = resolved.model_max_length;
    this.padding_side = resolved.padding_side;
    this.truncation_side = resolved.truncation_side;
    this.clean_up_tokenization_spaces = resolved.clean_up_tokenization_spaces;
    this.split_special_tokens = resolved.split_special_tokens;
    this.vocabulary = parseVocabulary(vocab);
    this.normalizer = new Normalizer(resolved);
    this.added = new AddedVocabulary(this.vocabulary, this.normalizer);

    const extra = resolved.extra_special_tokens.map(toAddedToken);
    this.#extra = extra.map((token) => token.content);
    for (const [name, token] of resolved.special) this.#special.set(name, token.content);
    const named = new Set(this.#special.values());
    const tokens = new Map<string, AddedToken>();
    for (const token of [...resolved.added_tokens, ...resolved.special.values(), ...extra]) {
      if (tokens.has(token.content)) continue;
      tokens.set(token.content, named.has(token.content) ? token.toSpecial() : token);
    }
    this.added.add([...tokens.values()]);
  }

  /** Number of tokens of the vocabulary, without added ones. */
  get vocab_size(): number {
    return this.vocabulary.size;
  }

  /** Number of tokens with the added ones: `len(tokenizer)`, the size that the embedding needs. */
  get length(): number {
    return this.get_vocab().size;
  }

  /** All tokens and their ids. */
  get_vocab(): Map<string, number> {
    return new Map([...this.vocabulary.ids, ...this.added.ids]);
  }

  /** The added tokens (special ones, too) and their ids, by id. */
  get_added_vocab(): Map<string, number> {
    return new Map([...this.added_tokens_decoder].map(([id, token]) => [token.content, id]));
  }

  /** The added tokens (special ones, too) by id. */
  get added_tokens_decoder(): Map<number, AddedToken> {
    return new Map([...this.added.tokens].sort((a, b) => a[0] - b[0]));
  }

  /** The special tokens by role. */
  get special_tokens_map(): Partial<Record<SpecialName, string>> {
    return Object.fromEntries(
      SPECIAL_NAMES.filter((name) => this.#special.has(name)).map((name) => [name, this.#special.get(name)]),
    );
  }

  /** Special tokens without a role. */
  get extra_special_tokens(): string[] {
    return [...this.#extra];
  }

  /** All special tokens, those with a role first. */
  get all_special_tokens(): string[] {
    return [...new Set([...Object.values(this.special_tokens_map), ...this.#extra])];
  }

  /** The ids of `all_special_tokens`. */
  get all_special_ids(): number[] {
    return this.all_special_tokens.map((token) => this.convert_tokens_to_ids(token));
  }

  /** Begins each row, "[CLS]"; rows keep the token of when the tokenizer was made. */
  get cls_token(): string | null {
    return this.#special.get("cls_token") ?? null;
  }
  set cls_token(token: string | null) {
    this.#setSpecial("cls_token", token);
  }
  /** Id of `cls_token`. */
  get cls_token_id(): number | null {
    return this.#specialId("cls_token");
  }

  /** Ends each text, "[SEP]"; rows keep the token of when the tokenizer was made. */
  get sep_token(): string | null {
    return this.#special.get("sep_token") ?? null;
  }
  set sep_token(token: string | null) {
    this.#setSpecial("sep_token", token);
  }
  /** Id of `sep_token`. */
  get sep_token_id(): number | null {
    return this.#specialId("sep_token");
  }

  /** Fills rows up, "[PAD]". */
  get pad_token(): string | null {
    return this.#special.get("pad_token") ?? null;
  }
  set pad_token(token: string | null) {
    this.#setSpecial("pad_token", token);
  }
  /** Id of `pad_token`. */
  get pad_token_id(): number | null {
    return this.#specialId("pad_token");
  }

  /** Stands for unknown words, "[UNK]"; words keep the token of when the tokenizer was made. */
  get unk_token(): string | null {
    return this.#special.get("unk_token") ?? null;
  }
  set unk_token(token: string | null) {
    this.#setSpecial("unk_token", token);
  }
  /** Id of `unk_token`. */
  get unk_token_id(): number | null {
    return this.#specialId("unk_token");
  }

  /** Hides a token in masked language modelling, "[MASK]". */
  get mask_token(): string | null {
    return this.#special.get("mask_token") ?? null;
  }
  set mask_token(token: string | null) {
    this.#setSpecial("mask_token", token);
  }
  /** Id of `mask_token`. */
  get mask_token_id(): number | null {
    return this.#specialId("mask_token");
  }

  #setSpecial(name: SpecialName, token: string | null): void {
    if (token === null) this.#special.delete(name);
    else this.#special.set(name, token);
  }

  #specialId(name: SpecialName): number | null {
    const token = this.#special.get(name);
    return token === undefined ? null : this.convert_tokens_to_ids(token);
  }

  /**
   * Adds tokens that are found as a whole in texts. Tokens of the vocabulary keep their id, new ones get
   * the next; the model's embedding must then have `length` rows.
   *
   * @param new_tokens The tokens; strings match in the normalized text.
   * @param special_tokens Whether they are special: left out by `skip_special_tokens`, matched before normalization.
   * @returns how many were added or changed.
   */
  add_tokens(
    new_tokens: string | AddedToken | readonly (string | AddedToken)[],
    special_tokens = false,
  ): number {
    const list: readonly (string | AddedToken)[] = Array.isArray(new_tokens) ? new_tokens : [new_tokens];
    return this.added.add(list.map((token) => {
      const added = token instanceof AddedToken ? token : new AddedToken(token);
      return special_tokens ? added.toSpecial() : added;
    }));
  }

  /**
   * Sets special tokens and adds those that are new.
   *
   * @param special_tokens Tokens by role, and `extra_special_tokens`.
   * @param replace_extra_special_tokens Whether extra tokens replace those there are. Default true.
   * @returns how many tokens were added or changed.
   * @throws TokenizerError if there is no such role.
   */
  add_special_tokens(special_tokens: SpecialTokens, replace_extra_special_tokens = true): number {
    const tokens: (string | AddedToken)[] = [];
    for (const [name, value] of Object.entries(special_tokens)) {
      if (name === EXTRA || name === EXTRA_OLD) {
        const extra = (value as (string | AddedToken)[]).map(toAddedToken);
        const old = replace_extra_special_tokens && extra.length > 0 ? [] : this.#extra;
        this.#extra = [...new Set([...old, ...extra.map((token) => token.content)])];
        tokens.push(...extra);
      } else if (SPECIAL_NAMES.includes(name as SpecialName)) {
        const token = toAddedToken(value as string | AddedToken);
        this.#special.set(name as SpecialName, token.content);
        tokens.push(token);
      } else {
        const names = [...SPECIAL_NAMES, EXTRA].join(", ");
        throw new TokenizerError(`Cannot add a special token as "${name}": wanted one of ${names}`);
      }
    }
    return this.add_tokens(tokens, true);
  }

  /**
   * The id of a token; unknown tokens get that of `unk_token`.
   *
   * @param tokens The token.
   * @throws TokenizerError if there is no `unk_token`.
   */
  convert_tokens_to_ids(tokens: string): number;
  /**
   * Ids of several tokens.
   *
   * @param tokens The tokens.
   */
  convert_tokens_to_ids(tokens: readonly string[]): number[];
  convert_tokens_to_ids(tokens: string | readonly string[]): number | number[] {
    if (typeof tokens !== "string") return tokens.map((token) => this.convert_tokens_to_ids(token));
    const id = this.added.ids.get(tokens) ?? this.vocabulary.ids.get(tokens);
    if (id !== undefined) return id;
    const unknown = this.#special.get("unk_token");
    if (unknown === undefined || unknown === tokens) {
      throw new TokenizerError(
        `Cannot convert ${JSON.stringify(tokens)} to an id: it is unknown, and so is unk_token`,
      );
    }
    return this.convert_tokens_to_ids(unknown);
  }

  /**
   * The token of an id; `null` if it has none.
   *
   * @param ids The id.
   * @throws TokenizerError if the id is no whole number from 0.
   */
  convert_ids_to_tokens(ids: number): string | null;
  /**
   * Tokens of several ids; `null` where an id has none.
   *
   * @param ids The ids.
   * @param skip_special_tokens Whether special tokens are left out. Default false.
   * @throws TokenizerError if an id is no whole number from 0.
   */
  convert_ids_to_tokens(ids: ArrayLike<number>, skip_special_tokens?: boolean): (string | null)[];
  convert_ids_to_tokens(
    ids: number | ArrayLike<number>,
    skip_special_tokens = false,
  ): string | null | (string | null)[] {
    if (typeof ids === "number") return this.#token(ids);
    const skipped = new Set(skip_special_tokens ? this.all_special_ids : []);
    return Array.from(ids).filter((id) => !skipped.has(id)).map((id) => this.#token(id));
  }

  /** Joins tokens to a text. */
  convert_tokens_to_string(tokens: readonly string[]): string {
    return joinPieces(tokens, this.options.continuing_subword_prefix, this.options.decoder_cleanup);
  }

  /** Removes the spaces that splitting put before punctuation and English contractions. */
  clean_up_tokenization(text: string): string {
    return cleanUp(text);
  }

  /**
   * Turns a row of ids back into text. Ids without a token are left out.
   *
   * @param token_ids The row, or a single id.
   * @param options See {@linkcode DecodeOptions}.
   * @throws TokenizerError if an id is no whole number from 0.
   */
  decode(token_ids: number | ArrayLike<number>, options?: DecodeOptions): string;
  /**
   * Turns rows of ids back into texts.
   *
   * @param token_ids The rows.
   * @param options See {@linkcode DecodeOptions}.
   * @throws TokenizerError if an id is no whole number from 0.
   */
  decode(token_ids: readonly ArrayLike<number>[], options?: DecodeOptions): string[];
  decode(
    token_ids: number | ArrayLike<number> | readonly ArrayLike<number>[],
    options: DecodeOptions = {},
  ): string | string[] {
    if (typeof token_ids === "number") return this.decode([token_ids], options);
    if (typeof token_ids[0] === "object") {
      return Array.from(token_ids as readonly ArrayLike<number>[], (ids) => this.decode(ids, options));
    }
    const tokens: string[] = [];
    for (const id of Array.from(token_ids as ArrayLike<number>)) {
      const token = this.#token(id);
      if (token !== null && !(options.skip_special_tokens && this.added.isSpecial(token))) tokens.push(token);
    }
    const text = this.convert_tokens_to_string(tokens);
    return options.clean_up_tokenization_spaces ?? this.clean_up_tokenization_spaces ? cleanUp(text) : text;
  }

  /**
   * Turns rows of ids back into texts.
   *
   * @param sequences The rows.
   * @param options See {@linkcode DecodeOptions}.
   * @throws TokenizerError if an id is no whole number from 0.
   */
  batch_decode(sequences: readonly ArrayLike<number>[], options?: DecodeOptions): string[] {
    return Array.from(sequences, (ids) => this.decode(ids, options));
  }

  #token(id: number): string | null {
    if (!Number.isInteger(id) || id < 0) {
      throw new TokenizerError(`Cannot convert id ${id} to a token: wanted a whole number from 0`);
    }
    return this.added.text(id) ?? this.vocabulary.token(id) ?? null;
  }
}
