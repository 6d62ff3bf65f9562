/**
 * Texts, or pairs of texts, with a class, several classes, or a number.
 *
 * @module
 */
import {
  dataReport,
  type ExampleOptions,
  formatDataReport,
  type LabeledDataset,
  type LabelProblem,
  type TextExample,
} from "../../data/mod.ts";
import { listed } from "../../data/problem.ts";
import { load_dataset } from "../../datasets/mod.ts";
import { DataError } from "../../errors.ts";
import { accuracy_score, f1_score, mean_squared_error, pearsonr, spearmanr } from "../../metrics/mod.ts";
import { AutoModelForSequenceClassification } from "../../model/mod.ts";
import { sigmoid } from "../../model/probabilities.ts";
import type { EvalPrediction, Metrics } from "../../train/mod.ts";
import { labelOptions, renumbered } from "../known_labels.ts";
import { Progress } from "../progress.ts";
import type { RunSettings } from "../training_flags.ts";
import { UsageError } from "../usage_error.ts";
import { readOptions } from "./files.ts";
import { argmax, classNames, defineTask, type KnownLabels, type LabelChoice, type Task } from "./task.ts";
import { textCard } from "./text_card.ts";
import { HALF, textResults } from "./text_results.ts";

export const textClassification: Task = defineTask<TextExample>({
  name: "text-classification",
  about: "a label, several labels or a number for each text or pair of texts",
  head: "ForSequenceClassification",
  adapter: "SEQ_CLS",
  model: AutoModelForSequenceClassification,
  async read(input, settings, terminal, labels) {
    const dataset = await load_dataset(input, {
      ...exampleOptions(settings, typeof labels === "function" ? undefined : labels),
      ...readOptions(input, settings, terminal),
    });
    const known = chosenLabels(dataset, labels), { name, notes } = dataset;
    return { name, examples: renumbered(dataset, known), known, notes };
  },
  async stream(input, settings, terminal, labels) {
    const { label_names, problem_type } = settings;
    if (input === "-" && !label_names && problem_type !== "regression") {
      throw new UsageError(
        "Cannot stream standard input without --label-names A,B (or --problem-type regression): it is read once only",
      );
    }
    const progress = new Progress(terminal, "labels", "MB");
    const given = label_names && {
      ...{
        labels: label_names,
        problem_type: (problem_type ?? "single_label_classification") as LabelProblem,
      },
    };
    let isLooking = true;
    const options = {
      ...readOptions(input, settings, terminal),
      progress_callback: ({ loaded = 0, total = 0 }: { loaded?: number; total?: number }) => {
        if (isLooking && total > 0) progress.update(Math.round(loaded / 1e6), Math.ceil(total / 1e6));
      },
    };
    const open = (known: KnownLabels | undefined) =>
      load_dataset(input, { ...exampleOptions(settings, known), ...options, streaming: true });
    const fixed = typeof labels === "function" ? given : labels, found = await open(fixed);
    const known = chosenLabels(found, typeof labels === "function" && given ? given : labels);
    isLooking = false;
    const { name, notes } = found, isSame = known.labels.join("\n") === found.labels.join("\n");
    return { name, stream: isSame ? found : await open(known), known, notes };
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
  summary({ examples }, test, { known: { problem_type, labels }, tokenizer, max_length }) {
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

/** How examples are read, given the labels if they are known. */
function exampleOptions(settings: RunSettings, known: KnownLabels | undefined): ExampleOptions {
  const { text, text_pair, label, label_separator } = settings;
  const names = known && known.problem_type !== "regression" ? known.labels : undefined;
  return {
    ...{ text, text_pair, label, label_separator },
    problem_type: (known?.problem_type ?? settings.problem_type) as LabelProblem | undefined,
    ...(names ? { labels: names, label_numbers: true } : {}),
  };
}

/** The labels of a dataset, or those that are chosen given these. */
function chosenLabels(dataset: LabeledDataset, labels: KnownLabels | LabelChoice): KnownLabels {
  if (dataset.num_labels === 0) throw noLabels(dataset);
  if (typeof labels !== "function") return labels;
  return labels({ problem_type: dataset.problem_type, labels: dataset.labels });
}

function noLabels({ name, info: { columns } }: LabeledDataset): DataError {
  const why = columns.label
    ? `the column "${columns.label.name}" has none`
    : `no column is called as one; --label COLUMN names it (there are ${listed(columns.names)})`;
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
