/**
 * The options of a tokenizer and their defaults.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { AddedToken } from "./added_tokens.ts";

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

/** Options with their defaults; special tokens are in `special`. */
export type ResolvedOptions =
  & Required<Omit<TokenizerOptions, SpecialName>>
  & { special: Map<SpecialName, AddedToken> };

const DEFAULTS: Required<Omit<TokenizerOptions, SpecialName>> = {
  do_lower_case: true,
  strip_accents: null,
  tokenize_chinese_chars: true,
  clean_text: true,
  extra_special_tokens: [],
  added_tokens: [],
  model_max_length: 1e30,
  padding_side: "right",
  truncation_side: "right",
  clean_up_tokenization_spaces: false,
  split_special_tokens: false,
  model_input_names: ["input_ids", "token_type_ids", "attention_mask"],
  continuing_subword_prefix: "##",
  max_input_chars_per_word: 100,
  decoder_cleanup: true,
};
const ROLES: Partial<Record<SpecialName, string>> = {
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
};
const MAX_WORD = 1000; // matching takes at most this many steps a character

type Rule = readonly [wanted: string, fits: (value: unknown) => boolean];
const FLAG: Rule = ["true or false", (value) => typeof value === "boolean"];
const SIDE: Rule = ["left or right", (value) => value === "left" || value === "right"];
const LIST: Rule = ["a list", Array.isArray];
const RULES: Record<keyof typeof DEFAULTS, Rule> = {
  do_lower_case: FLAG,
  strip_accents: ["true, false or null", (value) => value === null || typeof value === "boolean"],
  tokenize_chinese_chars: FLAG,
  clean_text: FLAG,
  extra_special_tokens: LIST,
  added_tokens: LIST,
  model_max_length: [
    "a length",
    (value) => value === Infinity || Number.isInteger(value) && Number(value) >= 0,
  ],
  padding_side: SIDE,
  truncation_side: SIDE,
  clean_up_tokenization_spaces: FLAG,
  split_special_tokens: FLAG,
  model_input_names: LIST,
  continuing_subword_prefix: ["text", (value) => typeof value === "string"],
  max_input_chars_per_word: [
    `0 to ${MAX_WORD}`,
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_WORD,
  ],
  decoder_cleanup: FLAG,
};

/**
 * Fills in the defaults.
 *
 * @throws TokenizerError if an option has a value that it cannot have.
 */
export function resolveOptions(options: TokenizerOptions): ResolvedOptions {
  const result = { ...DEFAULTS, special: new Map<SpecialName, AddedToken>() };
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const value = options[name];
    if (value === undefined || value === null && name !== "strip_accents") continue;
    const [wanted, fits] = RULES[name];
    if (!fits(value)) {
      throw new TokenizerError(
        `Cannot make a tokenizer with ${name} ${JSON.stringify(value)}: wanted ${wanted}`,
      );
    }
    Object.assign(result, { [name]: value });
  }
  for (const name of SPECIAL_NAMES) {
    const token = options[name] === undefined ? ROLES[name] : options[name];
    if (token) result.special.set(name, toAddedToken(token));
  }
  for (const name of ["unk_token", "cls_token", "sep_token"] as const) {
    if (!result.special.has(name)) throw new TokenizerError(`Cannot make a BERT tokenizer without ${name}`);
  }
  return result;
}

/** A token as an added token; a string becomes a special one. */
export function toAddedToken(token: string | AddedToken): AddedToken {
  return token instanceof AddedToken ? token : new AddedToken(token, { special: true });
}
