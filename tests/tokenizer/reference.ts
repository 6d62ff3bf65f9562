/** Compares a tokenizer with encodings that transformers made (single.jsonl, calls.jsonl, decode.jsonl). */

import { deepStrictEqual } from "node:assert/strict";
import { BertTokenizer, type CallOptions, TokenizerError } from "../../src/tokenizer/mod.ts";

interface Single {
  text: string;
  ids: number[];
  tokens: string[];
  offsets: [number, number][];
  word_ids: (number | null)[];
  special: number[];
}

interface Call {
  texts: string[];
  pairs: string[] | null;
  options: CallOptions;
  out: Record<string, unknown> & { error?: string; offset_mapping: [number, number][][] };
}

interface Decoding {
  ids: number[];
  text: string;
  text_skip_special: string;
  text_no_cleanup: string;
}

/** Reads a file of one JSON value a line. */
export function readJsonLines<T>(url: URL): T[] {
  return Deno.readTextFileSync(url).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** The tokenizer of a folder with a vocab.txt. */
export function loadVocab(folder: URL, lower: boolean): BertTokenizer {
  const vocab = Deno.readFileSync(new URL("vocab.txt", folder));
  return BertTokenizer.from_vocab(vocab, { do_lower_case: lower, model_max_length: 512 });
}

/** Offsets in code points -> offsets in UTF-16 units. */
export function toUnits(text: string, offsets: [number, number][]): [number, number][] {
  const units = [0];
  for (const char of text) units.push(units[units.length - 1] + char.length);
  return offsets.map(([start, end]) => [units[start], units[end]]);
}

/** Checks every line of single.jsonl; returns how many. */
export function checkSingles(tokenizer: BertTokenizer, folder: URL): number {
  const lines = readJsonLines<Single>(new URL("single.jsonl", folder));
  for (const { text, ids, tokens, offsets, word_ids, special } of lines) {
    const out = tokenizer(text, { return_offsets_mapping: true, return_special_tokens_mask: true });
    deepStrictEqual(
      {
        text,
        ids: out.input_ids,
        tokens: tokenizer.convert_ids_to_tokens(out.input_ids),
        own: out.tokens(),
        offsets: out.offset_mapping,
        word_ids: out.word_ids(),
        special: out.special_tokens_mask,
      },
      { text, ids, tokens, own: tokens, offsets: toUnits(text, offsets), word_ids, special },
    );
  }
  return lines.length;
}

/** Checks every line of calls.jsonl; returns how many. */
export function checkCalls(tokenizer: BertTokenizer, folder: URL): number {
  const lines = readJsonLines<Call>(new URL("calls.jsonl", folder));
  for (const { texts, pairs, options, out } of lines) {
    let got: Record<string, unknown>;
    try {
      got = {
        ...tokenizer(texts, {
          ...options,
          text_pair: pairs ?? undefined,
          return_offsets_mapping: true,
          return_special_tokens_mask: true,
        }),
      };
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error;
      got = { error: "TokenizerError" };
    }
    const wanted: Record<string, unknown> = out.error ? { error: "TokenizerError" } : { ...out };
    if (!out.error) wanted.offset_mapping = rowOffsets(texts, pairs, out);
    deepStrictEqual({ texts, options, ...got }, { texts, options, ...wanted });
  }
  return lines.length;
}

// Offsets of the rows of a batch: those with type 1 (but for [SEP] and padding) point into the second text.
function rowOffsets(texts: string[], pairs: string[] | null, out: Call["out"]): [number, number][][] {
  const samples = out.overflow_to_sample_mapping as number[] | undefined;
  const types = out.token_type_ids as number[][];
  return out.offset_mapping.map((row, i) => {
    const sample = samples ? samples[i] : i;
    const first = toUnits(texts[sample], row.map((offset, k) => types[i][k] === 0 ? offset : [0, 0]));
    const second = toUnits(
      pairs?.[sample] ?? "",
      row.map((offset, k) => types[i][k] === 1 ? offset : [0, 0]),
    );
    return row.map((_offset, k) => types[i][k] === 0 ? first[k] : second[k]);
  });
}

/** Checks every line of decode.jsonl; returns how many. */
export function checkDecodings(tokenizer: BertTokenizer, folder: URL): number {
  const lines = readJsonLines<Decoding>(new URL("decode.jsonl", folder));
  for (const { ids, ...wanted } of lines) {
    deepStrictEqual({
      ids,
      text: tokenizer.decode(ids, { clean_up_tokenization_spaces: true }),
      text_skip_special: tokenizer.decode(ids, {
        skip_special_tokens: true,
        clean_up_tokenization_spaces: true,
      }),
      text_no_cleanup: tokenizer.decode(ids, { clean_up_tokenization_spaces: false }),
    }, { ids, ...wanted });
  }
  return lines.length;
}
