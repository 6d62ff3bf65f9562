/**
 * What a report is made of: plain data, which a trainer fills in. Every optional part that is absent is left out of
 * the report.
 *
 * @module
 */

import type { ClassScores } from "../metrics/mod.ts";

/** A value of a settings table. */
export type Scalar = string | number | boolean;

/** The model that was trained. */
export interface ModelCard {
  /** The name, folder or hub id it was loaded from. */
  name: string;
  /** How many numbers the model has. */
  parameters: number;
  /** How many of them were trained; all, if absent. */
  trainable_parameters?: number;
  /** Encoder layers. */
  layers: number;
  /** The width of a token's vector. */
  hidden_size: number;
  /** Further facts, shown as they are. */
  details?: Readonly<Record<string, Scalar>>;
}

/** The data of the run: sizes are in examples. */
export interface DataCard {
  /** The data set's name or file. */
  name?: string;
  /** Training examples. */
  train: number;
  /** Examples of the evaluations during the run. */
  dev?: number;
  /** Examples of the final test. */
  test?: number;
  /** The training examples of each class. */
  labelCounts?: readonly LabelCount[];
  /** Further facts, shown as they are. */
  details?: Readonly<Record<string, Scalar>>;
}

/** How many examples a class has. */
export interface LabelCount {
  /** The class. */
  label: string;
  /** Its number of examples. */
  count: number;
}

/** Where the run took place. */
export interface EnvironmentCard {
  /** Such as `Deno 2.9.6`. */
  runtime?: string;
  /** The profile of the kernels, such as `threads + SIMD`. */
  profile?: string;
  /** Threads that computed. */
  threads?: number;
  /** The version of berth. */
  version?: string;
  /** Further facts, shown as they are. */
  details?: Readonly<Record<string, Scalar>>;
}

/** One optimizer step. */
export interface StepRecord {
  /** Counts from 1. */
  step: number;
  /** Epochs done, as a fraction. */
  epoch: number;
  /** The mean loss of the step's batch. */
  loss: number;
  /** The learning rate of this step. */
  learning_rate: number;
  /** The norm of all gradients before clipping. */
  grad_norm?: number;
  /** Milliseconds since the run began. */
  elapsedMs: number;
}

/** One evaluation on held-out examples. */
export interface EvaluationRecord {
  /** Optimizer steps done; 0 is before training. */
  step: number;
  /** Epochs done, as a fraction. */
  epoch: number;
  /** The mean loss. */
  loss?: number;
  /** The share predicted right, 0 to 1. */
  accuracy: number;
}

/** One number of the model, followed over the run. */
export interface WatchedWeight {
  /** Such as `bert.encoder.layer.11.output.dense.weight[0,0]`. */
  name: string;
  /** Its values. */
  values: readonly number[];
  /** The step of each value. Default: the recorded steps if as many, else 0, 1, 2, ... */
  steps?: readonly number[];
}

/** A simpler method's accuracy on the same held-out examples. */
export interface BaselineScore {
  /** Such as `most frequent class`. */
  name: string;
  /** The share predicted right, 0 to 1. */
  accuracy: number;
}

/** How often each class was predicted as each class. */
export interface ConfusionData {
  /** The classes. [K] */
  labels: readonly string[];
  /** `counts[expected][predicted]`. [K, K] */
  counts: readonly (readonly number[])[];
}

/** The scores of one named class. */
export interface ClassRow extends ClassScores {
  /** The class. */
  label: string;
}

/** One text and what the model makes of it. */
export interface PredictionRow {
  /** The text. */
  text: string;
  /** The second text of a pair. */
  text_pair?: string;
  /** The class with the highest probability. */
  predicted: string;
  /** Its probability, 0 to 1. */
  probability: number;
  /** The true class, if known. */
  expected?: string;
}

/** A piece of code that shows how to use the saved model. */
export interface CodeExample {
  /** Such as `Deno` or `Python`. */
  title: string;
  /** The language's name, such as `ts`. */
  language?: string;
  /** The code. */
  text: string;
}

/** Everything that {@linkcode trainingReport} shows of one run. */
export interface RunReport {
  /** The heading. */
  title: string;
  /** When the run began, ISO 8601. */
  startedAt?: string;
  /** How long it took, in milliseconds. Default: the last step's `elapsedMs`. */
  elapsedMs?: number;
  /** The model. */
  model: ModelCard;
  /** The data. */
  data: DataCard;
  /** Hyper-parameters and seed, shown in this order. */
  settings: Readonly<Record<string, Scalar>>;
  /** Where it ran. */
  environment: EnvironmentCard;
  /** The steps, in order. */
  steps: readonly StepRecord[];
  /** The evaluations, in order. */
  evaluations: readonly EvaluationRecord[];
  /** Followed numbers, one curve each. */
  watch?: readonly WatchedWeight[];
  /** Simpler methods to compare with. */
  baselines?: readonly BaselineScore[];
  /** The confusion on the test examples. */
  confusion?: ConfusionData;
  /** The scores of each class on the test examples. */
  perClass?: readonly ClassRow[];
  /** Sentences that the user tried. */
  tried?: readonly PredictionRow[];
  /** A sample of predictions. */
  predictions?: readonly PredictionRow[];
  /** Test examples that went most wrong, the worst first. */
  worst?: readonly PredictionRow[];
  /** How to load the saved model. */
  code?: readonly CodeExample[];
}
