/** Compares set-ups and calls that golden/make_features.py made with transformers. */

import { deepStrictEqual } from "node:assert/strict";
import {
  AddedToken,
  type AddedTokenOptions,
  type BatchEncoding,
  BertTokenizer,
  type CallOptions,
  TokenizerError,
  type TokenizerInput,
  type TokenizerOptions,
} from "../../src/tokenizer/mod.ts";
import { toUnits } from "./reference.ts";

interface Row {
  tokens: string[];
  words: (number | null)[];
  sequences: (number | null)[];
}

interface Maps {
  row: number;
  index: number;
  sequence: number;
  char_to_token: number | null;
  char_to_word: number | null;
  token_to_chars: [number, number] | null;
  token_to_word: number | null;
  token_to_sequence: number | null;
  word_to_tokens: [number, number] | null;
}

interface Call {
  text: string | string[] | string[][];
  text_pair: string | string[] | string[][] | null;
  options: CallOptions;
  error?: string;
  out: Record<string, unknown> & { overflow_to_sample_mapping?: number[] };
  rows: Row[];
  maps: Maps[];
  decoded: { ids: number[]; plain: string; skip: string; clean: string; tokens: string[] };
}

/** One line of the file. */
export interface Feature {
  setup: {
    options: TokenizerOptions;
    add: { token: AddedTokenOptions & { content: string }; special: boolean }[];
    padding_side: "left" | "right";
    truncation_side: "left" | "right";
    added_counts: number[];
    ids: number[];
    size: number;
  };
  calls: Call[];
}

/** Makes the tokenizer of a line; checks what adding tokens gave. */
export function setUp(vocab: string, { setup }: Feature): BertTokenizer {
  const tokenizer = BertTokenizer.from_vocab(vocab, setup.options);
  tokenizer.padding_side = setup.padding_side;
  tokenizer.truncation_side = setup.truncation_side;
  const counts = setup.add.map(({ token, special }) =>
    tokenizer.add_tokens([new AddedToken(token.content, token)], special)
  );
  deepStrictEqual({
    counts,
    ids: tokenizer.convert_tokens_to_ids(setup.add.map(({ token }) => token.content)),
    size: tokenizer.length,
  }, { counts: setup.added_counts, ids: setup.ids, size: setup.size });
  return tokenizer;
}

/** Checks the calls of a line; returns how many. */
export function checkFeature(tokenizer: BertTokenizer, { setup, calls }: Feature): number {
  for (const call of calls) {
    const { text, text_pair, options, error } = call;
    const context = { setup, text, text_pair, options };
    let out: BatchEncoding;
    try {
      out = tokenizer(text as TokenizerInput, {
        ...options,
        text_pair: text_pair ?? undefined,
        return_offsets_mapping: true,
      });
    } catch (thrown) {
      if (!(thrown instanceof TokenizerError)) throw thrown;
      deepStrictEqual({ ...context, error: thrown.message }, { ...context, error: error && thrown.message });
      continue;
    }
    deepStrictEqual({ ...context, error: undefined }, { ...context, error });
    const batched = Array.isArray((out.input_ids as unknown[])[0]) || !!options.return_overflowing_tokens;
    const rows = call.rows.map((_row, i) => {
      return { tokens: out.tokens(i), words: out.word_ids(i), sequences: out.sequence_ids(i) };
    });
    deepStrictEqual({ ...context, out: { ...out }, rows }, {
      ...context,
      out: { ...call.out, offset_mapping: unitOffsets(call, batched) },
      rows: call.rows,
    });
    checkMaps(out, call, context);
    checkDecoded(tokenizer, call, context);
  }
  return calls.length;
}

// The text that a token's offsets point into.
function textOf({ text, text_pair, options, out, rows }: Call, row: number, token: number): string {
  const sequence = rows[row].sequences[token];
  const words = options.is_split_into_words;
  const given = sequence === 1 ? text_pair! : text;
  const single = words ? !Array.isArray(text[0]) : typeof text === "string";
  const sample = single ? given : given[out.overflow_to_sample_mapping?.[row] ?? row];
  return words ? (sample as string[])[rows[row].words[token]!] : sample as string;
}

function unitOffsets(call: Call, batched: boolean): unknown {
  const rows = (batched ? call.out.offset_mapping : [call.out.offset_mapping]) as [number, number][][];
  const units = rows.map((offsets, row) =>
    offsets.map((offset, token) =>
      call.rows[row].sequences[token] === null ? offset : toUnits(textOf(call, row, token), [offset])[0]
    )
  );
  return batched ? units : units[0];
}

function checkMaps(out: BatchEncoding, call: Call, context: unknown): void {
  for (const { row, index, sequence, ...wanted } of call.maps) {
    const span = (range: { start: number; end: number } | null): [number, number] | null =>
      range && [range.start, range.end];
    const chars = wanted.token_to_chars;
    const got = {
      token_to_chars: span(out.token_to_chars(row, index)),
      token_to_word: out.token_to_word(row, index),
      token_to_sequence: out.token_to_sequence(row, index),
      word_to_tokens: span(out.word_to_tokens(row, index, sequence)),
      char_to_token: wanted.char_to_token,
      char_to_word: wanted.char_to_word,
    };
    // A character number means the same in both only where there are no surrogate pairs.
    if (!/[\ud800-\udfff]/.test(JSON.stringify([call.text, call.text_pair]))) {
      got.char_to_token = out.char_to_token(row, index, sequence);
      got.char_to_word = out.char_to_word(row, index, sequence);
    }
    if (chars) wanted.token_to_chars = toUnits(textOf(call, row, index), [chars])[0];
    deepStrictEqual({ context, row, index, sequence, ...got }, { context, row, index, sequence, ...wanted });
  }
}

function checkDecoded(tokenizer: BertTokenizer, { decoded }: Call, context: unknown): void {
  const { ids } = decoded;
  deepStrictEqual({
    context,
    ids,
    plain: tokenizer.decode(ids),
    skip: tokenizer.decode(ids, { skip_special_tokens: true }),
    clean: tokenizer.decode(ids, { clean_up_tokenization_spaces: true }),
    tokens: tokenizer.convert_ids_to_tokens(ids, true),
  }, { context, ...decoded });
}
