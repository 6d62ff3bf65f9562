/**
 * The files of a tokenizer -> vocabulary and options.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { AddedToken } from "./added_tokens.ts";
import { check, show } from "./check.ts";
import {
  type Json,
  parseAddedToken,
  type ParsedTokenizerJson,
  parseTokenizerJson,
} from "./tokenizer_json.ts";
import { SETTING_NAMES, SPECIAL_NAMES, type TokenizerOptions } from "./tokenizer_options.ts";
import { decodeUtf8, type VocabularySource } from "./vocabulary.ts";

/** The content of a file; `null` and `undefined` for none. */
export type FileContent = string | Uint8Array | null | undefined;

/** The files of a tokenizer by name. Files of other kinds of tokenizers may be given to be recognized. */
export interface TokenizerFiles {
  /** The vocabulary, one token a line. */
  readonly "vocab.txt"?: FileContent;
  /** Everything, as huggingface/tokenizers writes it; its vocabulary goes before vocab.txt. */
  readonly "tokenizer.json"?: FileContent;
  /** Options; they go before those of tokenizer.json. */
  readonly "tokenizer_config.json"?: FileContent;
  /** Special tokens by role. */
  readonly "special_tokens_map.json"?: FileContent;
  /** Ids of added tokens. */
  readonly "added_tokens.json"?: FileContent;
  /** Other files. */
  readonly [name: string]: FileContent;
}

// Tokenizer classes whose vocab.txt is plain BERT WordPiece, and files of other tokenizers.
const BERT_CLASS = /^((?!Rem|RoC)\w*Bert|Electra)Tokenizer(Fast|Legacy)?$|^(PreTrained|Tokenizers)/;
const OTHER_FILE = /^(merges.txt|vocab.json|bpe.codes|.+\.model)$/;

/**
 * Reads the files: what tokenizer_config.json says goes first, then tokenizer.json, then the defaults.
 *
 * @throws TokenizerError if a file is malformed, or the tokenizer is no BERT WordPiece.
 */
export function parseFiles(files: TokenizerFiles): { vocab: VocabularySource; options: TokenizerOptions } {
  const config = parseJson(files, "tokenizer_config.json");
  const parsed = files["tokenizer.json"] == null
    ? null
    : parseTokenizerJson(parseJson(files, "tokenizer.json"));
  const vocab = parsed?.vocab ?? vocabTxt(files, config.tokenizer_class);

  const options: Json = { ...parsed?.options };
  for (const name of SETTING_NAMES) if (config[name] !== undefined) options[name] = config[name];
  // The other files are older than the decoder, and not read where there is one.
  const decoder = config.added_tokens_decoder as object | null | undefined ?? null;
  if (decoder) check("load tokenizer_config.json", "added_tokens_decoder", decoder, "an object");
  const special = decoder ? config : { ...config, ...parseJson(files, "special_tokens_map.json") };
  const contents = readSpecialTokens(special, options);
  options.added_tokens = readAddedTokens(decoder, files, parsed, contents);
  return { vocab, options: options as TokenizerOptions };
}

// Copies the special tokens into the options; returns their contents.
function readSpecialTokens(special: Json, options: Json): Set<string> {
  const contents = new Set<string>();
  const read = (value: unknown): AddedToken => {
    const token = typeof value === "string" ? new AddedToken(value) : parseAddedToken(value);
    contents.add(token.content);
    return token.toSpecial();
  };
  for (const name of SPECIAL_NAMES) {
    if (special[name] != null) options[name] = read(special[name]);
  }
  const extra = special.extra_special_tokens ?? special.additional_special_tokens ?? [];
  options.extra_special_tokens = [extra].flat().map(read);
  return contents;
}

// Added tokens in the order of their ids.
function readAddedTokens(
  decoder: object | null,
  files: TokenizerFiles,
  parsed: ParsedTokenizerJson | null,
  special: ReadonlySet<string>,
): AddedToken[] {
  const added = new Map<string, [id: number, token: AddedToken]>();
  const add = (id: unknown, token: AddedToken): void => {
    added.set(token.content, [check("load added tokens", "an id", id, "an id"), token]);
  };
  const old = decoder ? {} : parseJson(files, "added_tokens.json");
  for (const [content, id] of Object.entries(old)) {
    add(id, new AddedToken(content, { special: special.has(content) }));
  }
  for (const [id, token] of parsed?.added ?? []) add(id, token);
  for (const [id, token] of Object.entries(decoder ?? {})) add(Number(id), parseAddedToken(token));
  return [...added.values()].sort((a, b) => a[0] - b[0]).map(([, token]) => token);
}

function vocabTxt(files: TokenizerFiles, tokenizerClass: unknown): VocabularySource {
  const other = Object.keys(files).find((name) => files[name] != null && OTHER_FILE.test(name));
  const vocab = files["vocab.txt"];
  const state = other
    ? `${other} belongs to a ${other.endsWith(".model") ? "SentencePiece" : "BPE"} tokenizer`
    : typeof tokenizerClass === "string" && !BERT_CLASS.test(tokenizerClass)
    ? `tokenizer_config.json says ${tokenizerClass}`
    : vocab == null
    ? "there is no vocabulary" +
      (files["config.json"] ? `, config.json says ${show(parseJson(files, "config.json").model_type)}` : "")
    : "";
  if (vocab != null && !state) return vocab;
  throw new TokenizerError(
    `Cannot load the tokenizer: ${state}, wanted BERT's WordPiece in vocab.txt or tokenizer.json`,
  );
}

// The object in a JSON file; an empty one if there is no such file.
function parseJson(files: TokenizerFiles, name: string): Json {
  const content = files[name];
  if (content == null) return {};
  const text = decodeUtf8(content, name);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TokenizerError(`Cannot load ${name}: ${(error as Error).message}`, { cause: error });
  }
  return check(`load ${name}`, "the file", value, "an object");
}
