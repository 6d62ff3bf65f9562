/**
 * The BERT WordPiece tokenizer: text -> ids, masks and offsets, and back, exactly as transformers'
 * `BertTokenizerFast`. Pure: strings and bytes in, values out.
 *
 * @module
 */

export type { BerthError } from "../errors.ts";
export { TokenizerError } from "../errors.ts";
export { AddedToken, type AddedTokenOptions } from "./added_tokens.ts";
export { BatchEncoding, type Offset, type Rows, type Span } from "./batch_encoding.ts";
export { BertTokenizer, type PlainOptions, type TokenizerClass, type WordOptions } from "./bert_tokenizer.ts";
export type { Callable } from "./callable.ts";
export type { CallOptions, TextInput, TokenizerInput, TokenizerProgress } from "./call_options.ts";
export type { FileContent, TokenizerFiles } from "./files.ts";
export type { PadColumns, PadInput, PadOptions } from "./pad.ts";
export type { StreamInput, StreamOptions } from "./stream.ts";
export type { DecodeOptions, SpecialTokens, TokenizerBase } from "./tokenizer_base.ts";
export type { SpecialName, TokenizerOptions } from "./tokenizer_options.ts";
export { trainVocabulary, type VocabularyOptions, type VocabularyProgress } from "./train_vocabulary.ts";
export type { VocabularySource } from "./vocabulary.ts";
