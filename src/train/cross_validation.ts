/**
 * k-fold cross-validation: k models, each trained without one part of the examples and evaluated on it.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { TrainableModel } from "../model/mod.ts";
import { Random } from "../random.ts";
import type { Example } from "./dataset.ts";
import type { Metrics } from "./events.ts";
import { Trainer } from "./trainer.ts";
import type { TrainerOptions } from "./trainer_options.ts";

/** Options of {@linkcode crossValidate}. */
export interface CrossValidationOptions<M extends TrainableModel>
  extends Omit<TrainerOptions<M>, "model" | "train_dataset" | "eval_dataset" | "store"> {
  /** Makes the model of a fold; it is freed afterwards. */
  model_init: (fold: number) => M | Promise<M>;
  /** All examples. */
  dataset: readonly object[];
  /** k: the number of parts. Default 5. */
  folds?: number;
  /** The column whose values are to be as frequent in each part; null for none. Default: `columns.label`, else `label`. */
  stratify?: string | null;
  /** Called after every fold. */
  onFold?: (fold: number, folds: number, metrics: Metrics) => void;
  /** Ends the work with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** What {@linkcode crossValidate} finds. */
export interface CrossValidation {
  /** The metrics of each fold. */
  folds: Metrics[];
  /** The mean of each metric. */
  mean: Metrics;
  /** The standard deviation of each metric over the folds (with k - 1, as a sample's). */
  std: Metrics;
}

/**
 * Trains and evaluates k times. The parts depend on `args.seed` only.
 *
 * @throws {DataError} if there are fewer examples than folds, {RangeError} if there are fewer than two folds.
 */
export async function crossValidate<M extends TrainableModel>(
  options: CrossValidationOptions<M>,
): Promise<CrossValidation> {
  const { model_init, dataset, folds = 5, stratify, onFold, signal, args = {}, ...trainer } = options;
  const { output_dir: _, ...given } = args, column = stratify ?? options.columns?.label ?? "label";
  const parts = foldsOf(dataset, folds, {
    seed: args.seed ?? 42,
    stratify: stratify === null ? null : column,
  });
  const found: Metrics[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const own = new Set(parts[fold]), model = await model_init(fold);
    const run = new Trainer({
      ...{ ...trainer, model, args: given, eval_dataset: parts[fold].map((i) => dataset[i]) },
      train_dataset: dataset.filter((_, i) => !own.has(i)),
    });
    try {
      await run.train({ signal });
      signal?.throwIfAborted();
      const { eval_runtime: _r, eval_samples_per_second: _s, epoch: _e, ...metrics } = await run.evaluate();
      found.push(metrics);
      onFold?.(fold + 1, folds, metrics);
    } finally {
      await run.dispose();
      model.dispose();
    }
  }
  const names = Object.keys(found[0]);
  const over = (of: (values: number[]) => number) =>
    Object.fromEntries(names.map((name) => [name, of(found.map((metrics) => metrics[name]))]));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const std = (values: number[]) =>
    Math.sqrt(values.reduce((sum, x) => sum + (x - mean(values)) ** 2, 0) / (values.length - 1));
  return { folds: found, mean: over(mean), std: over(std) };
}

/**
 * The numbers of the examples in k parts whose sizes differ by one at most.
 *
 * @param options `stratify`: a column whose values are to be as frequent in each part.
 */
export function foldsOf(
  dataset: readonly object[],
  folds: number,
  options: { seed?: number; stratify?: string | null } = {},
): number[][] {
  const { seed = 42, stratify = null } = options;
  if (!(Number.isInteger(folds) && folds > 1)) {
    throw new RangeError(`Cannot make ${folds} folds: a whole number above 1 is wanted`);
  }
  if (dataset.length < folds) {
    throw new DataError(
      `Cannot make ${folds} folds of ${dataset.length} examples: at least as many are wanted`,
    );
  }
  const groups = new Map<string, number[]>();
  dataset.forEach((example, i) => {
    const key = stratify === null ? "" : JSON.stringify((example as Example)[stratify]) ?? "";
    groups.set(key, [...groups.get(key) ?? [], i]);
  });
  const random = new Random(seed, FOLD_STREAM), parts = Array.from({ length: folds }, (): number[] => []);
  let next = 0;
  for (const key of [...groups.keys()].sort()) {
    for (const i of random.shuffle(groups.get(key)!)) parts[next++ % folds].push(i);
  }
  return parts.map((part) => part.sort((a, b) => a - b));
}

/** The stream of random numbers that draws the parts. */
const FOLD_STREAM = 1 << 19;
