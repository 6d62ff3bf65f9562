/**
 * A tokenizer -> its files, as transformers reads them.
 *
 * @module
 */

import type { AddedToken } from "./added_tokens.ts";
import type { ResolvedOptions, SpecialName } from "./tokenizer_options.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** What is saved of a tokenizer. */
export interface SavedState {
  readonly vocabulary: Vocabulary;
  readonly options: ResolvedOptions;
  readonly added: ReadonlyMap<number, AddedToken>;
  readonly special: Partial<Record<SpecialName, string>>;
  readonly extra: readonly string[];
  readonly cls: { readonly id: number; readonly text: string };
  readonly sep: { readonly id: number; readonly text: string };
  readonly unk: string;
  /** Settings that may have changed since the tokenizer was made. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The files by name. */
export function saveFiles(state: SavedState): Record<string, string> {
  const { options, added, special, extra } = state;
  const addedTokens = [...added].map(([id, token]) => ({ id, ...fields(token) }));
  // Only the generic class of transformers reads these from tokenizer.json instead of assuming BERT's values.
  const plain = options.clean_text && options.decoder_cleanup && options.continuing_subword_prefix === "##" &&
    options.max_input_chars_per_word === 100;
  const config = {
    added_tokens_decoder: Object.fromEntries(addedTokens.map(({ id, ...token }) => [id, token])),
    ...special,
    extra_special_tokens: extra,
    clean_text: options.clean_text,
    do_lower_case: options.do_lower_case,
    strip_accents: options.strip_accents,
    tokenize_chinese_chars: options.tokenize_chinese_chars,
    model_input_names: options.model_input_names,
    ...state.settings,
    tokenizer_class: plain ? "BertTokenizer" : "PreTrainedTokenizerFast",
  };
  const map = { ...special, ...(extra.length > 0 ? { additional_special_tokens: extra } : {}) };
  const vocabTxt = state.vocabulary.toText();
  return {
    ...(vocabTxt === null ? {} : { "vocab.txt": vocabTxt }),
    "tokenizer.json": tokenizerJson(state, addedTokens),
    "tokenizer_config.json": write(config),
    "special_tokens_map.json": write(map),
  };
}

function tokenizerJson(
  { vocabulary, options, cls, sep, unk }: SavedState,
  addedTokens: readonly unknown[],
): string {
  const special = ({ text }: { text: string }, type_id: number): unknown => ({
    SpecialToken: { id: text, type_id },
  });
  const sequence = (id: string, type_id: number): unknown => ({ Sequence: { id, type_id } });
  const single = [special(cls, 0), sequence("A", 0), special(sep, 0)];
  const tokens = [cls, sep].map(({ id, text }) => [text, { id: text, ids: [id], tokens: [text] }]);
  const head = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens,
    normalizer: {
      type: "BertNormalizer",
      clean_text: options.clean_text,
      handle_chinese_chars: options.tokenize_chinese_chars,
      strip_accents: options.strip_accents,
      lowercase: options.do_lower_case,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, sequence("B", 1), special(sep, 1)],
      special_tokens: Object.fromEntries(tokens),
    },
    decoder: {
      type: "WordPiece",
      prefix: options.continuing_subword_prefix,
      cleanup: options.decoder_cleanup,
    },
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: options.continuing_subword_prefix,
      max_input_chars_per_word: options.max_input_chars_per_word,
    },
  };
  // Objects would reorder tokens that look like numbers, so the vocabulary is written by hand.
  const vocab = [...vocabulary.ids].sort((a, b) => a[1] - b[1]).map(([token, id]) =>
    `${JSON.stringify(token)}:${id}`
  );
  return `${JSON.stringify(head).slice(0, -2)},"vocab":{${vocab.join(",")}}}}`;
}

function fields(
  { content, single_word, lstrip, rstrip, normalized, special }: AddedToken,
): Record<string, unknown> {
  return { content, single_word, lstrip, rstrip, normalized, special };
}

function write(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
