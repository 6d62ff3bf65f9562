/**
 * A tokenizer -> its files, as transformers reads them.
 *
 * @module
 */

import type { AddedToken } from "./added_tokens.ts";
import type { FixedToken } from "./encoding.ts";
import { bertTemplate } from "./tokenizer_json.ts";
import type { Settings, SpecialName } from "./tokenizer_options.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** What is saved of a tokenizer. */
export interface SavedState {
  readonly vocabulary: Vocabulary;
  readonly settings: Settings;
  readonly added: ReadonlyMap<number, AddedToken>;
  readonly special: Partial<Record<SpecialName, string>>;
  readonly extra: readonly string[];
  readonly cls: FixedToken;
  readonly sep: FixedToken;
  readonly unk: string;
}

/** The files by name. */
export function saveFiles(state: SavedState): Record<string, string> {
  const { settings, special, extra } = state;
  // Only the generic class of transformers reads these from tokenizer.json instead of assuming BERT's values.
  const plain = settings.clean_text && settings.decoder_cleanup &&
    settings.continuing_subword_prefix === "##" &&
    settings.max_input_chars_per_word === 100;
  const config = {
    ...settings,
    ...special,
    added_tokens_decoder: Object.fromEntries(state.added),
    additional_special_tokens: extra, // version 4 of transformers cannot read a list by the newer name
    tokenizer_class: plain ? "BertTokenizer" : "PreTrainedTokenizerFast",
  };
  const vocabTxt = state.vocabulary.toText();
  return {
    ...(vocabTxt === null ? {} : { "vocab.txt": vocabTxt }),
    "tokenizer.json": tokenizerJson(state),
    "tokenizer_config.json": JSON.stringify(config, null, 2),
    "special_tokens_map.json": JSON.stringify({ ...special, additional_special_tokens: extra }, null, 2),
  };
}

function tokenizerJson({ vocabulary, settings, added, cls, sep, unk }: SavedState): string {
  const tokens = [cls, sep].map(({ id, text }) => [text, { id: text, ids: [id], tokens: [text] }]);
  const head = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: Array.from(added, ([id, token]) => ({ id, ...token })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: settings.clean_text,
      handle_chinese_chars: settings.tokenize_chinese_chars,
      strip_accents: settings.strip_accents,
      lowercase: settings.do_lower_case,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      ...bertTemplate(cls.text, sep.text),
      special_tokens: Object.fromEntries(tokens),
    },
    decoder: {
      type: "WordPiece",
      prefix: settings.continuing_subword_prefix,
      cleanup: settings.decoder_cleanup,
    },
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: settings.continuing_subword_prefix,
      max_input_chars_per_word: settings.max_input_chars_per_word,
    },
  };
  // Objects would reorder tokens that look like numbers, so the vocabulary is written by hand.
  const vocab = [...vocabulary.ids].sort((a, b) => a[1] - b[1]).map(([token, id]) =>
    `${JSON.stringify(token)}:${id}`
  );
  return `${JSON.stringify(head).slice(0, -2)},"vocab":{${vocab.join(",")}}}}`;
}
