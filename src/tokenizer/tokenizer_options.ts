/**
 * The options of a tokenizer and their defaults.
 *
 * @module
 */

import { AddedToken } from "./added_tokens.ts";
import { check, type Kind } from "./check.ts";

/** The names of the special tokens that have a role, in the order of transformers. */
export const SPECIAL_NAMES: readonly SpecialName[] = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
];

/** Name of a special token that has a role. */
export type SpecialName =
  | "bos_token"
  | "eos_token"
  | "unk_token"
  | "sep_token"
  | "pad_token"
  | "cls_token"
  | "mask_token";

/** Options of a tokenizer, named as in `tokenizer_config.json`. */
export interface TokenizerOptions {
  /** Turn text into lower case. Default true. */
  do_lower_case?: boolean;
  /** Strip accents; `null` (default) follows `do_lower_case`. */
  strip_accents?: boolean | null;
  /** Put spaces around Chinese characters. Default true. */
  tokenize_chinese_chars?: boolean;
  /** Drop control characters, turn all white space into spaces. Default true. */
  clean_text?: boolean;
  /** Begins a sequence in other models. Default none. */
  bos_token?: string | AddedToken | null;
  /** Ends a sequence in other models. Default none. */
  eos_token?: string | AddedToken | null;
  /** Stands for unknown words. Default "[UNK]". */
  unk_token?: string | AddedToken | null;
  /** Ends each text. Default "[SEP]". */
  sep_token?: string | AddedToken | null;
  /** Fills rows up. Default "[PAD]". */
  pad_token?: string | AddedToken | null;
  /** Begins each row. Default "[CLS]". */
  cls_token?: string | AddedToken | null;
  /** Hides a token in masked language modelling. Default "[MASK]". */
  mask_token?: string | AddedToken | null;
  /** Further special tokens. */
  extra_special_tokens?: readonly (string | AddedToken)[];
  /** Added tokens in the order of their ids. */
  added_tokens?: readonly AddedToken[];
  /** Longest row that the model takes, in tokens. Default 1e30: no limit. */
  model_max_length?: number;
  /** Where padding goes. Default "right". */
  padding_side?: "left" | "right";
  /** Where tokens are cut off. Default "right". */
  truncation_side?: "left" | "right";
  /** Remove spaces before punctuation when decoding. Default false. */
  clean_up_tokenization_spaces?: boolean;
  /** Treat special tokens in texts as plain text. Default false. */
  split_special_tokens?: boolean;
  /** Columns that a call returns by default. */
  model_input_names?: readonly string[];
  /** Marks pieces that do not begin a word. Default "##". */
  continuing_subword_prefix?: string;
  /** Longer words become `unk_token`; at most 1,000. Default 100. */
  max_input_chars_per_word?: number;
  /** Clean up single tokens when decoding. Default true. */
  decoder_cleanup?: boolean;
}

/** The options that are no tokens, with their defaults. */
export type Settings = Required<
  Omit<TokenizerOptions, SpecialName | "extra_special_tokens" | "added_tokens">
>;

const ACTION = "make a tokenizer";
// Default and kind of each setting.
const SETTINGS: Record<keyof Settings, readonly [unknown, Kind | readonly string[]]> = {
  do_lower_case: [true, "a boolean"],
  strip_accents: [null, "a boolean"],
  tokenize_chinese_chars: [true, "a boolean"],
  clean_text: [true, "a boolean"],
  model_max_length: [1e30, "a whole number"],
  padding_side: ["right", ["left", "right"]],
  truncation_side: ["right", ["left", "right"]],
  clean_up_tokenization_spaces: [false, "a boolean"],
  split_special_tokens: [false, "a boolean"],
  model_input_names: [["input_ids", "token_type_ids", "attention_mask"], "a list"],
  continuing_subword_prefix: ["##", "text"],
  max_input_chars_per_word: [100, "0 to 1000"],
  decoder_cleanup: [true, "a boolean"],
};
const ROLES: Partial<Record<SpecialName, string>> = {
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
};

/** The names of the settings. */
export const SETTING_NAMES = Object.keys(SETTINGS) as (keyof Settings)[];

/**
 * Fills in the defaults.
 *
 * @throws TokenizerError if a setting has a value that it cannot have.
 */
export function resolveSettings(options: TokenizerOptions): Settings {
  const entries = SETTING_NAMES.map((name) => {
    const [standard, kind] = SETTINGS[name];
    const value = options[name] ?? standard;
    return [name, value === null ? value : check(ACTION, name, value, kind)];
  });
  return Object.fromEntries(entries);
}

/**
 * The special tokens with a role.
 *
 * @throws TokenizerError if one that rows are made of is missing.
 */
export function resolveRoles(options: TokenizerOptions): Map<SpecialName, AddedToken> {
  const roles = new Map<SpecialName, AddedToken>();
  for (const name of SPECIAL_NAMES) {
    const token = options[name] === undefined ? ROLES[name] : options[name];
    if (token) roles.set(name, toAddedToken(token));
    else if (/unk|cls|sep/.test(name)) check(ACTION, name, token, "text");
  }
  return roles;
}

/** A token as an added token; a string becomes a special one. */
export function toAddedToken(token: string | AddedToken): AddedToken {
  return token instanceof AddedToken ? token : new AddedToken(token, { special: true });
}
