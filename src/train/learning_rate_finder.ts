/**
 * A learning rate by trial: the rate rises from step to step, and the loss tells where it is too high (Smith,
 * https://arxiv.org/abs/1506.01186).
 *
 * @module
 */
import { DivergenceError } from "../errors.ts";
import type { TrainableModel } from "../model/mod.ts";
import type { LearningRateSearch } from "./learning_rate_search.ts";
import type { TrainingArguments } from "./arguments.ts";
import type { TrainerOptions } from "./trainer_options.ts";
import { Trainer } from "./trainer.ts";

/** Options of {@linkcode findLearningRate}. */
export interface LearningRateFinderOptions {
  /** The first rate. Default 1e-7. */
  min_lr?: number;
  /** The last rate. Default 1. */
  max_lr?: number;
  /** Steps, each with a rate higher by the same factor. Default 100. */
  steps?: number;
  /** Ends when the smoothed loss is so many times its lowest. Default 4. */
  divergence_factor?: number;
  /** Called after every step. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the search with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** How much of the smoothed loss is of the steps before. */
const SMOOTHING = 0.9;

/**
 * Tries learning rates from low to high on the training data. The model's trained weights are put back afterwards.
 *
 * @param options As for a Trainer; its `args` say batch size, seed and weight decay.
 * @throws {RangeError} if the rates do not rise.
 */
export async function findLearningRate<M extends TrainableModel>(
  options: TrainerOptions<M>,
  search: LearningRateFinderOptions = {},
): Promise<LearningRateSearch> {
  const { min_lr = 1e-7, max_lr = 1, steps = 100, divergence_factor = 4, onProgress, signal } = search;
  if (!(min_lr > 0 && max_lr > min_lr && Number.isInteger(steps) && steps > 2)) {
    throw new RangeError(
      `Cannot try ${steps} learning rates from ${min_lr} to ${max_lr}: at least 3 rising ones are wanted`,
    );
  }
  const rateOf = (step: number) => min_lr * (max_lr / min_lr) ** (step / (steps - 1));
  const found: Omit<LearningRateSearch, "suggestion"> = { rates: [], losses: [], smoothed: [] };
  let mean = 0, lowest = Infinity;
  const before = new Map(
    options.model.parameters().filter((p) => p.requires_grad).map((p) => [p, p.values().slice()]),
  );
  const { output_dir: _, ...given } = options.args ?? {},
    args: TrainingArguments = {
      ...{
        ...given,
        max_steps: steps,
        eval_strategy: "no",
        save_strategy: "no",
        load_best_model_at_end: false,
      },
      ...{ early_stopping_patience: 0, learning_rate: min_lr },
    };
  const trainer = new Trainer({
    ...{ ...options, args, store: undefined, schedule: (step: number) => rateOf(step) / min_lr },
    callbacks: [{
      on_step_end: ({ step: { step, loss, learning_rate } }, control) => {
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
        const smoothed = mean / (1 - SMOOTHING ** step);
        found.rates.push(learning_rate);
        found.losses.push(loss);
        found.smoothed.push(smoothed);
        lowest = Math.min(lowest, smoothed);
        control.should_training_stop = step > 10 && smoothed > divergence_factor * lowest;
        onProgress?.(step, steps);
        signal?.throwIfAborted();
      },
    }],
  });
  try {
    await trainer.train();
  } catch (error) {
    if (!(error instanceof DivergenceError) || found.rates.length < 3) throw error;
  } finally {
    await trainer.dispose();
    for (const [parameter, values] of before) {
      parameter.values().set(values);
      parameter.markWritten();
    }
  }
  return { ...found, suggestion: steepest(found) };
}

/** The rate at which the loss falls fastest by the rate's logarithm, before its lowest. */
function steepest({ rates, smoothed }: Omit<LearningRateSearch, "suggestion">): number {
  const end = smoothed.indexOf(Math.min(...smoothed));
  let best = 0, fall = Infinity;
  for (let i = 1; i < Math.max(2, end); i++) {
    const slope = (smoothed[i + 1] ?? smoothed[i]) - smoothed[i - 1];
    if (slope < fall) [best, fall] = [i, slope];
  }
  return rates[best];
}
