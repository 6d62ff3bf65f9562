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
  /** What is in each part of the data. */
  splits?: readonly DataSplit[];
  /** A few training examples, each with its label. */
  samples?: readonly LabelledText[];
  /** Further facts, shown as they are. */
  details?: Readonly<Record<string, Scalar>>;
}

/** A part of the data, such as `train`, and what was found in it. */
export interface DataSplit {
  /** Such as `train`, `eval`, `test`. */
  name: string;
  /** How many examples. */
  examples: number;
  /** How many of each class; empty for numbers to be predicted. */
  labels: readonly LabelCount[];
  /** The least, mean and greatest number to be predicted. */
  values?: { min: number; mean: number; max: number };
  /** Examples without a label. */
  unlabeled: number;
  /** Examples without any text. */
  empty: number;
  /** Examples whose text occurred before in the same part. */
  duplicates: number;
  /** Texts that have different labels. */
  conflicts: number;
  /** Examples whose text is among those for training; absent for these themselves. */
  leaks?: number;
  /** Lengths in tokens. */
  lengths?: LengthFacts;
}

/** The lengths of texts in tokens, with special ones. */
export interface LengthFacts {
  /** The shortest. */
  min: number;
  /** The mean. */
  mean: number;
  /** Half are as long or shorter. */
  median: number;
  /** 95 of 100 are as long or shorter. */
  p95: number;
  /** The longest. */
  max: number;
  /** What is cut off beyond. */
  max_length: number;
  /** The share of examples that are cut, 0 to 1. */
  truncated: number;
  /** How many are so long: from `from` to `to` tokens, both counted. */
  histogram?: readonly { from: number; to: number; count: number }[];
}

/** A text with its label in words. */
export interface LabelledText {
  /** The text. */
  text: string;
  /** The second text of a pair. */
  text_pair?: string;
  /** The label. */
  label: string;
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
  /** Tokens that the run had seen after this step. */
  tokens?: number;
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
  accuracy?: number;
  /** Further metrics by name, such as `f1_macro`. */
  metrics?: Readonly<Record<string, number>>;
  /** How long it took, in milliseconds. */
  durationMs?: number;
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
  /** Its probability, 0 to 1; absent where a number is predicted. */
  probability?: number;
  /** The true class, if known. */
  expected?: string;
  /** Whether the answer is right. Default: whether `predicted` is `expected`, for an answer with a probability. */
  right?: boolean;
  /** What a simpler method says. */
  baseline?: string;
  /** How much each word speaks for the predicted class. */
  attributions?: readonly WordAttribution[];
}

/** How much a word speaks for (above 0) or against (below 0) the predicted class. */
export interface WordAttribution {
  /** The word is `text.slice(start, end)`. */
  start: number;
  /** The end, exclusive. */
  end: number;
  /** True for a word of the second text. */
  pair?: boolean;
  /** By how much. */
  score: number;
}

/** How far the probabilities can be believed. */
export interface CalibrationCard {
  /** The expected calibration error. */
  ece: number;
  /** The mean of -ln(probability of the true class). */
  log_loss: number;
  /** The mean squared difference between probabilities and truth. */
  brier?: number;
  /** Bins of the highest probability; numbers of an empty bin are not read. */
  bins: readonly {
    lower: number;
    upper: number;
    count: number;
    confidence: number | null;
    accuracy: number | null;
  }[];
}

/** Numbers that were to be predicted, and what was predicted. */
export interface RegressionCard {
  /** What was to be predicted. [N] */
  expected: readonly number[];
  /** What was predicted. [N] */
  predicted: readonly number[];
  /** How many examples there were, if these are a part of them. */
  total?: number;
}

/** A model against a simpler method on the same examples. */
export interface BaselineComparison {
  /** The simpler method, such as `TF-IDF + logistic regression`. */
  name: string;
  /** The share that the model gets right, 0 to 1. */
  model_accuracy: number;
  /** The share that the simpler method gets right, 0 to 1. */
  baseline_accuracy: number;
  /** What always answering with the most frequent class of the training data gets right. */
  majority: { label: string; accuracy: number };
  /** How many examples both, one of them, or none get right. */
  counts: { both: number; only_model: number; only_baseline: number; neither: number };
  /** Model minus baseline: the difference of the shares, and its 95 % confidence interval. */
  difference: { value: number; low: number; high: number };
  /** McNemar's exact two-sided p-value. */
  p_value: number;
  /** How many features the simpler method has. */
  features?: number;
  /** Seconds that it took to train. */
  seconds?: number;
  /** Examples that only the model gets right. */
  only_model?: readonly PredictionRow[];
  /** Examples that only the simpler method gets right. */
  only_baseline?: readonly PredictionRow[];
}

/** Time and memory of a run. */
export interface SpeedCard {
  /** Bytes of WASM memory in use at the run's peak. */
  wasm_bytes?: number;
  /** Bytes of the whole process at its peak. */
  process_bytes?: number;
  /** The plan of a step of the longest examples: bytes by part, such as `weights`. */
  plan_bytes?: Readonly<Record<string, number>>;
  /** What was planned, such as `16 sequences of 66 tokens`. */
  plan_of?: string;
}

/** Processes that trained together. */
export interface ScaleCard {
  /** How many. */
  ranks: number;
  /** What carried their values, such as `MPICH 4.2.1`. */
  engine: string;
  /** Seconds of the training that the first rank spent in calls of the engine, waiting included. */
  communication_seconds: number;
  /** Those seconds as a share of the training's time. */
  communication_share: number;
  /** Of the time in which sums of gradients were under way, the share in which the backward pass went on. */
  overlap?: number;
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
  /** Metrics of the test by name, such as `accuracy`, `loss`, `f1_macro`. */
  metrics?: Readonly<Record<string, number>>;
  /** Simpler methods to compare with. */
  baselines?: readonly BaselineScore[];
  /** The confusion on the test examples. */
  confusion?: ConfusionData;
  /** The scores of each class on the test examples. */
  perClass?: readonly ClassRow[];
  /** How far probabilities can be believed, on the test examples. */
  calibration?: CalibrationCard;
  /** Predicted numbers, on the test examples. */
  regression?: RegressionCard;
  /** Against a simpler method, on the test examples. */
  comparison?: BaselineComparison;
  /** Time and memory. */
  speed?: SpeedCard;
  /** Several processes. */
  scale?: ScaleCard;
  /** Sentences that the user tried. */
  tried?: readonly PredictionRow[];
  /** A sample of predictions. */
  predictions?: readonly PredictionRow[];
  /** Test examples that went most wrong, the worst first. */
  worst?: readonly PredictionRow[];
  /** Test examples that the model is least sure of, the least sure first. */
  uncertain?: readonly PredictionRow[];
  /** How to load the saved model. */
  code?: readonly CodeExample[];
}
