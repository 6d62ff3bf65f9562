/**
 * Texts, or pairs of texts, with a class, several classes, or a number.
 *
 * @module
 */
import { dataReport, formatDataReport, type TextDataset, type TextExample } from "../../data/mod.ts";
import { load_dataset } from "../../datasets/mod.ts";
import { DataError } from "../../errors.ts";
import { accuracy_score, f1_score, mean_squared_error, pearsonr, spearmanr } from "../../metrics/mod.ts";
import { AutoModelForSequenceClassification } from "../../model/mod.ts";
import { sigmoid } from "../../model/probabilities.ts";
import type { EvalPrediction, Metrics } from "../../train/mod.ts";
import { labelOptions, renumbered } from "../known_labels.ts";
import { readOptions } from "./files.ts";
import { argmax, classNames, defineTask, type KnownLabels, type Task } from "./task.ts";
import { textCard } from "./text_card.ts";
import { HALF, textResults } from "./text_results.ts";

export const textClassification: Task = defineTask<TextExample>({
  name: "text-classification",
  about: "a label, several labels or a number for each text or pair of texts",
  head: "ForSequenceClassification",
  adapter: "SEQ_CLS",
  model: AutoModelForSequenceClassification,
  async read(input, settings, terminal, labels) {
    const { text, text_pair, label, label_separator } = settings;
    const known = typeof labels === "function" ? undefined : labels;
    const dataset = await load_dataset(input, {
      ...{ text, text_pair, label, label_separator },
      problem_type: (known?.problem_type ?? settings.problem_type) as "regression" | undefined,
      ...(known && known.problem_type !== "regression" ? { labels: known.labels, label_numbers: true } : {}),
      ...readOptions(input, settings, terminal),
    });
    if (dataset.num_labels === 0) throw noLabels(dataset);
    const found = { problem_type: dataset.problem_type, labels: dataset.labels };
    const chosen = typeof labels === "function" ? labels(found) : labels;
    const { name, notes } = dataset;
    return { name, examples: renumbered(dataset, chosen), known: chosen, notes };
  },
  labelsOf: (config) => ({
    problem_type: config.problem_type ??
      (config.num_labels === 1 ? "regression" : "single_label_classification"),
    labels: classNames(config),
  }),
  modelOptions: ({ problem_type, labels }) => ({
    ...labelOptions(problem_type === "regression" ? ["LABEL_0"] : labels),
    problem_type: problem_type ?? undefined,
  }),
  rows: (examples) => examples,
  summary(examples, test, { known: { problem_type, labels }, tokenizer, max_length }) {
    const report = dataReport(examples, { test, tokenizer, max_length, labels });
    const labelCounts = problem_type === "regression" ? undefined : report.labels;
    const longest = report.lengths && Math.min(report.lengths.max, max_length);
    return { text: formatDataReport(report), labelCounts, longest };
  },
  classes: (examples) => examples.map(({ label }) => label as number),
  metrics: (_, { known }) => (prediction) => measured(prediction, known),
  card: textCard,
  results: (prediction, { examples }, { known }) => textResults(prediction, examples, known),
});

function noLabels({ name, info: { columns } }: TextDataset): DataError {
  const why = columns.label
    ? `the column "${columns.label.name}" has none`
    : "no column of it holds them; use --label";
  return new DataError(`Cannot use ${name}: labels are wanted, ${why}`);
}

/** The metrics that GLUE reports for such data. */
function measured({ predictions, label_ids }: EvalPrediction, { problem_type }: KnownLabels): Metrics {
  const rows = predictions as number[][];
  if (problem_type === "regression") {
    const values = rows.map(([value]) => value), labels = (label_ids as (number | number[])[]).flat();
    return {
      mse: mean_squared_error(labels, values),
      // A correlation needs two different values.
      ...(new Set(labels).size > 1 && new Set(values).size > 1
        ? { pearson: pearsonr(labels, values), spearman: spearmanr(labels, values) }
        : {}),
    };
  }
  if (problem_type === "multi_label_classification") {
    const found = rows.map((row) => Array.from(sigmoid(row), (score) => Number(score > HALF)));
    const labels = label_ids as number[][], all = labels.map((row, i) => row.join() === found[i].join());
    return {
      accuracy: all.filter(Boolean).length / all.length,
      f1_micro: f1_score(labels, found, { average: "micro" }),
      f1_macro: f1_score(labels, found, { average: "macro" }),
    };
  }
  const labels = label_ids as number[], found = rows.map(argmax);
  return {
    accuracy: accuracy_score(labels, found),
    f1_macro: f1_score(labels, found, { average: "macro" }),
  };
}
