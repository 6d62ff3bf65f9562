/**
 * How much a step's micro-batches hold, those of the other ranks too.
 *
 * @module
 */
import { type BatchInputs, labelCount, tokenCount } from "../features.ts";
import type { Ranks } from "./ranks.ts";

/** Numbers of each micro-batch of a step. */
export interface StepSizes {
  /** By how much each counts. */
  labels: Float64Array;
  samples: Float64Array;
  tokens: Float64Array;
  /** The sum of `labels`. */
  counted: number;
}

/**
 * Counts what a step's micro-batches hold.
 *
 * @param parts Those of this rank.
 * @param begin The number of its first one.
 * @param count Those of all ranks.
 */
export function stepSizes(
  ranks: Ranks,
  parts: readonly BatchInputs[],
  begin: number,
  count: number,
  class_weights?: readonly number[],
): StepSizes {
  const all = new Float64Array(3 * count);
  parts.forEach((inputs, i) => {
    all[begin + i] = labelCount(inputs, class_weights);
    all[count + begin + i] = inputs.input_ids.length;
    all[2 * count + begin + i] = tokenCount(inputs);
  });
  ranks.sum(all);
  const [labels, samples, tokens] = [0, 1, 2].map((kind) => all.subarray(kind * count, (kind + 1) * count));
  return { labels, samples, tokens, counted: labels.reduce((a, b) => a + b, 0) };
}
