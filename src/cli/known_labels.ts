/**
 * The labels that a model knows, and examples that are numbered by them.
 *
 * @module
 */
import { type LabelProblem, TextDataset, type TextExample } from "../data/mod.ts";
import { listed } from "../data/problem.ts";
import { DataError } from "../errors.ts";
import type { BertConfig } from "../model/mod.ts";

/** The labels that a model knows. */
export interface KnownLabels {
  readonly problem_type: LabelProblem;
  /** The names of the classes in the order of their numbers; none for regression. */
  readonly labels: readonly string[];
}

/** The labels of a classifier. */
export function labelsOf({ problem_type, id2label, num_labels }: BertConfig): KnownLabels {
  return {
    problem_type: problem_type ?? (num_labels === 1 ? "regression" : "single_label_classification"),
    labels: Array.from({ length: num_labels }, (_, id) => id2label[id]),
  };
}

/** The numbers of classes, by their names among the known ones or as numbers themselves; undefined if some are unknown. */
export function numbersOf(labels: readonly string[], known: readonly string[]): number[] | undefined {
  const byName = labels.map((label) => known.indexOf(label));
  if (!byName.includes(-1)) return byName;
  const isNumber = (label: string) => /^\d+$/.test(label) && Number(label) < known.length;
  return labels.every(isNumber) ? labels.map(Number) : undefined;
}

/**
 * The same examples, the classes numbered as known.
 *
 * @throws {DataError} if a class is unknown.
 */
export function renumbered(dataset: TextDataset, { problem_type, labels: known }: KnownLabels): TextDataset {
  if (dataset.num_labels === 0 || problem_type === "regression") return dataset;
  const ids = numbersOf(dataset.labels, known);
  if (!ids) {
    throw new DataError(
      `Cannot use ${dataset.name}: it has the labels ${listed(dataset.labels)}, of these are wanted: ${
        listed(known)
      }`,
    );
  }
  const examples = dataset.examples.map((example): TextExample => {
    const { label } = example;
    if (label === undefined) return example;
    if (typeof label === "number") return { ...example, label: ids[label] };
    const row = new Array<number>(known.length).fill(0);
    label.forEach((flag, i) => row[ids[i]] = flag);
    return { ...example, label: row };
  });
  return new TextDataset(examples, dataset.info);
}
