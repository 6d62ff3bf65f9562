/**
 * The examples of a run, with labels that are numbered as the model numbers them.
 *
 * @module
 */
import { type LabelProblem, type TextDataset, type TextExample, train_test_split } from "../data/mod.ts";
import { load_dataset } from "../datasets/mod.ts";
import { DataError } from "../errors.ts";
import type { FlagValues } from "./flags.ts";
import { type KnownLabels, renumbered } from "./known_labels.ts";
import { hubOptions } from "./models.ts";
import type { DATA_FLAGS, RunSettings } from "./training_flags.ts";
import type { Terminal } from "./terminal.ts";

type DataSettings = FlagValues<typeof DATA_FLAGS> & Pick<RunSettings, "cache_dir" | "local_files_only">;

/**
 * Reads a file of examples.
 *
 * @param known The labels that there may be, if that is known. The file may have their names, or their numbers.
 * @throws {DataError} if the file is malformed, or has a label that is not known.
 */
export async function readExamples(
  input: string,
  settings: DataSettings,
  terminal: Terminal,
  known?: KnownLabels,
): Promise<TextDataset> {
  const { text, text_pair, label, label_separator, problem_type, format } = settings as DataSettings & {
    problem_type?: LabelProblem;
    format?: "csv";
  };
  const dataset = await load_dataset(input, {
    ...{ text, text_pair, label, label_separator, format },
    problem_type: known?.problem_type ?? problem_type,
    ...(/^(https?|hf):/.test(input) ? hubOptions(settings, terminal) : {}),
  });
  return known ? renumbered(dataset, known) : dataset;
}

/** The examples of a run. */
export interface RunData {
  readonly train: readonly TextExample[];
  readonly eval: readonly TextExample[] | undefined;
  readonly test: readonly TextExample[] | undefined;
  readonly known: KnownLabels;
  /** What was guessed about the training file. */
  readonly notes: readonly string[];
}

/**
 * Reads the files of a run.
 *
 * @param chooses Tells the order of the classes, from their names in the training file.
 * @throws {DataError} if a file is malformed or has no labels.
 */
export async function readRunData(
  settings: RunSettings & { train: string },
  terminal: Terminal,
  chooses: (found: KnownLabels) => KnownLabels,
): Promise<RunData> {
  const own = await readExamples(settings.train, settings, terminal), { problem_type, labels } = own;
  if (problem_type === null) throw noLabels("train", own);
  const known = chooses({ problem_type, labels });
  const other = async (file: string | undefined, action: string) => {
    const dataset = file === undefined ? undefined : await readExamples(file, settings, terminal, known);
    if (dataset && dataset.num_labels === 0) throw noLabels(action, dataset);
    return dataset?.examples;
  };
  const train = renumbered(own, known).examples, { eval_size, seed } = settings;
  const parts = eval_size === undefined
    ? { train, test: await other(settings.eval, "evaluate") }
    : train_test_split(train, { test_size: eval_size, seed });
  const test = await other(settings.test, "test");
  return { train: parts.train, eval: parts.test, test, known, notes: own.notes };
}

function noLabels(action: string, { name, info: { columns } }: TextDataset): DataError {
  const why = columns.label
    ? `the column "${columns.label.name}" has none`
    : "no column of it holds them; use --label";
  return new DataError(`Cannot ${action} on ${name}: labels are wanted, ${why}`);
}
