/**
 * The words that speak for a classifier's answers, beside the answers.
 *
 * @module
 */
import { type AttributedSpan, attributions, type SequenceClassifier, type TextOrPair } from "../model/mod.ts";
import type { PredictionRow, WordAttribution } from "../report/mod.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";

/** The part of a score that is kept, in digits. */
const DIGITS = 3;

/**
 * The same rows with attributions for the predicted classes; a text that is in several rows is explained once.
 *
 * @param lists Lists of rows.
 * @param labels The classes in the order of their numbers.
 */
export async function explained(
  model: SequenceClassifier,
  tokenizer: BertTokenizer,
  lists: readonly (readonly PredictionRow[])[],
  labels: readonly string[],
  options: { max_length: number; onProgress: (done: number, total: number) => void },
): Promise<PredictionRow[][]> {
  const keyOf = ({ text, text_pair, predicted }: PredictionRow) =>
    JSON.stringify([text, text_pair, predicted]);
  const rows = [...new Map(lists.flat().map((row) => [keyOf(row), row])).values()];
  const found = new Map<string, WordAttribution[]>();
  // A batch is all texts or all pairs.
  const kinds = [
    rows.filter((row) => row.text_pair === undefined),
    rows.filter((row) => row.text_pair !== undefined),
  ];
  let before = 0;
  for (const some of kinds) {
    const texts = some.map(({ text, text_pair }): TextOrPair =>
      text_pair === undefined ? text : [text, text_pair]
    );
    const all = await attributions(model, tokenizer, texts, {
      ...{ targets: some.map(({ predicted }) => labels.indexOf(predicted)), max_length: options.max_length },
      onProgress: (done) => options.onProgress(before + done, rows.length),
    });
    all.forEach(({ words }, i) => found.set(keyOf(some[i]), words.map(shortened)));
    before += some.length;
  }
  return lists.map((list) => list.map((row) => ({ ...row, attributions: found.get(keyOf(row)) })));
}

function shortened({ start, end, pair, score }: AttributedSpan): WordAttribution {
  return { start, end, score: Number(score.toPrecision(DIGITS)), ...(pair ? { pair } : {}) };
}
