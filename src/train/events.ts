/**
 * What a Trainer tells while it works, and what listeners may ask of it.
 *
 * @module
 */
import type { LogEntry, TrainerState } from "./training_state.ts";

/** Values of an evaluation by name, such as `eval_loss`. */
export type Metrics = Record<string, number>;

/** One optimizer step. */
export interface TrainingStep {
  /** Counts from 1. */
  step: number;
  /** Epochs done, as a fraction. */
  epoch: number;
  /** The mean loss of the step's examples. */
  loss: number;
  /** The learning rate of this step. */
  learning_rate: number;
  /** The norm of all gradients before clipping, if it was measured. */
  grad_norm?: number;
  /** Milliseconds of this call of `train` or `run` so far. */
  elapsedMs: number;
}

/** What a Trainer tells. */
export type TrainingEvent =
  & {
    /** How far the run has come. */
    readonly state: Readonly<TrainerState>;
  }
  & (
    | { type: "train_begin" }
    | { type: "epoch_begin"; epoch: number }
    | { type: "step_begin" }
    | { type: "substep_end"; done: number; total: number }
    | { type: "pre_optimizer_step" }
    | { type: "step_end"; step: TrainingStep }
    | { type: "log"; log: LogEntry }
    | { type: "prediction_step"; done: number; total: number | undefined }
    | { type: "evaluate"; metrics: Metrics; elapsedMs: number }
    | { type: "save"; step: number }
    | { type: "epoch_end"; epoch: number }
    | { type: "train_end" }
    | { type: "checkpoint_skipped"; step: number; reason: string }
  );

/** What listeners may ask for; set a field to true. */
export interface TrainerControl {
  /** Ends the training after this step. */
  should_training_stop: boolean;
  /** Logs after this step. */
  should_log: boolean;
  /** Evaluates after this step. */
  should_evaluate: boolean;
  /** Writes a checkpoint after this step. */
  should_save: boolean;
}

/** Nothing is asked for. */
export const NO_WISHES: TrainerControl = {
  ...{ should_training_stop: false, should_log: false, should_evaluate: false, should_save: false },
};

/** Gets an event, and may ask for something. */
export type TrainerListener<E> = (event: E, control: TrainerControl) => void | Promise<void>;

/**
 * Listens to a Trainer: `on_event` to everything, the others to events of one type, by transformers' names. The Trainer
 * waits for promises. The state is the Trainer's own: read it, do not change it.
 */
export type TrainerCallback =
  & {
    [T in TrainingEvent["type"] as `on_${T}`]?: TrainerListener<Extract<TrainingEvent, { type: T }>>;
  }
  & {
    /** Gets every event. */
    on_event?: TrainerListener<TrainingEvent>;
  };

/** An event without what the Trainer adds to it. */
export type EventBody = TrainingEvent extends infer E ? E extends TrainingEvent ? Omit<E, "state"> : never
  : never;

/** Tells all callbacks, one after the other. */
export async function emit(
  callbacks: readonly TrainerCallback[],
  event: TrainingEvent,
  control: TrainerControl,
): Promise<void> {
  for (const callback of callbacks) {
    await callback.on_event?.(event, control);
    await (callback[`on_${event.type}`] as TrainerListener<TrainingEvent> | undefined)?.call(
      callback,
      event,
      control,
    );
  }
}
