/**
 * Training a WordPiece vocabulary on texts, as `BertWordPieceTokenizer.train` of huggingface/tokenizers.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import type { TokenizerProgress } from "./call_options.ts";
import { check } from "./check.ts";
import { mergePieces } from "./merge_pieces.ts";
import { Normalizer } from "./normalizer.ts";
import { reporter } from "./stream.ts";
import { resolveSettings, type TokenizerOptions } from "./tokenizer_options.ts";
import { WordCounts } from "./word_counts.ts";

/** Tells how far the training of a vocabulary has come. */
export interface VocabularyProgress extends TokenizerProgress {
  /** What `loaded` and `total` count: texts read, or tokens of the vocabulary. */
  readonly stage: "texts" | "tokens";
}

/** Options of {@linkcode trainVocabulary}; those of the text must be given to the tokenizer, too. */
export interface VocabularyOptions extends
  Pick<
    TokenizerOptions,
    "do_lower_case" | "strip_accents" | "tokenize_chinese_chars" | "clean_text" | "continuing_subword_prefix"
  > {
  /** Number of tokens to reach; fewer if no pair is frequent enough, more if the characters alone are more. Default 30,000. */
  vocab_size?: number;
  /** How often a pair of pieces must come to become a token. Default 2. */
  min_frequency?: number;
  /** Keep only so many characters, the most frequent ones; `null` keeps all. Default 1,000. */
  limit_alphabet?: number | null;
  /** Characters to keep in any case. Default none. */
  initial_alphabet?: readonly string[];
  /** The first tokens. Default [PAD], [UNK], [CLS], [SEP], [MASK]. */
  special_tokens?: readonly string[];
  /** Called every 1,024 texts, every 256 tokens, and at the end of both stages. */
  progress_callback?: ((progress: VocabularyProgress) => void) | null;
}

const ACTION = "train a vocabulary";
const MAX_SIZE = 1e7;
const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const REPORT_TEXTS = 1024, REPORT_TOKENS = 256;

/**
 * Trains a WordPiece vocabulary: the characters of the texts, then what merging frequent pairs gives. It is the
 * vocabulary of huggingface/tokenizers' `WordPieceTrainer` but for ties: of equally frequent pairs the one with the
 * smaller ids goes first, and there the ids of `##` characters are in a random order that changes from run to run, here
 * in the order of their code points. The order of the texts does not matter.
 *
 * @param texts The texts, read once and not kept; only the counts of their words stay in memory.
 * @param options What differs from the defaults.
 * @returns the tokens in the order of their ids, for `BertTokenizer.from_vocab`.
 * @throws {TokenizerError} if a text is no text or an option has a value that it cannot have.
 *
 * @example
 * ```ts
 * import { BertTokenizer, trainVocabulary } from "@berth/berth/tokenizer";
 *
 * const vocabulary = await trainVocabulary(["low lower lowest", "new newer newest"], { vocab_size: 30 });
 * const tokenizer = BertTokenizer.from_vocab(vocabulary);
 * console.log(tokenizer.tokenize("lowest")); // ["lo", "##west"]
 * ```
 */
export async function trainVocabulary(
  texts: Iterable<string> | AsyncIterable<string>,
  options: VocabularyOptions = {},
): Promise<string[]> {
  const plan = resolve(options);
  const words = new WordCounts(new Normalizer(plan.settings));
  const known = Array.isArray(texts) ? texts.length : null;
  const { progress_callback: callback } = options;
  const reportTexts = reporter(callback && ((progress) => callback({ stage: "texts", ...progress })), known);
  let read = 0;
  if (typeof texts === "string") check(ACTION, "texts", texts, "a list");
  for await (const text of texts) {
    if (typeof text !== "string") check(ACTION, `text ${read}`, text, "text");
    words.add(text);
    if (++read % REPORT_TEXTS === 0) reportTexts(read);
  }
  reportTexts(read, true);

  const reportTokens = reporter(
    callback && ((progress) => callback({ stage: "tokens", ...progress })),
    plan.vocab_size,
  );
  const vocabulary = mergePieces(words, firstPieces(words, plan), {
    ...{ vocab_size: plan.vocab_size, min_frequency: plan.min_frequency },
    continuing_subword_prefix: plan.settings.continuing_subword_prefix,
    report: (pieces) => pieces % REPORT_TOKENS === 0 && reportTokens(pieces),
  });
  reportTokens(vocabulary.length, true);
  return vocabulary;
}

function resolve(options: VocabularyOptions) {
  const { vocab_size = 30_000, min_frequency = 2, limit_alphabet = 1000 } = options;
  const { special_tokens = SPECIAL, initial_alphabet = [] } = options;
  for (const [name, value] of Object.entries({ vocab_size, min_frequency, limit_alphabet })) {
    if (value !== null || name !== "limit_alphabet") check(ACTION, name, value, "a whole number");
  }
  if (vocab_size > MAX_SIZE) {
    throw new TokenizerError(`Cannot ${ACTION}: vocab_size is ${vocab_size}, wanted at most ${MAX_SIZE}`);
  }
  for (const [name, list] of Object.entries({ special_tokens, initial_alphabet })) {
    for (const item of check<string[]>(ACTION, name, list, "a list")) check(ACTION, name, item, "text");
  }
  const settings = resolveSettings(options);
  return { vocab_size, min_frequency, limit_alphabet, special_tokens, initial_alphabet, settings };
}

/** Special tokens, the characters that are kept, and those of them that come inside words, by code point. */
function firstPieces(words: WordCounts, plan: ReturnType<typeof resolve>): string[] {
  const counts = new Map<number, number>(), inside = new Set<number>();
  for (let word = 0; word < words.size; word++) {
    words.chars(word).forEach((char, i) => {
      counts.set(char, (counts.get(char) ?? 0) + words.count(word));
      if (i > 0) inside.add(char);
    });
  }
  for (const text of plan.initial_alphabet) if (text !== "") counts.set(text.codePointAt(0)!, Infinity);
  const kept = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(
    0,
    plan.limit_alphabet ?? Infinity,
  );
  const chars = kept.map(([char]) => char).sort((a, b) => a - b);
  const prefix = plan.settings.continuing_subword_prefix;
  return [
    ...new Set([
      ...plan.special_tokens,
      ...chars.map((char) => String.fromCodePoint(char)),
      ...chars.filter((char) => inside.has(char)).map((char) => prefix + String.fromCodePoint(char)),
    ]),
  ];
}
