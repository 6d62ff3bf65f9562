/**
 * Scores of first and last tokens over the windows of contexts -> one answer a question, chosen as transformers' run_qa
 * chooses it: the span with the highest sum of logits of all windows; no answer if [CLS] scores higher in every window.
 *
 * @module
 */
import { softmax } from "../../model/probabilities.ts";

/** A row of tokens, and where they stand. */
export interface Window {
  /** The number of its question. */
  readonly example: number;
  /** For each token its place in the context; null for other tokens. */
  readonly offsets: readonly (readonly [start: number, end: number] | null)[];
}

/** An answer. */
export interface BestAnswer {
  /** A part of the context; empty for no answer. */
  readonly text: string;
  /** The product of its ends' probabilities in its window. */
  readonly probability: number;
}

/** The most tokens of an answer. */
const LONGEST = 30;

/** The best span of one window: its first and last token, and the sum of their logits. */
function bestSpan(start: readonly number[], end: readonly number[], { offsets }: Window) {
  let first = -1, last = -1, score = -Infinity;
  for (let i = 0; i < offsets.length; i++) {
    if (!offsets[i]) continue;
    for (let j = i; j < Math.min(offsets.length, i + LONGEST) && offsets[j]; j++) {
      if (start[i] + end[j] > score) [first, last, score] = [i, j, start[i] + end[j]];
    }
  }
  return { first, last, score };
}

/**
 * Answers questions.
 *
 * @param start A logit for each token of each window to be the first one.
 * @param end A logit to be the last one.
 * @param options `mayBeEmpty`: whether there may be no answer.
 */
export function bestAnswers(
  examples: readonly { readonly context: string }[],
  windows: readonly Window[],
  start: readonly (readonly number[])[],
  end: readonly (readonly number[])[],
  options: { mayBeEmpty: boolean },
): BestAnswer[] {
  const best = examples.map(() => ({ score: -Infinity, text: "", probability: 0 }));
  const none = examples.map(() => ({ score: Infinity, probability: 0 }));
  windows.forEach((window, w) => {
    const { first, last, score } = bestSpan(start[w], end[w], window), { example, offsets } = window;
    const [p, q] = [softmax(start[w]), softmax(end[w])], empty = start[w][0] + end[w][0];
    if (empty < none[example].score) none[example] = { score: empty, probability: p[0] * q[0] };
    if (!(score > best[example].score)) return;
    const text = examples[example].context.slice(offsets[first]![0], offsets[last]![1]);
    best[example] = { score, text, probability: p[first] * q[last] };
  });
  return best.map(({ score, text, probability }, i) =>
    options.mayBeEmpty && none[i].score > score
      ? { text: "", probability: none[i].probability }
      : { text, probability }
  );
}
