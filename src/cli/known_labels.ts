/**
 * The labels that a run or a model knows, and examples that are numbered by them.
 *
 * @module
 */
import type { TextDataset, TextExample } from "../data/mod.ts";
import { listed } from "../data/problem.ts";
import { DataError } from "../errors.ts";
import type { FromPretrainedOptions } from "../model/mod.ts";
import type { KnownLabels } from "./tasks/task.ts";

/** The numbers of classes, by their names among the known ones or as numbers themselves; undefined if some are unknown. */
export function numbersOf(labels: readonly string[], known: readonly string[]): number[] | undefined {
  const byName = labels.map((label) => known.indexOf(label));
  if (!byName.includes(-1)) return byName;
  const isNumber = (label: string) => /^\d+$/.test(label) && Number(label) < known.length;
  return labels.every(isNumber) ? labels.map(Number) : undefined;
}

/**
 * The numbers of classes, by their names or as numbers themselves.
 *
 * @throws {DataError} if some are unknown.
 */
export function requiredNumbers(
  name: string,
  labels: readonly string[],
  known: readonly string[],
): number[] {
  const ids = numbersOf(labels, known);
  if (ids) return ids;
  throw new DataError(
    `Cannot use ${name}: it has the labels ${listed(labels)}, of these are wanted: ${listed(known)}`,
  );
}

/**
 * The examples of a dataset, the classes numbered as known.
 *
 * @throws {DataError} if a class is unknown.
 */
export function renumbered(
  dataset: TextDataset,
  { problem_type, labels: known }: KnownLabels,
): readonly TextExample[] {
  const { labels, name, examples } = dataset;
  if (problem_type === "regression" || labels.join("\n") === known.join("\n")) return examples;
  const ids = requiredNumbers(name, labels, known);
  return examples.map((example): TextExample => {
    const { label } = example;
    if (label === undefined) return example;
    if (typeof label === "number") return { ...example, label: ids[label] };
    const row = new Array<number>(known.length).fill(0);
    label.forEach((flag, i) => row[ids[i]] = flag);
    return { ...example, label: row };
  });
}

/** The names of classes as config.json has them. */
export function labelOptions(names: readonly string[]): FromPretrainedOptions {
  return {
    id2label: Object.fromEntries(names.map((label, id) => [String(id), label])),
    label2id: Object.fromEntries(names.map((label, id) => [label, id])),
    num_labels: names.length,
  };
}

/** The classes by the names that the user gives, else as the checkpoint has them, if it knows all of the file's. */
export function agreedLabels(
  found: KnownLabels,
  given: readonly string[] | undefined,
  saved: readonly string[] | undefined,
): KnownLabels {
  if (found.problem_type === "regression") return found;
  const labels = given ?? (saved && numbersOf(found.labels, saved) ? saved : found.labels);
  return { ...found, labels };
}
