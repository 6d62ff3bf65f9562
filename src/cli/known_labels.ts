/**
 * The labels that a model knows, and examples that are numbered by them.
 *
 * @module
 */
import { type LabelProblem, TextDataset, type TextExample } from "../data/mod.ts";
import { DataError } from "../errors.ts";
import type { SequenceClassifier } from "../model/mod.ts";

/** The labels that a model knows. */
export interface KnownLabels {
  readonly problem_type: LabelProblem;
  /** The names of the classes in the order of their numbers; none for regression. */
  readonly labels: readonly string[];
}

/** The labels of a classifier. */
export function knownLabels({ config }: SequenceClassifier): KnownLabels {
  const { problem_type, id2label, num_labels } = config;
  return {
    problem_type: problem_type ?? (num_labels === 1 ? "regression" : "single_label_classification"),
    labels: Array.from({ length: num_labels }, (_, id) => id2label[id]),
  };
}

/** The same examples, the classes numbered as known. */
export function renumbered(dataset: TextDataset, known: KnownLabels): TextDataset {
  if (dataset.num_labels === 0 || known.problem_type === "regression") return dataset;
  const { labels } = dataset, wanted = known.labels;
  const byName = labels.map((label) => wanted.indexOf(label));
  const byNumber = labels.map((label) =>
    /^\d+$/.test(label) && Number(label) < wanted.length ? Number(label) : -1
  );
  const ids = byName.includes(-1) && !byNumber.includes(-1) ? byNumber : byName;
  const missing = labels.find((_, i) => ids[i] < 0);
  if (missing !== undefined) {
    throw new DataError(
      `Cannot use ${dataset.name}: its label "${missing}" is unknown to the model; one of ${
        wanted.slice(0, 20).map((name) => `"${name}"`).join(", ")
      } is wanted`,
    );
  }
  const examples = dataset.examples.map((example): TextExample => {
    const { label } = example;
    if (label === undefined) return example;
    if (typeof label === "number") return { ...example, label: ids[label] };
    const row = new Array<number>(wanted.length).fill(0);
    label.forEach((flag, i) => row[ids[i]] = flag);
    return { ...example, label: row };
  });
  return new TextDataset(examples, dataset.info);
}
