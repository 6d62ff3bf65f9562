/**
 * What is shown of a classifier's outputs on labelled texts: confusion or residuals, the scores of each class, how far
 * probabilities can be believed, the most wrong and the least sure answers.
 *
 * @module
 */
import type { TextExample } from "../../data/mod.ts";
import {
  brier_score_loss,
  calibration_error,
  classificationReport,
  confusionCounts,
  log_loss,
  matthews_corrcoef,
  mean_absolute_error,
  precision_recall_fscore_support,
  r2_score,
  root_mean_squared_error,
} from "../../metrics/mod.ts";
import { sigmoid, softmax } from "../../model/probabilities.ts";
import type { PredictionRow, RegressionCard } from "../../report/mod.ts";
import type { EvalPrediction } from "../../train/mod.ts";
import { argmax, type KnownLabels, MOST_ROWS, type TestResults } from "./task.ts";

/** Scores above it stand for the classes of a text that may have several. */
export const HALF = 0.5;

/** Bins of the reliability diagram, of one width from 0 to 1: of few examples, and from so many on. */
const FEW_BINS = 10, MANY_BINS = 20, MANY = 500;

/** A scatter plot has at most so many points. */
const MOST_POINTS = 2000;

/** What is shown of a test. */
export function textResults(
  { predictions }: EvalPrediction,
  examples: readonly TextExample[],
  { problem_type, labels }: KnownLabels,
): TestResults {
  const rows = predictions as number[][];
  if (problem_type === "regression") return regressionResults(rows, examples);
  return problem_type === "multi_label_classification"
    ? multiLabelResults(rows, examples, labels)
    : classResults(rows, examples, labels);
}

/** One class a text. */
function classResults(
  logits: number[][],
  examples: readonly TextExample[],
  labels: readonly string[],
): TestResults {
  const scores = logits.map((row) => softmax(row)), found = scores.map(argmax);
  const expected = examples.map(({ label }) => label as number), classes = labels.map((_, k) => k);
  const counts = confusionCounts(expected, found, classes), numbers = examples.map((_, i) => i);
  const row = (i: number): PredictionRow => ({
    ...textsOf(examples[i]),
    ...{ predicted: labels[found[i]], probability: scores[i][found[i]], expected: labels[expected[i]] },
  });
  const wrong = numbers.filter((i) => found[i] !== expected[i])
    .sort((a, b) => scores[a][expected[a]] - scores[b][expected[b]]);
  const margins = scores.map((all) => {
    const [first, second] = all.toSorted((a, b) => b - a);
    return first - second;
  });
  const options = { labels: classes },
    { ece, bins } = calibration_error(expected, scores, {
      ...options,
      n_bins: examples.length < MANY ? FEW_BINS : MANY_BINS,
    });
  const losses = {
    log_loss: log_loss(expected, scores, options),
    brier: brier_score_loss(expected, scores, options),
  };
  return {
    confusion: { labels, counts },
    perClass: classificationReport(counts).perClass.map((one, k) => ({ label: labels[k], ...one })),
    calibration: {
      ...{ ece, ...losses },
      bins: bins.map(({ confidence, accuracy, ...bin }) =>
        bin.count > 0 ? { ...bin, confidence, accuracy } : { ...bin, confidence: null, accuracy: null }
      ),
    },
    metrics: { mcc: matthews_corrcoef(expected, found), log_loss: losses.log_loss, ece },
    predictions: numbers.slice(0, MOST_ROWS).map(row),
    worst: wrong.slice(0, MOST_ROWS).map(row),
    uncertain: numbers.toSorted((a, b) => margins[a] - margins[b]).slice(0, MOST_ROWS).map(row),
    answers: { found, expected, row },
  };
}

/** Any number of classes a text. */
function multiLabelResults(
  logits: number[][],
  examples: readonly TextExample[],
  labels: readonly string[],
): TestResults {
  const scores = logits.map((row) => sigmoid(row));
  const found = scores.map((row) => Array.from(row, (score) => Number(score > HALF)));
  const expected = examples.map(({ label }) => label as number[]), numbers = examples.map((_, i) => i);
  const { precision, recall, fscore, support } = precision_recall_fscore_support(expected, found, {
    average: null,
  });
  const isWrong = (i: number) => found[i].some((flag, k) => flag !== expected[i][k]);
  const names = (flags: readonly number[]) => labels.filter((_, k) => flags[k]).join(", ") || "none";
  const row = (i: number): PredictionRow => ({
    ...textsOf(examples[i]),
    ...{ predicted: names(found[i]), expected: names(expected[i]), right: !isWrong(i) },
  });
  const losses = scores.map((row, i) =>
    row.reduce((sum, score, k) => sum - Math.log(Math.max(2 ** -52, expected[i][k] ? score : 1 - score)), 0)
  );
  return {
    perClass: labels.map((label, k) => ({
      ...{ label, precision: precision[k], recall: recall[k], f1: fscore[k], support: support[k] },
    })),
    predictions: numbers.slice(0, MOST_ROWS).map(row),
    worst: numbers.filter(isWrong).sort((a, b) => losses[b] - losses[a]).slice(0, MOST_ROWS).map(row),
  };
}

/** A number a text, or several. */
function regressionResults(rows: number[][], examples: readonly TextExample[]): TestResults {
  const wanted = examples.map(({ label }) => [label as number | number[]].flat());
  const expected = wanted.flat(), predicted = rows.flat(), numbers = examples.map((_, i) => i);
  const words = (values: readonly number[]) =>
    values.map((value) => String(Number(value.toPrecision(4)))).join(", ");
  const errors = rows.map((row, i) => Math.max(...row.map((value, k) => Math.abs(value - wanted[i][k]))));
  const row = (i: number): PredictionRow => ({
    ...textsOf(examples[i]),
    ...{ predicted: words(rows[i]), expected: words(wanted[i]) },
  });
  const isVaried = new Set(expected).size > 1;
  return {
    regression: sampled(expected, predicted),
    metrics: {
      rmse: root_mean_squared_error(expected, predicted),
      mae: mean_absolute_error(expected, predicted),
      ...(isVaried ? { r2: r2_score(expected, predicted) } : {}),
    },
    predictions: numbers.slice(0, MOST_ROWS).map(row),
    worst: numbers.toSorted((a, b) => errors[b] - errors[a]).slice(0, MOST_ROWS).map(row),
  };
}

/** Points for a plot, evenly chosen from many. */
function sampled(expected: number[], predicted: number[]): RegressionCard {
  const stride = Math.max(1, expected.length / MOST_POINTS), total = expected.length;
  const kept = Array.from({ length: Math.min(total, MOST_POINTS) }, (_, i) => Math.floor(i * stride));
  return { expected: kept.map((i) => expected[i]), predicted: kept.map((i) => predicted[i]), total };
}

function textsOf({ text, text_pair }: TextExample): { text: string; text_pair?: string } {
  return text_pair === undefined ? { text } : { text, text_pair };
}
