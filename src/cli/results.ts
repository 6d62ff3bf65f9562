/**
 * What a classifier's outputs on labelled examples come to: metrics, confusion, scores of each class, the worst answers.
 *
 * @module
 */
import type { LabelProblem, TextExample } from "../data/mod.ts";
import {
  accuracy_score,
  classificationReport,
  confusionCounts,
  f1_score,
  mean_squared_error,
  pearsonr,
  spearmanr,
} from "../metrics/mod.ts";
import { sigmoid, softmax } from "../model/probabilities.ts";
import type { ClassRow, ConfusionData, PredictionRow } from "../report/mod.ts";
import type { EvalPrediction, Metrics } from "../train/mod.ts";

/** The classes that the outputs hold: scores above one half, for several labels. */
const HALF = 0.5;

/** The metrics of a problem, for the Trainer: those that GLUE reports for such data. */
export function metricsOf(problem: LabelProblem): (prediction: EvalPrediction) => Metrics {
  return ({ predictions, label_ids }): Metrics => {
    const rows = predictions as number[][];
    if (problem === "regression") {
      const values = rows.map(([value]) => value), labels = (label_ids as (number | number[])[]).flat();
      return {
        mse: mean_squared_error(labels, values),
        // A correlation needs two different values.
        ...(new Set(labels).size > 1 && new Set(values).size > 1
          ? { pearson: pearsonr(labels, values), spearman: spearmanr(labels, values) }
          : {}),
      };
    }
    if (problem === "multi_label_classification") {
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
  };
}

/** What is shown of a test. */
export interface TestResults {
  readonly confusion?: ConfusionData;
  readonly perClass?: readonly ClassRow[];
  readonly predictions: readonly PredictionRow[];
  readonly worst: readonly PredictionRow[];
}

const MOST_ROWS = 12;

/** The details of a test of one class a text; of other problems, none. */
export function testResults(
  { predictions }: EvalPrediction,
  examples: readonly TextExample[],
  problem: LabelProblem,
  labels: readonly string[],
): TestResults {
  if (problem !== "single_label_classification") return { predictions: [], worst: [] };
  const scores = (predictions as number[][]).map((row) => softmax(row)), found = scores.map(argmax);
  const expected = examples.map(({ label }) => label as number);
  const counts = confusionCounts(expected, found, labels.map((_, k) => k));
  const row = (i: number): PredictionRow => ({
    text: examples[i].text,
    ...(examples[i].text_pair === undefined ? {} : { text_pair: examples[i].text_pair }),
    ...{ predicted: labels[found[i]], probability: scores[i][found[i]], expected: labels[expected[i]] },
  });
  const numbers = examples.map((_, i) => i);
  const wrong = numbers.filter((i) => found[i] !== expected[i])
    .sort((a, b) => scores[a][expected[a]] - scores[b][expected[b]]);
  return {
    confusion: { labels, counts },
    perClass: classificationReport(counts).perClass.map((one, k) => ({ label: labels[k], ...one })),
    predictions: numbers.slice(0, MOST_ROWS).map(row),
    worst: wrong.slice(0, MOST_ROWS).map(row),
  };
}

function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** Metrics as a table. */
export function formatMetrics(metrics: Metrics): string {
  const names = Object.keys(metrics), width = Math.max(0, ...names.map((name) => name.length));
  return names.map((name) => `${name.padEnd(width)}  ${shortNumber(metrics[name])}\n`).join("");
}

/** The scores of each class as a table. */
export function formatClasses(rows: readonly ClassRow[]): string {
  const width = Math.max(5, ...rows.map(({ label }) => label.length));
  const line = (label: string, cells: string[]) =>
    `${label.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join("")}\n`;
  return line("class", ["precision", "recall", "f1", "support"]) +
    rows.map(({ label, support, ...scores }) =>
      line(label, [
        ...[scores.precision, scores.recall, scores.f1].map((score) => score.toFixed(4)),
        String(support),
      ])
    ).join("");
}

/** A number with five digits or so. */
export function shortNumber(x: number): string {
  return Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(5)));
}
