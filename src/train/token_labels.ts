/**
 * Labels of words -> labels of their tokens, for token classification.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";

/** Labels that the loss does not count. */
const IGNORED = -100;

/**
 * Tokenizes texts that are given word by word. The first token of a word gets its label, the others none, as in
 * transformers' examples.
 *
 * @param labels The labels of each text's words; undefined for none.
 * @throws {DataError} if a text has another number of words than of labels.
 */
export function tokenizeWords(
  tokenizer: BertTokenizer,
  texts: readonly (readonly string[])[],
  labels: readonly (readonly number[] | undefined)[],
  max_length: number,
): { input_ids: number[]; labels?: number[] }[] {
  const encoding = tokenizer(texts, { is_split_into_words: true, truncation: true, max_length });
  return texts.map((words, i) => {
    const own = labels[i], input_ids = encoding.input_ids[i];
    if (!own) return { input_ids };
    if (own.length !== words.length) {
      throw new DataError(
        `Cannot label the words of "${
          words.slice(0, 5).join(" ")
        }": there are ${words.length} words and ${own.length} labels`,
      );
    }
    const places = encoding.word_ids(i);
    const first = (t: number) => places[t] !== null && places[t] !== places[t - 1];
    return { input_ids, labels: places.map((word, t) => first(t) ? own[word!] : IGNORED) };
  });
}
