/**
 * A task of the command line: how its files are read, which model it trains, and how its outputs are measured.
 *
 * @module
 */
import type { LabelProblem } from "../../data/mod.ts";
import type {
  AutoClass,
  BertConfig,
  FromPretrainedOptions,
  TaskType,
  TrainableModel,
} from "../../model/mod.ts";
import type { DataCard, LabelCount, PredictionRow, RunReport } from "../../report/mod.ts";
import type { BertTokenizer } from "../../tokenizer/mod.ts";
import type { DataCollator, EvalPrediction, ExampleStream, Metrics } from "../../train/mod.ts";
import type { Terminal } from "../terminal.ts";
import type { TaskName } from "./names.ts";
import type { RunSettings } from "../training_flags.ts";

/** What a model tells apart. */
export interface KnownLabels {
  /** The kind of labels of whole texts; null if the task has other ones. */
  readonly problem_type: LabelProblem | null;
  /** The names of the classes in the order of their numbers; none where there are no classes. */
  readonly labels: readonly string[];
}

/** Chooses the labels and their order, given those that a file has. */
export type LabelChoice = (found: KnownLabels) => KnownLabels;

/** A path, a URL, or a file that was read already. */
export type InputFile = string | File;

/** The examples of a file. */
export interface Examples<E extends object = object> {
  /** The file. */
  readonly name: string;
  readonly examples: readonly E[];
  readonly known: KnownLabels;
  /** What was guessed, one sentence each. */
  readonly notes: readonly string[];
}

/** Examples that are read anew each time, and never held in memory. */
export interface StreamedExamples extends Omit<Examples, "examples"> {
  readonly stream: ExampleStream;
}

/** Examples, and the same as a Trainer takes them. */
export interface TaskSet<E extends object = object> {
  readonly examples: readonly E[];
  readonly rows: readonly object[];
}

/** What examples and outputs are read with. */
export interface TaskContext {
  readonly settings: RunSettings;
  readonly tokenizer: BertTokenizer;
  readonly known: KnownLabels;
  /** Tokens of a row at most. */
  readonly max_length: number;
}

/** What training examples are like. */
export interface DataSummary {
  /** For the user, one or more lines. */
  readonly text: string;
  /** How many of each class. */
  readonly labelCounts?: readonly LabelCount[];
  /** Tokens of the longest row, as it is cut. */
  readonly longest?: number;
}

/** The examples of a run by what they are for. */
export interface DataParts<E extends object = object> {
  readonly train: readonly E[];
  readonly eval?: readonly E[];
  readonly test?: readonly E[];
}

/** What is shown of a test. */
export interface TestResults
  extends Pick<RunReport, "confusion" | "perClass" | "calibration" | "regression" | "metrics" | "uncertain"> {
  readonly predictions: readonly PredictionRow[];
  readonly worst: readonly PredictionRow[];
  /** Of texts with one class each: the classes by number, and what is shown of a text. */
  readonly answers?: {
    readonly found: readonly number[];
    readonly expected: readonly number[];
    row(example: number): PredictionRow;
  };
}

/** What a task without classes knows. */
export const NO_CLASSES: KnownLabels = { problem_type: null, labels: [] };

/** The most rows of {@linkcode TestResults.predictions} and {@linkcode TestResults.worst}. */
export const MOST_ROWS = 12;

/** A task. `E` are its examples. */
export interface Task<E extends object = object> {
  readonly name: TaskName;
  /** What it learns, for `--help`. */
  readonly about: string;
  /** How the names of classes end whose checkpoints have the head. */
  readonly head: string;
  /** What PEFT calls it. */
  readonly adapter?: TaskType;
  /** Its models. */
  readonly model: AutoClass<TrainableModel>;
  /**
   * Reads a file.
   *
   * @param labels The labels that there may be, or what chooses them, given those of the file.
   * @throws {DataError} if it is malformed, has no labels, or one that is not known.
   */
  read(
    input: InputFile,
    settings: RunSettings,
    terminal: Terminal,
    labels: KnownLabels | LabelChoice,
  ): Promise<Examples<E>>;
  /**
   * Opens a file that need not fit into memory; its rows are as the Trainer takes them.
   *
   * @throws as `read`, also while it is gone through.
   */
  stream?(
    input: string,
    settings: RunSettings,
    terminal: Terminal,
    labels: KnownLabels | LabelChoice,
  ): Promise<StreamedExamples>;
  /** The labels of a model that has the head. */
  labelsOf(config: BertConfig): KnownLabels;
  /** How a model of these labels is loaded. */
  modelOptions(known: KnownLabels): FromPretrainedOptions;
  /**
   * The examples as a Trainer takes them.
   *
   * @param measured Whether outputs on them are measured, not only trained on.
   */
  rows(examples: readonly E[], context: TaskContext, measured: boolean): readonly object[];
  /** Makes batches. Default: the Trainer's. */
  collator?(context: TaskContext): DataCollator;
  /** What training examples are like. */
  summary(train: TaskSet<E>, test: readonly E[] | undefined, context: TaskContext): DataSummary;
  /** What the report shows of the examples. */
  card?(parts: DataParts<E>, context: TaskContext): Partial<DataCard>;
  /** The numbers of the classes of all that is labelled, to weigh classes by. */
  classes?(examples: readonly E[], known: KnownLabels): number[];
  /** Metrics of the outputs on a set. Default: only the loss. */
  metrics?(set: TaskSet<E>, context: TaskContext): (prediction: EvalPrediction) => Metrics;
  /** Metrics that come of the loss. */
  derived?(metrics: Metrics): Metrics;
  /** What is shown of the outputs on a set. */
  results(prediction: EvalPrediction, set: TaskSet<E>, context: TaskContext): TestResults;
}

/** Lets the type of a task's examples stay in its file. */
export function defineTask<E extends object>(task: Task<E>): Task {
  return task as unknown as Task;
}

/** The names of a model's classes in the order of their numbers. */
export function classNames({ id2label, num_labels }: BertConfig): string[] {
  return Array.from({ length: num_labels }, (_, id) => id2label[id]);
}

/** The place of the highest score. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
