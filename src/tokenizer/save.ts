/**
 * A tokenizer -> its files, as transformers reads them.
 *
 * @module
 */

import type { AddedToken } from "./added_tokens.ts";
import { bertTemplate } from "./tokenizer_json.ts";
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
  const { special: _special, added_tokens: _added, ...options } = state.options;
  // Only the generic class of transformers reads these from tokenizer.json instead of assuming BERT's values.
  const plain = options.clean_text && options.decoder_cleanup && options.continuing_subword_prefix === "##" &&
    options.max_input_chars_per_word === 100;
  const config = {
    ...options,
    ...state.special,
    ...state.settings,
    added_tokens_decoder: Object.fromEntries(state.added),
    extra_special_tokens: state.extra,
    tokenizer_class: plain ? "BertTokenizer" : "PreTrainedTokenizerFast",
  };
  const map = { ...state.special, additional_special_tokens: state.extra };
  const vocabTxt = state.vocabulary.toText();
  return {
    ...(vocabTxt === null ? {} : { "vocab.txt": vocabTxt }),
    "tokenizer.json": tokenizerJson(state),
    "tokenizer_config.json": JSON.stringify(config, null, 2) + "\n",
    "special_tokens_map.json": JSON.stringify(map, null, 2) + "\n",
  };
}

function tokenizerJson({ vocabulary, options, added, cls, sep, unk }: SavedState): string {
  const tokens = [cls, sep].map(({ id, text }) => [text, { id: text, ids: [id], tokens: [text] }]);
  const head = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: Array.from(added, ([id, token]) => ({ id, ...token })),
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
      ...bertTemplate(cls.text, sep.text),
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
