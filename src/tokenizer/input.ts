/**
 * The texts of a call, in one form.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import type { TextInput, TokenizerInput } from "./call_options.ts";

/** One text, or the two of a pair. */
export type Sample = readonly [TextInput] | readonly [TextInput, TextInput];

/**
 * Tells one text from a batch, and pairs up the texts.
 *
 * @param words whether texts are given as arrays of words.
 * @throws TokenizerError if the input is neither, is empty, or the two sides do not fit.
 */
export function parseInput(
  text: TokenizerInput,
  pair: TextInput | readonly TextInput[] | undefined | null,
  words: boolean,
): { samples: Sample[]; batched: boolean } {
  const isText = (value: unknown): value is TextInput =>
    words
      ? Array.isArray(value) && value.every((word) => typeof word === "string")
      : typeof value === "string";
  const fail = (state: string): never => {
    const wanted = words ? "words" : "text";
    throw new TokenizerError(
      `Cannot encode: ${state}, wanted ${wanted}, a list of ${wanted} or pairs of ${wanted}`,
    );
  };
  const sample = (item: unknown, pair?: unknown): Sample => {
    const paired = pair === undefined && !isText(item) && Array.isArray(item) && item.length === 2;
    const [first, second] = paired ? item as unknown[] : [item, pair];
    if (!isText(first)) return fail("a text is something else");
    if (second === undefined) return [first];
    return isText(second) ? [first, second] : fail("a text_pair is something else");
  };

  const batched = Array.isArray(text) && (!words || Array.isArray(text[0]));
  if (!batched) return { samples: [sample(text, pair?.length ? pair : undefined)], batched };
  const texts = text as readonly unknown[];
  if (texts.length === 0) fail("the batch is empty");
  if (pair == null) return { samples: texts.map((item) => sample(item)), batched };
  if (typeof pair === "string") fail("text is a list, text_pair is not");
  if (pair.length !== texts.length) fail(`text has ${texts.length} entries, text_pair has ${pair.length}`);
  return { samples: texts.map((item, i) => sample(item, pair[i] ?? null)), batched };
}
