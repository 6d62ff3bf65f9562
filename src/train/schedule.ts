/**
 * Learning rates over the steps of a run.
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

  /** Steps made. */
  get last_step(): number {
    return this.#step;
  }

  /** Goes on by one step. */
  step(): void {
    this.#step++;
    this.#apply();
  }

  /** The rate of each group now. */
  get_last_lr(): number[] {
    return this.optimizer.param_groups.map((group) => group.lr);
  }

  #apply(): void {
    for (const group of this.optimizer.param_groups) group.lr = group.initial_lr * this.factor(this.#step);
  }
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
  return new LearningRateSchedule(
    optimizer,
    (step) =>
      step < num_warmup_steps
        ? step / Math.max(1, num_warmup_steps)
        : Math.max(0, (num_training_steps - step) / Math.max(1, num_training_steps - num_warmup_steps)),
  );
}
