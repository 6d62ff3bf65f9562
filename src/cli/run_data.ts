/**
 * The examples of a run, with labels that are numbered as the model numbers them.
 *
 * @module
 */
import { type Labeled, train_test_split } from "../data/mod.ts";
import type { RunSettings } from "./training_flags.ts";
import { type ExampleStream, foldsOf } from "../train/mod.ts";
import { evalSizeOf } from "./defaults.ts";
import { repeatable } from "./tasks/files.ts";
import type { InputFile, KnownLabels, LabelChoice, Task } from "./tasks/mod.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** The examples of a run. */
export interface RunData<E extends object = object> {
  readonly task: Task;
  /** None if they are streamed. */
  readonly train: readonly E[];
  readonly stream?: ExampleStream;
  readonly eval: readonly E[] | undefined;
  readonly test: readonly E[] | undefined;
  readonly known: KnownLabels;
  /** What was guessed about the training file. */
  readonly notes: readonly string[];
}

/** What is trained on, and what was put aside. */
type TrainingPart = Pick<RunData, "train" | "stream" | "known" | "notes"> & {
  aside: readonly object[] | undefined;
};

/**
 * Reads the training file.
 *
 * @param labels The labels that there may be, or what chooses them, given those of the file.
 * @throws {DataError} if it is malformed or has no labels.
 */
export async function readTrainingPart(
  task: Task,
  train: InputFile,
  settings: RunSettings,
  terminal: Terminal,
  labels: KnownLabels | LabelChoice,
): Promise<TrainingPart> {
  if (settings.stream) return await openStream(task, train, settings, terminal, labels);
  const { examples, known, notes } = await task.read(train, settings, terminal, labels), { seed } = settings;
  if (settings.fold !== undefined) {
    const own = new Set(foldsOf(examples, settings.folds!, { seed, stratify: "label" })[settings.fold - 1]);
    const part = (isAside: boolean) => examples.filter((_, i) => own.has(i) === isAside);
    return { train: part(false), aside: part(true), known, notes };
  }
  const test_size = evalSizeOf(settings, examples.length);
  if (test_size === 0) return { train: examples, aside: undefined, known, notes };
  const parts = train_test_split(examples as Labeled[], { test_size, seed });
  const guess = `${parts.test.length} examples are put aside for evaluations (--eval-size 0 trains on all)`;
  const isGuess = settings.eval_size === undefined;
  return { train: parts.train, aside: parts.test, known, notes: isGuess ? [...notes, guess] : notes };
}

async function openStream(
  task: Task,
  train: InputFile,
  settings: RunSettings,
  terminal: Terminal,
  labels: KnownLabels | LabelChoice,
): Promise<TrainingPart> {
  if (!task.stream || typeof train !== "string") {
    throw new UsageError(`Cannot use --stream: the files of ${task.name} are read whole`);
  }
  const { stream, known, notes } = await task.stream(train, settings, terminal, labels);
  return { train: [], aside: undefined, stream, known, notes };
}

/**
 * Reads the files of a run.
 *
 * @param train The training file; the others are in the settings.
 * @param labels As for {@linkcode readTrainingPart}.
 * @throws {DataError} if a file is malformed or has no labels.
 */
export async function readRunData(
  task: Task,
  train: InputFile,
  settings: RunSettings,
  terminal: Terminal,
  labels: KnownLabels | LabelChoice,
): Promise<RunData> {
  const { aside, known, ...own } = await readTrainingPart(task, train, settings, terminal, labels);
  const other = async (file: string | undefined) =>
    file === undefined
      ? undefined
      : (await task.read(await repeatable(file), settings, terminal, known)).examples;
  const [evaluated, test] = [aside ?? await other(settings.eval), await other(settings.test)];
  return { ...own, task, known, eval: evaluated, test };
}
