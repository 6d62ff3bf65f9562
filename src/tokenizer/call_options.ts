/**
 * The options of a tokenizer call, and what follows from them.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { check } from "./check.ts";
import type { Truncation } from "./truncation.ts";

/** Text, or text given word by word (`is_split_into_words`). */
export type TextInput = string | readonly string[];

/** One text, a batch of texts, or a batch of pairs. */
export type TokenizerInput = TextInput | readonly (TextInput | readonly [TextInput, TextInput])[];

/** Tells how far a call has come. */
export interface TokenizerProgress {
  /** What is going on. */
  readonly status: "progress" | "done";
  /** Texts done. */
  readonly loaded: number;
  /** Texts in all, if known. */
  readonly total: number | null;
  /** Percent done, 0 to 100, if the total is known. */
  readonly progress: number | null;
}

/** Options of a tokenizer call; names, defaults and meaning are those of transformers. */
export interface CallOptions {
  /** The second text of each pair. */
  text_pair?: TextInput | readonly TextInput[];
  /** Put [CLS] and [SEP] around the texts. Default true. */
  add_special_tokens?: boolean;
  /** Pad to the longest row (`true`, "longest") or to `max_length`. Default false. */
  padding?: boolean | "longest" | "max_length" | "do_not_pad";
  /** Which text of a pair is cut (`true` = "longest_first"). By default nothing, or the longest if only `max_length` is given. */
  truncation?: boolean | "longest_first" | "only_first" | "only_second" | "do_not_truncate" | null;
  /**
   * Length of a row for truncation and padding, in tokens; default `model_max_length`.
   * As in transformers, a length that does not even hold the special tokens cuts nothing.
   */
  max_length?: number | null;
  /** Tokens that overflowing rows share with the row before. Default 0. */
  stride?: number;
  /** Texts are given as arrays of words. Default false. */
  is_split_into_words?: boolean;
  /** Pad to a multiple of this. */
  pad_to_multiple_of?: number | null;
  /** Default: `padding_side` of the tokenizer. */
  padding_side?: "left" | "right" | null;
  /** Default: as `model_input_names` says, normally true. */
  return_token_type_ids?: boolean | null;
  /** Default: as `model_input_names` says, normally true. */
  return_attention_mask?: boolean | null;
  /** Return what truncation cuts off as further rows. Default false. */
  return_overflowing_tokens?: boolean;
  /** Return `special_tokens_mask`. Default false. */
  return_special_tokens_mask?: boolean;
  /** Return `offset_mapping`. Default false. */
  return_offsets_mapping?: boolean;
  /** Return `length`. Default false. */
  return_length?: boolean;
  /** Treat special tokens in the text as plain text. Default: `split_special_tokens` of the tokenizer. */
  split_special_tokens?: boolean;
  /** Called every 1,024 texts and at the end. */
  progress_callback?: ((progress: TokenizerProgress) => void) | null;
}

/** What a call needs to know about its tokenizer. */
export interface Limits {
  readonly model_max_length: number;
  readonly padding_side: "left" | "right";
  readonly truncation_side: "left" | "right";
  readonly pad_token: string | null;
}

/** Truncation and padding of one call. */
export interface LengthPlan {
  /** How a row with that many template tokens is truncated. */
  truncation(specialTokens: number): Truncation | null;
  /** The length that rows are padded to, given the longest; `null` for none. */
  paddedLength(longest: number): number | null;
  /** Where padding goes. */
  readonly side: "left" | "right";
}

const ACTION = "encode";
const NO_LIMIT = 1e20; // a model_max_length beyond this is none
const PADDING = ["longest", "max_length", "do_not_pad"];
const TRUNCATION = ["longest_first", "only_first", "only_second", "do_not_truncate"];

/**
 * Works out truncation and padding.
 *
 * @throws TokenizerError if an option has no such value, or two contradict each other.
 */
export function planLengths(options: CallOptions, limits: Limits): LengthPlan {
  const { stride = 0 } = options;
  const multiple = options.pad_to_multiple_of ?? null;
  let max = options.max_length ?? null;
  for (const name of ["stride", "max_length", "pad_to_multiple_of"] as const) {
    if (options[name] != null) check(ACTION, name, options[name], "a whole number");
  }
  let padding = choice(options.padding, PADDING, "padding");
  let truncation = choice(
    options.truncation ?? (max !== null && !options.padding ? true : false),
    TRUNCATION,
    "truncation",
  );
  const side: "left" | "right" = check(ACTION, "padding_side", options.padding_side ?? limits.padding_side, [
    "left",
    "right",
  ]);

  if (max === null) {
    const limited = limits.model_max_length <= NO_LIMIT;
    if (padding === "max_length" && !limited) padding = "do_not_pad";
    if (!limited) truncation = "do_not_truncate";
    if (padding === "max_length" || truncation !== "do_not_truncate") max = limits.model_max_length;
  }
  const pads = padding !== "do_not_pad";
  const cuts = truncation !== "do_not_truncate";
  if (pads && limits.pad_token === null) {
    throw new TokenizerError("Cannot pad: the tokenizer has no pad_token");
  }
  if (pads && cuts && multiple !== null && max! % multiple !== 0) {
    throw new TokenizerError(`Cannot truncate to ${max} tokens and pad to a multiple of ${multiple}`);
  }
  if (cuts && max! >= 2 && max! - 2 < stride) {
    throw new TokenizerError(`Cannot truncate to ${max! - 2} tokens with stride ${stride}`);
  }
  return {
    side,
    truncation: (specialTokens) => {
      const room = max! < specialTokens ? Infinity : max! - specialTokens;
      return cuts
        ? { strategy: truncation as Truncation["strategy"], room, stride, side: limits.truncation_side }
        : null;
    },
    paddedLength: (longest) => {
      if (!pads) return null;
      const length = padding === "max_length" ? max! : longest;
      return multiple ? Math.ceil(length / multiple) * multiple : length;
    },
  };
}

// Resolves `true` to the first choice and `false` to the last.
function choice(value: unknown, choices: readonly string[], name: string): string {
  const chosen = value === true ? choices[0] : value || choices.at(-1);
  return check(ACTION, name, chosen, choices);
}
