/**
 * What a Trainer is made of, asked and answers.
 *
 * @module
 */
import type { Communicator } from "../distributed/communicator.ts";
import { TrainingError } from "../errors.ts";
import { PreTrainedModel, type TrainableModel } from "../model/mod.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import type { ParameterGroup } from "./adamw.ts";
import type { FullArguments, TrainingArguments } from "./arguments.ts";
import type { CheckpointStore } from "./checkpoint_store.ts";
import type { Dataset } from "./dataset.ts";
import type { EvalPrediction } from "./evaluation.ts";
import type { Metrics, TrainerCallback } from "./events.ts";
import type { Columns, DataCollator } from "./features.ts";

/** What a {@linkcode Trainer} is made of. */
export interface TrainerOptions<M extends TrainableModel = TrainableModel> {
  /** The model; its weights change. */
  model: M;
  /** The settings. Default: transformers'. */
  args?: TrainingArguments;
  /** What is trained on. */
  train_dataset?: Dataset;
  /** What is evaluated on. */
  eval_dataset?: Dataset;
  /** Makes tokens of texts. Saved with the checkpoints. */
  tokenizer?: BertTokenizer;
  /** Names of columns. Default: `text`, `text_pair`, `label`. */
  columns?: Columns;
  /** Makes a batch of features. Default: puts their columns side by side. */
  data_collator?: DataCollator;
  /** Metrics of an evaluation from all its predictions. Default: the accuracy, if labels are classes. */
  compute_metrics?: (prediction: EvalPrediction) => Metrics;
  /** Listeners. */
  callbacks?: readonly TrainerCallback[];
  /** Where checkpoints go. Default: the folder `output_dir`. */
  store?: CheckpointStore;
  /**
   * The processes that train together, each of which makes the same Trainer and the same calls: `openCommunicator()`. Each
   * works on its share of every step's batches; callbacks are called, and files written, by the first alone. Default: this
   * process alone.
   */
  communicator?: Communicator;
  /** The learning rate's factor at each step, counted from 0, in place of `lr_scheduler_type`. */
  schedule?: (step: number) => number;
  /** The optimizer's groups. Default: weight decay for all but biases and LayerNorms. */
  parameter_groups?(model: M, args: FullArguments): readonly ParameterGroup[];
}

/**
 * The options as they are, if they have a model.
 *
 * @throws {TrainingError} if they have none: programs without types say so here, not somewhere inside.
 */
export function requireModel<M extends TrainableModel>(options: TrainerOptions<M>): TrainerOptions<M> {
  const model: unknown = (options as TrainerOptions<M> | undefined)?.model;
  if (model instanceof PreTrainedModel) return options;
  const found = model instanceof Promise ? "a promise, which wants an await" : typeof model;
  throw new TrainingError(
    `Cannot make a Trainer: its option "model" is ${found}, not a model, such as that of ` +
      "await BertForSequenceClassification.from_pretrained(...)",
  );
}

/** Options of {@linkcode Trainer.train}. */
export interface TrainOptions {
  /**
   * Goes on from a checkpoint: true for the newest whole one (from the beginning if there is none at all), a number for
   * that of a step, or the path of a checkpoint's folder. Default false.
   */
  resume_from_checkpoint?: boolean | number | string | URL;
  /** Ends the run after its current step, with a checkpoint. */
  signal?: AbortSignal;
}

/** Why a run ended: all steps were made, or what asked it to end. */
export type StopReason = "finished" | "early_stopping" | "callback" | "signal";

/** What {@linkcode Trainer.train} gives. */
export interface TrainOutput {
  /** Optimizer steps done. */
  global_step: number;
  /** The mean loss of all steps. */
  training_loss: number;
  /**
   * `train_runtime` in seconds, `train_samples_per_second`, `train_steps_per_second`, `train_tokens_per_second`,
   * `train_loss`, `epoch`. Of several ranks also `train_ranks`, `train_communication_seconds` (in calls of the engine,
   * waiting included) and `train_communication_overlap`: of the time in which sums of gradients were under way, the share
   * in which the backward pass went on.
   */
  metrics: Metrics;
  /** Why the run ended. After `signal` it can be resumed. */
  stopped: StopReason;
}

/** What {@linkcode Trainer.run} gives. */
export interface RunSlice {
  /** True if the run has come to its end. */
  done: boolean;
  /** Optimizer steps done. */
  global_step: number;
  /** Optimizer steps in all. */
  max_steps: number;
  /** The run as it stands, for {@linkcode Trainer.load_state} or {@linkcode Trainer.restore}. */
  state: Uint8Array<ArrayBuffer>;
}
