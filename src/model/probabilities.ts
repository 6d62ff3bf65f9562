/**
 * Scores of classes as probabilities.
 *
 * @module
 */

/** exp(x_i) / sum_j exp(x_j) */
export function softmax(logits: ArrayLike<number>): Float64Array {
  let top = -Infinity, sum = 0;
  for (let i = 0; i < logits.length; i++) top = Math.max(top, logits[i]);
  const powers = Float64Array.from(logits, (x) => Math.exp(x - top));
  for (const power of powers) sum += power;
  return powers.map((power) => power / sum);
}

/** 1 / (1 + exp(-x)) of each. */
export function sigmoid(logits: ArrayLike<number>): Float64Array {
  return Float64Array.from(logits, (x) => 1 / (1 + Math.exp(-x)));
}
