/**
 * `tokenizer.json`, the format of huggingface/tokenizers, as far as it holds a BERT WordPiece tokenizer.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import type { AddedToken } from "./added_tokens.ts";
import { asObject, type Json, parseAddedToken, parseId, show } from "./json.ts";
import type { TokenizerOptions } from "./tokenizer_options.ts";

/** What the file says. */
export interface ParsedTokenizerJson {
  readonly vocab: ReadonlyMap<string, number>;
  readonly options: TokenizerOptions;
  /** Added tokens by id. */
  readonly added: ReadonlyMap<number, AddedToken>;
}

const FILE = "tokenizer.json";
const SINGLE = "<cls>:0 A:0 <sep>:0";
const PAIR = "<cls>:0 A:0 <sep>:0 B:1 <sep>:1";

/**
 * Reads the parsed file.
 *
 * @throws TokenizerError if a part is malformed or is not that of a BERT WordPiece tokenizer.
 */
export function parseTokenizerJson(json: Json): ParsedTokenizerJson {
  if (json.version !== undefined && json.version !== "1.0") {
    fail(`has version ${show(json.version)}, wanted "1.0"`);
  }
  const model = asObject(json.model, FILE, "the model");
  const type = model.type ?? (Array.isArray(model.vocab) ? "Unigram" : model.merges ? "BPE" : "WordPiece");
  if (type !== "WordPiece") fail(`holds a ${show(type)} model, wanted BERT's WordPiece`);
  const splitter = asObject(unwrap(json.pre_tokenizer, "pretokenizers"), FILE, "the pre_tokenizer");
  if (splitter.type !== "BertPreTokenizer") {
    fail(`holds a ${show(splitter.type)} pre-tokenizer, wanted BertPreTokenizer`);
  }
  const options: Json = {
    ...parseNormalizer(unwrap(json.normalizer, "normalizers")),
    ...parseDecoder(json.decoder, model.continuing_subword_prefix),
    ...parseTemplate(json.post_processor),
    unk_token: field(model, "unk_token", "string"),
    continuing_subword_prefix: field(model, "continuing_subword_prefix", "string"),
    max_input_chars_per_word: field(model, "max_input_chars_per_word", "number"),
  };
  for (const part of ["padding", "truncation"]) {
    const direction = json[part] == null ? undefined : asObject(json[part], FILE, part).direction;
    if (direction !== undefined) options[`${part}_side`] = String(direction).toLowerCase();
  }

  const added = new Map<number, AddedToken>();
  const tokens = json.added_tokens ?? [];
  if (!Array.isArray(tokens)) fail("has added_tokens that are no list");
  for (const token of tokens as unknown[]) {
    added.set(parseId(asObject(token, FILE, "an added token").id, FILE), parseAddedToken(token, FILE));
  }
  const vocab = new Map(Object.entries(asObject(model.vocab, FILE, "model.vocab") as Record<string, number>));
  return { vocab, options: options as TokenizerOptions, added };
}

function parseNormalizer(value: unknown): Json {
  if (value == null) {
    return { clean_text: false, tokenize_chinese_chars: false, strip_accents: false, do_lower_case: false };
  }
  const normalizer = asObject(value, FILE, "the normalizer");
  if (normalizer.type !== "BertNormalizer") {
    fail(`holds a ${show(normalizer.type)} normalizer, wanted BertNormalizer`);
  }
  return {
    clean_text: field(normalizer, "clean_text", "boolean"),
    tokenize_chinese_chars: field(normalizer, "handle_chinese_chars", "boolean"),
    strip_accents: normalizer.strip_accents,
    do_lower_case: field(normalizer, "lowercase", "boolean"),
  };
}

function parseDecoder(value: unknown, prefix: unknown): Json {
  if (value == null) return {};
  const decoder = asObject(value, FILE, "the decoder");
  if (decoder.type !== "WordPiece" || decoder.prefix !== prefix) {
    fail(
      `holds a ${show(decoder.type)} decoder for ${show(decoder.prefix)}, wanted WordPiece for ${
        show(prefix)
      }`,
    );
  }
  return { decoder_cleanup: field(decoder, "cleanup", "boolean") };
}

// The special tokens of [CLS] A [SEP] B [SEP], the only template of BERT.
function parseTemplate(value: unknown): Json {
  if (value == null) return {};
  const processor = asObject(value, FILE, "the post_processor");
  if (processor.type === "BertProcessing") {
    return { cls_token: first(processor.cls), sep_token: first(processor.sep) };
  }
  if (processor.type !== "TemplateProcessing") {
    fail(`holds a ${show(processor.type)} post-processor, wanted TemplateProcessing or BertProcessing`);
  }
  const single = pieces(processor.single);
  const [cls, , sep] = single.map(([name]) => name);
  for (const [template, wanted] of [[single, SINGLE], [pieces(processor.pair), PAIR]] as const) {
    const text = template.map(([name, type, special]) => {
      return `${!special ? name : name === cls ? "<cls>" : name === sep ? "<sep>" : show(name)}:${type}`;
    }).join(" ");
    if (text !== wanted) fail(`puts texts together as ${text.slice(0, 80)}, BERT wants ${wanted}`);
  }
  return { cls_token: cls, sep_token: sep };
}

function pieces(value: unknown): [name: unknown, type: unknown, special: boolean][] {
  if (!Array.isArray(value)) fail("has a template that is no list");
  return (value as unknown[]).map((item) => {
    const piece = asObject(item, FILE, "a piece of the template");
    const special = piece.SpecialToken !== undefined;
    const { id, type_id } = asObject(
      special ? piece.SpecialToken : piece.Sequence,
      FILE,
      "a piece of the template",
    );
    return [id, type_id, special];
  });
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

// The only part of a sequence of one.
function unwrap(value: unknown, key: string): unknown {
  const parts = (value as Json | null | undefined)?.[key];
  return Array.isArray(parts) && parts.length === 1 ? parts[0] : value;
}

function field(object: Json, key: string, type: "string" | "number" | "boolean"): unknown {
  const found = typeof object[key];
  if (found !== type) fail(`has ${key} ${show(object[key])}, wanted a ${type}`);
  return object[key];
}

function fail(state: string): never {
  throw new TokenizerError(`Cannot load ${FILE}: it ${state}`);
}
