/**
 * What a tokenizer knows about its tokens: ids, special tokens, added tokens, decoding.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { AddedToken, AddedVocabulary } from "./added_tokens.ts";
import { Callable } from "./callable.ts";
import { check, show } from "./check.ts";
import { cleanUp, joinPieces } from "./decoder.ts";
import { Normalizer } from "./normalizer.ts";
import {
  resolveRoles,
  resolveSettings,
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
/** The token side of {@linkcode BertTokenizer}. */
export abstract class TokenizerBase extends Callable {
  static {
    for (const name of SPECIAL_NAMES) {
      Object.defineProperty(this.prototype, `${name}_id`, {
        get(this: TokenizerBase) {
          return this[name] === null ? null : this.convert_tokens_to_ids(this[name]);
        },
      });
    }
  }

  /** Longest row that the model takes, in tokens; 1e30 if there is no limit. */
  declare model_max_length: number;
  /** Where padding goes. */
  declare padding_side: "left" | "right";
  /** Where tokens are cut off. */
  declare truncation_side: "left" | "right";
  /** Whether decoding removes spaces before punctuation by default. */
  declare clean_up_tokenization_spaces: boolean;
  /** Whether special tokens in texts are treated as plain text by default. */
  declare split_special_tokens: boolean;
  /** Whether text becomes lower case. */
  declare readonly do_lower_case: boolean;
  /** Whether accents are stripped; `null` follows `do_lower_case`. */
  declare readonly strip_accents: boolean | null;
  /** Whether Chinese characters get spaces around them. */
  declare readonly tokenize_chinese_chars: boolean;
  /** Whether control characters are dropped and white space becomes spaces. */
  declare readonly clean_text: boolean;
  /** Columns that a call returns by default. */
  declare readonly model_input_names: readonly string[];
  /** Marks pieces that do not begin a word. */
  declare readonly continuing_subword_prefix: string;
  /** Longer words become `unk_token`. */
  declare readonly max_input_chars_per_word: number;
  /** Whether single tokens are cleaned up when decoding. */
  declare readonly decoder_cleanup: boolean;
  /** @internal */
  protected readonly vocabulary: Vocabulary;
  /** @internal */
  protected readonly added: AddedVocabulary;
  /** @internal */
  protected readonly normalizer: Normalizer;
  /** Begins each row, "[CLS]"; rows keep the token of when the tokenizer was made. */
  declare cls_token: string | null;
  /** Id of `cls_token`. */
  declare readonly cls_token_id: number | null;
  /** Ends each text, "[SEP]"; rows keep the token of when the tokenizer was made. */
  declare sep_token: string | null;
  /** Id of `sep_token`. */
  declare readonly sep_token_id: number | null;
  /** Fills rows up, "[PAD]". */
  declare pad_token: string | null;
  /** Id of `pad_token`. */
  declare readonly pad_token_id: number | null;
  /** Stands for unknown words, "[UNK]"; words keep the token of when the tokenizer was made. */
  declare unk_token: string | null;
  /** Id of `unk_token`. */
  declare readonly unk_token_id: number | null;
  /** Hides a token in masked language modelling, "[MASK]". */
  declare mask_token: string | null;
  /** Id of `mask_token`. */
  declare readonly mask_token_id: number | null;
  /** Begins a sequence in other models; normally none. */
  declare bos_token: string | null;
  /** Id of `bos_token`. */
  declare readonly bos_token_id: number | null;
  /** Ends a sequence in other models; normally none. */
  declare eos_token: string | null;
  /** Id of `eos_token`. */
  declare readonly eos_token_id: number | null;
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
    Object.assign(this, resolveSettings(options));
    this.vocabulary = parseVocabulary(vocab);
    this.normalizer = new Normalizer(this);
    this.added = new AddedVocabulary(this.vocabulary, this.normalizer);

    const roles = resolveRoles(options);
    for (const name of SPECIAL_NAMES) this[name] = roles.get(name)?.content ?? null;
    const extra = (options.extra_special_tokens ?? []).map(toAddedToken);
    this.#extra = extra.map((token) => token.content);
    const named = Object.values(this.special_tokens_map);
    const tokens = new Map<string, AddedToken>();
    for (const token of [...options.added_tokens ?? [], ...roles.values(), ...extra]) {
      if (tokens.has(token.content)) continue;
      tokens.set(token.content, named.includes(token.content) ? token.toSpecial() : token);
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
    const entries = SPECIAL_NAMES.map((name) => [name, this[name]]);
    return Object.fromEntries(entries.filter(([, token]) => token !== null));
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
      if (name === EXTRA || name === "additional_special_tokens") {
        const extra = (value as (string | AddedToken)[]).map(toAddedToken);
        const old = replace_extra_special_tokens && extra.length > 0 ? [] : this.#extra;
        this.#extra = [...new Set([...old, ...extra.map((token) => token.content)])];
        tokens.push(...extra);
      } else {
        const role = check<SpecialName>("add a special token", "its role", name, [...SPECIAL_NAMES, EXTRA]);
        const token = toAddedToken(value as string | AddedToken);
        this[role] = token.content;
        tokens.push(token);
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
    const unknown = this.unk_token;
    if (unknown === null || unknown === tokens) {
      throw new TokenizerError(`Cannot convert ${show(tokens)} to an id: there is no unk_token`);
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
    return joinPieces(tokens, this.continuing_subword_prefix, this.decoder_cleanup);
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
    check("convert ids to tokens", "an id", id, "an id");
    return this.added.text(id) ?? this.vocabulary.token(id) ?? null;
  }
}
