/**
 * `tokenizer.json`, the format of huggingface/tokenizers, as far as it holds a BERT WordPiece tokenizer.
 *
 * @module
 */

import { AddedToken, FLAGS } from "./added_tokens.ts";
import { check, type Kind } from "./check.ts";
import type { TokenizerOptions } from "./tokenizer_options.ts";

/** A JSON object of unknown content. */
export type Json = Record<string, unknown>;

/** What the file says. */
export interface ParsedTokenizerJson {
  readonly vocab: ReadonlyMap<string, number>;
  readonly options: TokenizerOptions;
  /** Added tokens by id. */
  readonly added: ReadonlyMap<number, AddedToken>;
}

/**
 * Reads the parsed file.
 *
 * @throws TokenizerError if a part is malformed or is not that of a BERT WordPiece tokenizer.
 */
export function parseTokenizerJson(json: Json): ParsedTokenizerJson {
  const model = object(json, "model");
  const type = model.type ?? (Array.isArray(model.vocab) ? "Unigram" : model.merges ? "BPE" : "WordPiece");
  must("model.type", type, ["WordPiece"]);
  must("version", json.version ?? "1.0", ["1.0"]);
  must("pre_tokenizer.type", object(json, "pre_tokenizer").type, ["BertPreTokenizer"]);
  const options: Json = {
    unk_token: field(model, "unk_token", "text"),
    continuing_subword_prefix: field(model, "continuing_subword_prefix", "text"),
    max_input_chars_per_word: field(model, "max_input_chars_per_word", "a whole number"),
    ...parseTemplate(json),
    ...parseNormalizer(json),
  };
  if (json.decoder != null) {
    const decoder = object(json, "decoder");
    must("decoder.type", decoder.type, ["WordPiece"]);
    must("decoder.prefix", decoder.prefix, [options.continuing_subword_prefix as string]);
    options.decoder_cleanup = field(decoder, "cleanup", "a boolean");
  }
  for (const part of ["padding", "truncation"]) {
    const side = (json[part] as Json | null | undefined)?.direction;
    if (side) options[`${part}_side`] = String(side).toLowerCase();
  }
  const added = new Map<number, AddedToken>();
  for (const token of must<Json[]>("added_tokens", json.added_tokens ?? [], "a list")) {
    const value = parseAddedToken(token);
    added.set(field(token, "id", "an id"), value);
  }
  const vocab = new Map(Object.entries(object(model, "vocab") as Record<string, number>));
  return { vocab, options: options as TokenizerOptions, added };
}

/** An added token as the files write it. */
export function parseAddedToken(value: unknown): AddedToken {
  const token = check<Json>("load added tokens", "a token", value, "an object");
  for (const name of FLAGS) {
    if (token[name] !== undefined) check("load added tokens", name, token[name], "a boolean");
  }
  return new AddedToken(token.content as string, token);
}

function parseNormalizer(json: Json): Json {
  if (json.normalizer == null) {
    return { clean_text: false, tokenize_chinese_chars: false, strip_accents: false, do_lower_case: false };
  }
  const normalizer = object(json, "normalizer");
  must("normalizer.type", normalizer.type, ["BertNormalizer"]);
  return {
    clean_text: field(normalizer, "clean_text", "a boolean"),
    tokenize_chinese_chars: field(normalizer, "handle_chinese_chars", "a boolean"),
    strip_accents: normalizer.strip_accents,
    do_lower_case: field(normalizer, "lowercase", "a boolean"),
  };
}

// The special tokens of [CLS] A [SEP] B [SEP], the only template of BERT.
function parseTemplate(json: Json): Json {
  if (json.post_processor == null) return {};
  const { type, cls, sep, single, pair } = object(json, "post_processor");
  if (type === "BertProcessing") {
    return {
      cls_token: must<string[]>("cls", cls, "a list")[0],
      sep_token: must<string[]>("sep", sep, "a list")[0],
    };
  }
  must("post_processor.type", type, ["TemplateProcessing"]);
  const tokens = [0, 2].map((i) =>
    (single as { SpecialToken?: Json }[] | undefined)?.[i]?.SpecialToken?.id as string
  );
  const wanted = bertTemplate(tokens[0], tokens[1]);
  must("post_processor", JSON.stringify({ single, pair }), [JSON.stringify(wanted)]);
  return { cls_token: tokens[0], sep_token: tokens[1] };
}

/** The template of BERT as the file writes it. */
export function bertTemplate(cls: string, sep: string): { single: unknown[]; pair: unknown[] } {
  const special = (id: string, type_id: number): unknown => ({ SpecialToken: { id, type_id } });
  const single = [special(cls, 0), { Sequence: { id: "A", type_id: 0 } }, special(sep, 0)];
  return { single, pair: [...single, { Sequence: { id: "B", type_id: 1 } }, special(sep, 1)] };
}

function must<T>(name: string, value: unknown, wanted: Kind | readonly string[]): T {
  return check("load tokenizer.json", name, value, wanted);
}

function field<T>(json: Json, name: string, wanted: Kind): T {
  return must(name, json[name], wanted);
}

function object(json: Json, name: string): Json {
  return field(json, name, "an object");
}
