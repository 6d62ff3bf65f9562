/**
 * The best of many scores. Pure.
 *
 * @module
 */

/** Below so many, the best are kept in order while all are looked at; above, all are sorted. */
const FEW = 64;

/** The numbers of the `count` highest scores, the highest first; of equal ones the first. */
export function topIndices(scores: ArrayLike<number>, count: number): number[] {
  if (count > FEW) {
    return Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b).slice(0, count);
  }
  const best: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    if (best.length === count && !(scores[i] > scores[best[count - 1]])) continue;
    let at = best.length;
    while (at > 0 && scores[i] > scores[best[at - 1]]) at--;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}

/**
 * How many results are wanted.
 *
 * @throws {RangeError} if `top_k` is neither null, for all, nor a whole number above 0.
 */
export function topCount(top_k: number | null, all: number): number {
  if (top_k === null) return all;
  if (Number.isInteger(top_k) && top_k > 0) return Math.min(top_k, all);
  throw new RangeError(
    `Cannot give the best ${top_k} results: a whole number above 0, or null for all, is wanted`,
  );
}
