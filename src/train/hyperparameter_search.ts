/**
 * Hyper-parameter search: a grid, random draws, or successive halving (Jamieson and Talwalkar,
 * https://arxiv.org/abs/1502.07943), in which trials go on from where they stopped.
 *
 * @module
 */
import { DivergenceError } from "../errors.ts";
import type { TrainableModel } from "../model/mod.ts";
import { Random } from "../random.ts";
import type { TrainingArguments } from "./arguments.ts";
import type { Metrics } from "./events.ts";
import { Trainer } from "./trainer.ts";
import type { TrainerOptions } from "./trainer_options.ts";

/** Values of an argument: a list, or a range; `log` draws evenly by the logarithm, `whole` only whole numbers. */
export type SearchRange =
  | readonly unknown[]
  | { readonly min: number; readonly max: number; readonly log?: boolean; readonly whole?: boolean };

/** The arguments that are searched. */
export type SearchSpace = { readonly [name in keyof TrainingArguments]?: SearchRange };

/** Options of {@linkcode hyperparameterSearch}. */
export interface SearchOptions<M extends TrainableModel> extends Omit<TrainerOptions<M>, "model" | "store"> {
  /** Makes the model of a trial; it is freed afterwards. */
  model_init: (trial: number) => M | Promise<M>;
  /** What is tried. */
  space: SearchSpace;
  /**
   * `grid`: every combination of lists. `random`: so many draws. `halving`: so many draws, of which the better ones go
   * on. Default `random`.
   */
  method?: "grid" | "random" | "halving";
  /** Trials of `random` and `halving`. Default 10. */
  n_trials?: number;
  /** `halving`: one of so many goes on, with so many times the steps. Default 3. */
  halving_factor?: number;
  /** The metric that tells the best; `eval_` may be left out. Default `loss`. */
  metric?: string;
  /** Default: `minimize` if the metric's name ends in `loss`, else `maximize`. */
  direction?: "minimize" | "maximize";
  /** Chooses the draws. Default 42. */
  seed?: number;
  /** Called after every evaluation of a trial. */
  onTrial?: (trial: SearchTrial) => void;
  /** Ends the search with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** One choice of values and what became of it. */
export interface SearchTrial {
  /** Counts from 0. */
  number: number;
  /** The values. */
  values: Partial<TrainingArguments>;
  /** Optimizer steps that it made. */
  steps: number;
  /** Its metrics after these; undefined if it diverged. */
  metrics: Metrics | undefined;
}

/** What {@linkcode hyperparameterSearch} finds. */
export interface SearchResult {
  /** The best of those that made the most steps. */
  best: SearchTrial;
  /** All, in order. */
  trials: SearchTrial[];
}

/** The stream of random numbers that draws values. */
const SEARCH_STREAM = 1 << 18;

/**
 * Trains models with different settings and tells which is best on `eval_dataset`.
 *
 * @throws {RangeError} if the space does not fit the method, or all trials diverged.
 */
export async function hyperparameterSearch<M extends TrainableModel>(
  options: SearchOptions<M>,
): Promise<SearchResult> {
  const { metric = "loss", halving_factor = 3, method = "random" } = options;
  const name = metric.startsWith("eval_") ? metric : `eval_${metric}`;
  const sign = (options.direction ?? (metric.endsWith("loss") ? "minimize" : "maximize")) === "minimize"
    ? 1
    : -1;
  const cost = ({ metrics }: SearchTrial) => metrics ? sign * valueOf(metrics, name) : Infinity;
  const trials = chooseValues(options).map((values, number): SearchTrial => ({
    ...{ number, values, steps: 0, metrics: undefined },
  }));
  const rungs = method === "halving"
    ? Math.floor(Math.log(trials.length) / Math.log(halving_factor) + 1e-9)
    : 0;
  const states = new Map<SearchTrial, Uint8Array>();
  let running = trials, best = trials[0];
  for (let rung = 0; rung <= rungs; rung++) {
    for (const trial of running) {
      await advance(options, trial, halving_factor ** (rung - rungs), states);
      options.onTrial?.(trial);
    }
    const better = running.filter(({ metrics }) => metrics).sort((a, b) =>
      cost(a) - cost(b) || a.number - b.number
    );
    if (better.length === 0) throw new RangeError(`Cannot choose: all ${running.length} trials diverged`);
    best = better[0];
    running = better.slice(0, Math.max(1, Math.floor(running.length / halving_factor)));
    for (const trial of trials) if (!running.includes(trial)) states.delete(trial);
  }
  return { best, trials };
}

/** Trains a trial on to a share of its steps, and evaluates it. */
async function advance<M extends TrainableModel>(
  options: SearchOptions<M>,
  trial: SearchTrial,
  share: number,
  states: Map<SearchTrial, Uint8Array>,
): Promise<void> {
  const { model_init, args = {}, signal } = options, model = await model_init(trial.number);
  const { output_dir: _, ...given } = args;
  const trainer = new Trainer({ ...options, model, store: undefined, args: { ...given, ...trial.values } });
  try {
    const state = states.get(trial);
    if (state) await trainer.load_state(state);
    const steps = Math.max(1, Math.ceil(share * trainer.max_steps)) - trial.steps;
    if (steps > 0) {
      const slice = await trainer.run({ steps, signal });
      if (share < 1) states.set(trial, slice.state);
      trial.steps = slice.global_step;
    }
    signal?.throwIfAborted();
    const { eval_runtime: _r, eval_samples_per_second: _s, epoch: _e, ...metrics } = await trainer.evaluate();
    trial.metrics = metrics;
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    trial.metrics = undefined;
  } finally {
    await trainer.dispose();
    model.dispose();
  }
}

function valueOf(metrics: Metrics, name: string): number {
  if (metrics[name] !== undefined) return metrics[name];
  throw new RangeError(`Cannot search by "${name}": an evaluation gives ${Object.keys(metrics).join(", ")}`);
}

/** The values of all trials. */
function chooseValues<M extends TrainableModel>(options: SearchOptions<M>): Partial<TrainingArguments>[] {
  const { space, method = "random", n_trials = 10, seed = 42 } = options, names = Object.keys(space);
  if (!(Number.isInteger(n_trials) && n_trials > 0)) {
    throw new RangeError(`Cannot make ${n_trials} trials: a whole number above 0 is wanted`);
  }
  const ranges = names.map((name) => [name, space[name as keyof TrainingArguments]!] as const);
  for (const [name, range] of ranges) {
    const fits = Array.isArray(range)
      ? range.length > 0
      : method !== "grid" && "min" in range && range.max > range.min;
    if (!fits) {
      throw new RangeError(
        `Cannot search "${name}": a list${method === "grid" ? "" : " or { min, max }"} is wanted`,
      );
    }
  }
  if (method === "grid") {
    return ranges.reduce<Partial<TrainingArguments>[]>(
      (some, [name, list]) =>
        some.flatMap((values) => (list as readonly unknown[]).map((value) => ({ ...values, [name]: value }))),
      [{}],
    );
  }
  const random = new Random(seed, SEARCH_STREAM);
  return Array.from(
    { length: n_trials },
    () => Object.fromEntries(ranges.map(([name, range]) => [name, draw(range, random)])),
  );
}

function draw(range: SearchRange, random: Random): unknown {
  if (Array.isArray(range)) return range[random.below(range.length)];
  const { min, max, log, whole } = range as Exclude<SearchRange, readonly unknown[]>;
  if (whole) return min + random.below(max - min + 1);
  return log ? min * (max / min) ** random.uniform() : min + (max - min) * random.uniform();
}
