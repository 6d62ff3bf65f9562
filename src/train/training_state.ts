/**
 * How far a training run has come: plain numbers, the same for the same run on any machine.
 *
 * @module
 */

/** An entry of the log; the names are transformers': `loss`, `learning_rate`, `grad_norm`, or `eval_loss`, ... */
export interface LogEntry {
  /** Optimizer steps done. */
  step: number;
  /** Epochs done, as a fraction. */
  epoch: number;
  /** The values. */
  [name: string]: number;
}

/** A followed weight: its value before the first step and after every step. */
export interface WatchedValues {
  /** Such as `bert.pooler.dense.weight[0][0]`. */
  name: string;
  /** One value a step, from step 0 on. */
  values: number[];
}

/** How far a run has come. */
export interface TrainerState {
  /** Optimizer steps done. */
  global_step: number;
  /** Optimizer steps of the whole run. */
  max_steps: number;
  /** Epochs done, as a fraction. */
  epoch: number;
  /** Training losses and evaluations, in order. */
  log_history: LogEntry[];
  /** The best value of `metric_for_best_model` so far. */
  best_metric: number | null;
  /** The step of that evaluation. */
  best_global_step: number | null;
  /** Evaluations in a row without a better one. */
  early_stopping_patience_counter: number;
  /** True once early stopping has ended the run. */
  early_stopped: boolean;
  /** True once the run has begun. */
  begun: boolean;
  /** True once all is done that follows the last step. */
  finished: boolean;
  /** Followed weights. */
  watch: WatchedValues[];
  /** Examples that were trained on, each as often as it was. */
  num_samples_seen: number;
  /** Tokens of these. */
  num_input_tokens_seen: number;
  /** The epoch that goes on, and how many of its batches are done. */
  position: { epoch: number; batch: number };
  /** Forward and backward passes done. */
  passes: number;
  /** The loss of each step. */
  losses: number[];
  /** The norm of all gradients of each step; null where it was not measured. */
  grad_norms: (number | null)[];
  /** SHA-256 of all weights before the first step, if the run has a store. */
  base_weights: string | null;
  /** The sum of all steps' losses. */
  total_loss: number;
  /** That sum at the last entry of the log, and its step. */
  logged: { total_loss: number; step: number };
}

/** The state of a run before its first step. */
export function newState(max_steps: number): TrainerState {
  return {
    ...{ global_step: 0, max_steps, epoch: 0, log_history: [], best_metric: null, best_global_step: null },
    ...{
      early_stopping_patience_counter: 0,
      early_stopped: false,
      begun: false,
      finished: false,
      watch: [],
      num_samples_seen: 0,
    },
    num_input_tokens_seen: 0,
    ...{
      position: { epoch: 0, batch: 0 },
      passes: 0,
      losses: [],
      grad_norms: [],
      base_weights: null,
      total_loss: 0,
      logged: { total_loss: 0, step: 0 },
    },
  };
}
