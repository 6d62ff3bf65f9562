/**
 * Learning rates over the steps of a run, with the values of transformers' schedules
 * (https://github.com/huggingface/transformers/blob/main/src/transformers/optimization.py).
 *
 * @module
 */
import type { AdamW } from "./adamw.ts";

/** Sets the learning rate of every group of an optimizer; call `step()` after each of its steps, as in PyTorch. */
export class LearningRateSchedule {
  #step = 0;

  /**
   * Sets the first rate.
   *
   * @param optimizer Its groups' initial rates are the base.
   * @param factor The factor of the base rate at a step, counted from 0.
   */
  constructor(readonly optimizer: AdamW, readonly factor: (step: number) => number) {
    this.#apply();
  }

  /** Steps made; set it to go on from there. */
  get last_step(): number {
    return this.#step;
  }

  set last_step(step: number) {
    this.#step = step;
    this.#apply();
  }

  /** Goes on by one step. */
  step(): void {
    this.last_step++;
  }

  /** The rate of each group now. */
  get_last_lr(): number[] {
    return this.optimizer.param_groups.map((group) => group.lr);
  }

  #apply(): void {
    for (const group of this.optimizer.param_groups) group.lr = group.initial_lr * this.factor(this.#step);
  }
}

/** The schedules by transformers' names. */
export type SchedulerType =
  | "linear"
  | "cosine"
  | "cosine_with_restarts"
  | "polynomial"
  | "constant"
  | "constant_with_warmup";

/** What some schedules may be given besides; transformers' `lr_scheduler_kwargs`. */
export interface SchedulerKwargs {
  /** Waves of `cosine` (default 0.5: from the top to zero) or restarts of `cosine_with_restarts` (default 1). */
  num_cycles?: number;
  /** The last rate of `polynomial`. Default 1e-7. */
  lr_end?: number;
  /** The power of `polynomial`. Default 1. */
  power?: number;
}

/** Options of {@linkcode get_scheduler}. */
export interface SchedulerOptions extends SchedulerKwargs {
  /** Steps of the linear rise from 0. Default 0. */
  num_warmup_steps?: number;
  /** Steps in all; the constant schedules need none. */
  num_training_steps?: number;
}

/** Names of all schedules. */
export const SCHEDULER_TYPES: readonly SchedulerType[] = [
  ...["linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup"] as const,
];

/**
 * A schedule by name.
 *
 * @throws {RangeError} if there is no such schedule, it needs `num_training_steps`, or `lr_end` is not below the rate.
 * @example
 * ```ts
 * import { AdamW, dispose, get_scheduler, init, Parameter } from "@berth/berth";
 * await init();
 * const optimizer = new AdamW([new Parameter([1])], { lr: 1 });
 * const schedule = get_scheduler("cosine", optimizer, { num_warmup_steps: 2, num_training_steps: 4 });
 * const rates = [0, 1, 2, 3].map(() => (optimizer.step(), schedule.step(), schedule.get_last_lr()[0]));
 * console.log(rates.map((rate) => rate.toFixed(2))); // ["0.50", "1.00", "0.50", "0.00"]
 * dispose();
 * ```
 */
export function get_scheduler(
  name: SchedulerType,
  optimizer: AdamW,
  options: SchedulerOptions = {},
): LearningRateSchedule {
  if (!SCHEDULER_TYPES.includes(name)) {
    throw new RangeError(`Cannot use the schedule "${name}": one of ${SCHEDULER_TYPES.join(", ")} is wanted`);
  }
  const { num_warmup_steps = 0, num_training_steps: total } = options, warmup = num_warmup_steps;
  if (name === "constant") return new LearningRateSchedule(optimizer, () => 1);
  const warm = (after: (step: number) => number) =>
    new LearningRateSchedule(
      optimizer,
      (step) => step < warmup ? step / Math.max(1, warmup) : after(step),
    );
  if (name === "constant_with_warmup") return warm(() => 1);
  if (total === undefined) {
    throw new RangeError(`Cannot use the schedule "${name}" without num_training_steps`);
  }
  const progress = (step: number) => (step - warmup) / Math.max(1, total - warmup);
  if (name === "linear") return warm((step) => Math.max(0, (total - step) / Math.max(1, total - warmup)));
  if (name === "cosine") {
    const { num_cycles = 0.5 } = options;
    return warm((step) => Math.max(0, 0.5 * (1 + cosinePi(2 * num_cycles * progress(step)))));
  }
  if (name === "cosine_with_restarts") {
    const { num_cycles = 1 } = options;
    return warm((step) =>
      progress(step) >= 1 ? 0 : Math.max(0, 0.5 * (1 + cosinePi((num_cycles * progress(step)) % 1)))
    );
  }
  const { lr_end = 1e-7, power = 1 } = options, lr = optimizer.param_groups[0].initial_lr;
  if (!(lr > lr_end)) {
    throw new RangeError(`Cannot fall from the rate ${lr} to lr_end ${lr_end}: it is not below`);
  }
  return warm((step) =>
    step > total ? lr_end / lr : ((lr - lr_end) * (1 - progress(step)) ** power + lr_end) / lr
  );
}

/**
 * Rises linearly from 0 over the warm-up, then falls linearly to 0, as transformers' function of that name.
 *
 * @param num_warmup_steps Steps of the rise.
 * @param num_training_steps Steps in all.
 */
export function get_linear_schedule_with_warmup(
  optimizer: AdamW,
  num_warmup_steps: number,
  num_training_steps: number,
): LearningRateSchedule {
  return get_scheduler("linear", optimizer, { num_warmup_steps, num_training_steps });
}

/** cos(pi x) by arithmetic alone, within 1e-15: engines' `Math.cos` may differ in the last bit. */
function cosinePi(x: number): number {
  const turn = Math.abs(x) % 2, half = turn > 1 ? 2 - turn : turn; // [0, 1]
  const sign = half > 0.5 ? -1 : 1, t = (half > 0.5 ? 1 - half : half) * Math.PI; // [0, pi / 2]
  let term = 1, sum = 1;
  for (let n = 2; n <= 24; n += 2) {
    term *= -t * t / (n * (n - 1));
    sum += term;
  }
  return sign * sum;
}
