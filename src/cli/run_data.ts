/**
 * The examples of a run, with labels that are numbered as the model numbers them.
 *
 * @module
 */
import { type Labeled, train_test_split } from "../data/mod.ts";
import type { RunSettings } from "./training_flags.ts";
import { repeatable } from "./tasks/files.ts";
import type { Examples, InputFile, KnownLabels, LabelChoice, Task } from "./tasks/mod.ts";
import type { Terminal } from "./terminal.ts";

/** The examples of a run. */
export interface RunData<E extends object = object> {
  readonly task: Task;
  readonly train: readonly E[];
  readonly eval: readonly E[] | undefined;
  readonly test: readonly E[] | undefined;
  readonly known: KnownLabels;
  /** What was guessed about the training file. */
  readonly notes: readonly string[];
}

/**
 * Reads the files of a run.
 *
 * @param train The training file; the others are in the settings.
 * @param labels The labels that there may be, or what chooses them, given those of the training file.
 * @throws {DataError} if a file is malformed or has no labels.
 */
export async function readRunData(
  task: Task,
  train: InputFile,
  settings: RunSettings,
  terminal: Terminal,
  labels: KnownLabels | LabelChoice,
): Promise<RunData> {
  const own: Examples = await task.read(train, settings, terminal, labels);
  const { known, notes } = own, { eval_size, seed } = settings;
  const other = async (file: string | undefined) =>
    file === undefined
      ? undefined
      : (await task.read(await repeatable(file), settings, terminal, known)).examples;
  const parts = eval_size === undefined
    ? { train: own.examples, test: await other(settings.eval) }
    : train_test_split(own.examples as Labeled[], { test_size: eval_size, seed });
  const test = await other(settings.test);
  return { task, train: parts.train, eval: parts.test, test, known, notes };
}
