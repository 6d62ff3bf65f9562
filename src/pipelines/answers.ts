/**
 * Scores of first and last tokens -> spans of a row that may be the answer, as transformers' `QuestionAnsweringPipeline`
 * ranks them. Pure.
 *
 * @module
 */

/** A span of tokens, both ends in it, and the product of its ends' probabilities. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly score: number;
}

/**
 * The most probable spans of a row.
 *
 * @param start A logit for each token to be the first one.
 * @param end A logit for each token to be the last one.
 * @param isContext Which tokens may be in the answer.
 * @param longest The most tokens of an answer.
 * @param count How many spans are wanted.
 * @returns The spans, the best first, and the probability that there is no answer: that of [CLS] as both ends.
 */
export function bestSpans(
  start: ArrayLike<number>,
  end: ArrayLike<number>,
  isContext: readonly boolean[],
  longest: number,
  count: number,
): { spans: Span[]; nullScore: number } {
  const p = probabilities(start, isContext), q = probabilities(end, isContext);
  const best: Span[] = [];
  for (let first = 1; first < isContext.length; first++) {
    if (!isContext[first]) continue;
    for (let last = first; last < Math.min(isContext.length, first + longest); last++) {
      const score = p[first] * q[last];
      if (!isContext[last] || (best.length === count && !(score > best[count - 1].score))) continue;
      let at = best.length;
      while (at > 0 && score > best[at - 1].score) at--;
      best.splice(at, 0, { first, last, score });
      if (best.length > count) best.pop();
    }
  }
  return { spans: best, nullScore: p[0] * q[0] };
}

/** Softmax over the context and [CLS], 0 elsewhere. */
function probabilities(logits: ArrayLike<number>, isContext: readonly boolean[]): Float64Array {
  const counts = (i: number) => i === 0 || isContext[i];
  let top = -Infinity, sum = 0;
  for (let i = 0; i < isContext.length; i++) if (counts(i)) top = Math.max(top, logits[i]);
  const powers = Float64Array.from(isContext, (_, i) => counts(i) ? Math.exp(logits[i] - top) : 0);
  for (const power of powers) sum += power;
  return powers.map((power) => power / sum);
}
