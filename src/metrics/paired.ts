/**
 * Two classifiers on the same examples: how sure it is that one is better.
 *
 * @module
 */
import { checkPair } from "./check.ts";

/** What {@linkcode comparePaired} finds. */
export interface PairedComparison {
  /** How many examples both, one of them, or none get right. */
  counts: { both: number; only_first: number; only_second: number; neither: number };
  /** The accuracy of the first minus that of the second. */
  difference: number;
  /** The 95 % confidence interval of the difference. */
  interval: [low: number, high: number];
  /** McNemar's exact two-sided p-value: how likely so unequal counts are if both are equally good. */
  p_value: number;
}

/** The 97.5 % point of the normal distribution. */
const Z = 1.959963984540054;

/**
 * Compares which examples two classifiers get right. The interval is Agresti and Min's ("Simple improved confidence
 * intervals for comparing matched proportions", 2005): Wald's, after half an example is added to each of the four counts.
 * The p-value is the two-sided binomial test on the examples that only one gets right (McNemar, 1947).
 *
 * @param first Whether the first one is right on each example. [N]
 * @param second Whether the second one is. [N]
 * @throws {DataError} if the lengths differ or there are no examples.
 *
 * @example
 * ```ts
 * import { comparePaired } from "@berth/berth";
 *
 * const { difference, p_value } = comparePaired([true, true, true, false], [true, false, false, false]);
 * console.log(difference, p_value); // 0.5 0.5
 * ```
 */
export function comparePaired(first: ArrayLike<boolean>, second: ArrayLike<boolean>): PairedComparison {
  checkPair("comparison", first, second);
  const counts = { both: 0, only_first: 0, only_second: 0, neither: 0 }, n = first.length;
  for (let i = 0; i < n; i++) {
    counts[first[i] ? second[i] ? "both" : "only_first" : second[i] ? "only_second" : "neither"]++;
  }
  const { only_first: b, only_second: c } = counts;
  const [b1, c1, n1] = [b + 0.5, c + 0.5, n + 2], middle = (b1 - c1) / n1;
  const half = Z * Math.sqrt(b1 + c1 - (b1 - c1) ** 2 / n1) / n1;
  return {
    ...{ counts, difference: (b - c) / n, p_value: binomialTest(Math.min(b, c), b + c) },
    interval: [Math.max(-1, middle - half), Math.min(1, middle + half)],
  };
}

/** The two-sided p-value of `k` heads or fewer, or as few tails, of `n` throws of a fair coin; k <= n / 2. */
function binomialTest(k: number, n: number): number {
  if (2 * k === n) return 1;
  let log = -n * Math.LN2, sum = Math.exp(log); // ln of the probability of i heads
  for (let i = 1; i <= k; i++) {
    log += Math.log((n - i + 1) / i);
    sum += Math.exp(log);
  }
  return Math.min(1, 2 * sum);
}
