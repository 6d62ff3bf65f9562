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

/** Operations at most, so that it takes no longer than a minute or so; the first row is always explained. */
const MOST_FLOPS = 3e12;

/** Forward and backward passes of a text: two at each step of integrated gradients, and one to find the logit. */
const STEPS = 8, PASSES = 2 * STEPS + 1;

/** Options of {@linkcode explained}. */
export interface ExplainOptions {
  /** Longer texts are cut to this many tokens. */
  max_length: number;
  /** Called after every text. */
  onProgress(done: number, total: number): void;
  /** Operations at most. */
  most_flops?: number;
}

/**
 * The same rows with attributions for the predicted classes, as far as that takes not too long: the first rows of all
 * lists first. A text that is in several rows is explained once.
 *
 * @param lists Lists of rows.
 * @param labels The classes in the order of their numbers.
 */
export async function explained(
  model: SequenceClassifier,
  tokenizer: BertTokenizer,
  lists: readonly (readonly PredictionRow[])[],
  labels: readonly string[],
  options: ExplainOptions,
): Promise<PredictionRow[][]> {
  const keyOf = ({ text, text_pair, predicted }: PredictionRow) =>
    JSON.stringify([text, text_pair, predicted]);
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const inTurn = Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1)))
    .flat();
  const rows = affordable(
    model,
    tokenizer,
    [...new Map(inTurn.map((row) => [keyOf(row), row])).values()],
    options,
  );
  const found = new Map<string, WordAttribution[]>();
  // A batch is all texts or all pairs.
  const kinds = [
    rows.filter((row) => row.text_pair === undefined),
    rows.filter((row) => row.text_pair !== undefined),
  ];
  let before = 0;
  for (const some of kinds) {
    const all = await attributions(model, tokenizer, some.map(textOf), {
      ...{ targets: some.map(({ predicted }) => labels.indexOf(predicted)), max_length: options.max_length },
      ...{ steps: STEPS, onProgress: (done: number) => options.onProgress(before + done, rows.length) },
    });
    all.forEach(({ words }, i) => found.set(keyOf(some[i]), words.map(shortened)));
    before += some.length;
  }
  return lists.map((list) => list.map((row) => ({ ...row, attributions: found.get(keyOf(row)) })));
}

/** The first rows, as many as there are operations for. */
function affordable(
  model: SequenceClassifier,
  tokenizer: BertTokenizer,
  rows: readonly PredictionRow[],
  { max_length, most_flops = MOST_FLOPS }: ExplainOptions,
): PredictionRow[] {
  const inner = model.parameters().filter(({ name }) => !/embeddings/.test(name));
  const flops = 2 * PASSES * inner.reduce((sum, { size }) => sum + size, 0); // of a token
  let used = 0;
  return rows.filter((row, i) => {
    const [{ length }] = tokenizer([textOf(row)], { truncation: true, max_length }).input_ids;
    used += flops * length;
    return i === 0 || used <= most_flops;
  });
}

function textOf({ text, text_pair }: PredictionRow): TextOrPair {
  return text_pair === undefined ? text : [text, text_pair];
}

function shortened({ start, end, pair, score }: AttributedSpan): WordAttribution {
  return { start, end, score: Number(score.toPrecision(DIGITS)), ...(pair ? { pair } : {}) };
}
