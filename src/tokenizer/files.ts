/**
 * The files of a tokenizer -> vocabulary and options.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { AddedToken } from "./added_tokens.ts";
import { asObject, type Json, parseAddedToken, parseId, parseObject } from "./json.ts";
import { type ParsedTokenizerJson, parseTokenizerJson } from "./tokenizer_json.ts";
import { SPECIAL_NAMES, type TokenizerOptions } from "./tokenizer_options.ts";
import type { VocabularySource } from "./vocabulary.ts";

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

const CONFIG = "tokenizer_config.json";
const MAP = "special_tokens_map.json";
const ADDED = "added_tokens.json";
// Tokenizer classes and model types whose vocab.txt is plain BERT WordPiece.
const BERT_CLASS =
  /^((Bert|DistilBert|MobileBert|ConvBert|SqueezeBert|RetriBert|MegatronBert|VisualBert|QDQBert|NomicBert|Electra|Ernie|LayoutLM|Lxmert|Realm|Nezha|DPR\w+)Tokenizer(Fast|Legacy)?|PreTrainedTokenizer(Fast)?|TokenizersBackend)$/;
const OTHER_TYPE =
  /^(xlm|roberta|gpt|m?t5|albert|camembert|deberta|m?bart|xlnet|llama|bertweet|phobert|flaubert|rembert|big_?bird|mpnet|longformer)/;
const OTHER_FILES: Record<string, string> = {
  "merges.txt": "BPE (RoBERTa, GPT-2)",
  "vocab.json": "BPE (RoBERTa, GPT-2)",
  "bpe.codes": "BPE (BERTweet, PhoBERT)",
  "spiece.model": "SentencePiece (ALBERT, T5, XLNet)",
  "spm.model": "SentencePiece (DeBERTa)",
  "sentencepiece.bpe.model": "SentencePiece (XLM-RoBERTa, CamemBERT)",
  "tokenizer.model": "SentencePiece (Llama)",
};
const CONFIG_KEYS = [
  "do_lower_case",
  "strip_accents",
  "tokenize_chinese_chars",
  "clean_text",
  "model_max_length",
  "padding_side",
  "truncation_side",
  "clean_up_tokenization_spaces",
  "split_special_tokens",
  "model_input_names",
];

/**
 * Reads the files: what tokenizer_config.json says goes first, then tokenizer.json, then the defaults.
 *
 * @throws TokenizerError if a file is malformed, or the tokenizer is no BERT WordPiece.
 */
export function parseFiles(files: TokenizerFiles): { vocab: VocabularySource; options: TokenizerOptions } {
  const config = parseObject(files[CONFIG], CONFIG);
  const parsed = files["tokenizer.json"] == null
    ? null
    : parseTokenizerJson(parseObject(files["tokenizer.json"], "tokenizer.json"));
  const vocab = parsed?.vocab ?? vocabTxt(files, config.tokenizer_class);

  const options: Json = { ...parsed?.options };
  for (const key of CONFIG_KEYS) if (config[key] !== undefined) options[key] = config[key];
  if (/^DistilBert/.test(String(config.tokenizer_class))) {
    options.model_input_names ??= ["input_ids", "attention_mask"];
  }
  // The map is older than the decoder, and not read where there is one.
  const special = config.added_tokens_decoder ? config : { ...config, ...parseObject(files[MAP], MAP) };
  const contents = readSpecialTokens(special, options);
  options.added_tokens = readAddedTokens(config, files, parsed, contents);
  return { vocab, options: options as TokenizerOptions };
}

// Copies the special tokens into the options; returns their contents.
function readSpecialTokens(special: Json, options: Json): Set<string> {
  const contents = new Set<string>();
  const read = (value: unknown): AddedToken => {
    const token = typeof value === "string" ? new AddedToken(value) : parseAddedToken(value, MAP);
    contents.add(token.content);
    return token.toSpecial();
  };
  for (const name of SPECIAL_NAMES) {
    if (special[name] != null) options[name] = read(special[name]);
  }
  const extra = special.extra_special_tokens ?? special.additional_special_tokens ?? [];
  options.extra_special_tokens = Object.values(typeof extra === "object" ? extra as object : [extra]).map(
    read,
  );
  return contents;
}

// Added tokens in the order of their ids.
function readAddedTokens(
  config: Json,
  files: TokenizerFiles,
  parsed: ParsedTokenizerJson | null,
  special: ReadonlySet<string>,
): AddedToken[] {
  const added = new Map<string, [id: number, token: AddedToken]>();
  if (!config.added_tokens_decoder) {
    for (const [content, id] of Object.entries(parseObject(files[ADDED], ADDED))) {
      const token = new AddedToken(content, { special: special.has(content) });
      added.set(content, [parseId(id, ADDED), token]);
    }
  }
  for (const [id, token] of parsed?.added ?? []) added.set(token.content, [id, token]);
  if (config.added_tokens_decoder) {
    const decoder = asObject(config.added_tokens_decoder, CONFIG, "added_tokens_decoder");
    for (const [id, value] of Object.entries(decoder)) {
      const token = parseAddedToken(value, CONFIG);
      added.set(token.content, [parseId(id, CONFIG), token]);
    }
  }
  return [...added.values()].sort((a, b) => a[0] - b[0]).map(([, token]) => token);
}

function vocabTxt(files: TokenizerFiles, tokenizerClass: unknown): VocabularySource {
  const modelType = parseObject(files["config.json"], "config.json").model_type;
  const other = Object.keys(OTHER_FILES).find((name) => files[name] != null);
  const state = other
    ? `${other} belongs to a ${OTHER_FILES[other]} tokenizer`
    : typeof tokenizerClass === "string" && !BERT_CLASS.test(tokenizerClass)
    ? `${CONFIG} says it is a ${tokenizerClass}`
    : typeof modelType === "string" && OTHER_TYPE.test(modelType)
    ? `config.json says the model is a ${modelType}`
    : files["vocab.txt"] == null
    ? "there is no vocabulary among the files"
    : null;
  if (state) {
    throw new TokenizerError(
      `Cannot load the tokenizer: ${state}; wanted BERT's WordPiece, in vocab.txt or tokenizer.json`,
    );
  }
  return files["vocab.txt"]!;
}
