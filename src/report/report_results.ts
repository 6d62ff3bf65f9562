/**
 * What a test gave: confusion matrix, scores of each class, calibration, predicted numbers, metrics.
 *
 * @module
 */

import { drawBarPlot } from "./bar_plot.ts";
import { drawReliability, filledBins } from "./calibration_plot.ts";
import { drawConfusionMatrix } from "./confusion_matrix.ts";
import { type Figure, stacked, stackFigure, tableBehind } from "./figure.ts";
import { countInBins, drawHistogram } from "./histogram.ts";
import { type Markup, markup } from "./markup.ts";
import { formatMetric, metricName } from "./metric_names.ts";
import { formatCount, formatNumber, formatPercent } from "./number.ts";
import { drawScatter } from "./scatter_plot.ts";
import { clip, restNote } from "./text.ts";
import type {
  CalibrationCard,
  ClassRow,
  ConfusionData,
  LabelCount,
  RegressionCard,
  RunReport,
} from "./types.ts";

/** Longer tables are cut, with a note. */
const MOST_ROWS = 200;

/** The confusion matrix of more classes takes a row of its own and scrolls on narrow screens. */
const WIDE_CLASSES = 10;

/** Confusion matrix, calibration, predicted numbers, baselines; empty without any. */
export function resultFigures(run: RunReport): Figure[] {
  const { confusion, calibration, regression } = run;
  return [
    confusion && confusionFigure(confusion),
    calibration && calibrationFigure(calibration),
    ...(regression ? regressionFigures(regression) : []),
    baselineFigure(run),
    run.data.splits ? undefined : labelFigure(run.data.labelCounts),
  ].filter((figure) => figure !== undefined);
}

/** The section's content: figures, the scores of each class, the test's metrics; nothing without any. */
export function drawResults(run: RunReport): Markup | undefined {
  const { perClass = [], metrics = {} } = run, names = Object.keys(metrics);
  const items = resultFigures(run).map((figure) => stackFigure(figure, figure.id === "calibration" ? 5 : 3));
  if (perClass.length > 0) {
    items.push({ weight: 1.2 + Math.min(perClass.length, MOST_ROWS) * 0.35, card: classTable(perClass) });
  }
  if (names.length > 0) items.push({ weight: 0.9 + names.length * 0.26, card: metricTable(metrics) });
  return stacked(items);
}

function confusionFigure(confusion: ConfusionData): Figure {
  const title = "Confusion matrix", wide = confusion.labels.length > WIDE_CLASSES;
  return {
    ...{ id: "confusion_matrix", title, note: "Test examples; a cell's tint is its share of the row", wide },
    minWidth: wide ? Math.max(400, 150 + 24 * Math.min(30, confusion.labels.length)) : undefined,
    draw: (place) => drawConfusionMatrix({ ...confusion, title }, place),
  };
}

function calibrationFigure(card: CalibrationCard): Figure {
  const title = "Calibration", facts = [`Expected calibration error ${formatPercent(card.ece, 2)}`];
  facts.push(`log loss ${card.log_loss.toFixed(4)}`);
  if (card.brier !== undefined) facts.push(`Brier score ${card.brier.toFixed(4)}`);
  const rows = filledBins(card).map(({ lower, upper, count, confidence, accuracy }) => [
    `${formatPercent(lower, 0)} to ${formatPercent(upper, 0)}`,
    ...[formatCount(count), formatPercent(confidence), formatPercent(accuracy)],
  ]);
  return {
    ...{ id: "calibration", title },
    note:
      "How many answers of each confidence are right (bars, with 95% intervals), against what they promise (orange)",
    below: [
      markup`<p class="key-facts">${facts.join(" · ")}</p>`,
      tableBehind("The bins as a table", ["Confidence", "Examples", "Mean", "Right"], rows),
    ],
    draw: (place) => drawReliability(card, title, place),
  };
}

function regressionFigures({ expected, predicted, total = expected.length }: RegressionCard): Figure[] {
  const shown = total > expected.length
    ? `${formatCount(expected.length)} of ${formatCount(total)} test examples`
    : `${formatCount(total)} test examples`;
  const residuals = predicted.map((value, i) => value - expected[i]);
  const finite = residuals.filter(Number.isFinite);
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
  return [
    {
      ...{
        id: "predicted",
        title: "Predicted over expected",
        note: `${shown}; on the dashed line both are equal`,
      },
      draw: (place) =>
        drawScatter({
          ...{ title: "Predicted over expected", xLabel: "expected", yLabel: "predicted", line: "equal" },
          ...{ x: expected, y: predicted },
        }, place),
    },
    {
      ...{
        id: "residuals",
        title: "Residuals",
        note: `Predicted minus expected; mean ${formatNumber(mean)}`,
      },
      draw: (place) =>
        drawScatter({
          ...{ title: "Residuals", xLabel: "expected", yLabel: "residual", line: "zero" },
          ...{ x: expected, y: residuals },
        }, place),
    },
    {
      ...{ id: "residual_histogram", title: "Distribution of residuals", note: shown },
      draw: (place) =>
        drawHistogram(
          { title: "Distribution of residuals", xLabel: "residual", bins: countInBins(residuals) },
          place,
        ),
    },
  ];
}

/** The accuracies of simpler methods that a caller gave. */
function baselineFigure({ baselines = [], evaluations }: RunReport): Figure | undefined {
  if (baselines.length === 0) return undefined;
  const last = evaluations.findLast(({ accuracy }) => accuracy !== undefined)?.accuracy;
  const scores = last === undefined ? baselines : [{ name: "this model", accuracy: last }, ...baselines];
  return barFigure("baselines", "Accuracy against simpler methods", "On the same held-out examples", {
    labels: scores.map(({ name }) => name),
    values: scores.map(({ accuracy }) => accuracy),
    format: "percent",
  });
}

function labelFigure(counts: readonly LabelCount[] = []): Figure | undefined {
  if (counts.length === 0) return undefined;
  return barFigure("labels", "Training examples of each class", "", {
    labels: counts.map(({ label }) => label),
    values: counts.map(({ count }) => count),
    format: "number",
  });
}

/** One series of bars as a figure. */
export function barFigure(
  id: string,
  title: string,
  note: string,
  { labels, values, format }: {
    labels: readonly string[];
    values: readonly number[];
    format: "number" | "percent";
  },
): Figure {
  const series = [{ name: title, values }];
  return {
    id,
    title,
    note,
    draw: (place) => drawBarPlot({ title, labels, series, format, width: 400 }, place),
  };
}

/** A score from 0 to 1 with three decimals. */
function formatScore(score: number): string {
  return Number.isFinite(score) ? score.toFixed(3) : formatNumber(score);
}

function classTable(perClass: readonly ClassRow[]): Markup {
  const shown = perClass.slice(0, MOST_ROWS);
  const mean = (of: (row: ClassRow) => number) =>
    perClass.reduce((sum, row) => sum + of(row), 0) / perClass.length;
  const support = perClass.reduce((sum, row) => sum + row.support, 0);
  const cells = (row: Omit<ClassRow, "label">) =>
    markup`<td class="number">${formatScore(row.precision)}</td><td class="number">${
      formatScore(row.recall)
    }</td><td class="number">${formatScore(row.f1)}</td><td class="number">${formatCount(row.support)}</td>`;
  return markup`<div class="card${shown.length > 15 && " long"}"><div class="scroll"><table class="scores">
<caption><h3>Scores of each class</h3></caption>
<thead><tr><th scope="col">Class</th><th scope="col" class="number">Precision</th><th scope="col" class="number">Recall</th><th scope="col" class="number">F1</th><th scope="col" class="number">Examples</th></tr></thead>
<tbody>${
    shown.map((row) =>
      markup`<tr><th scope="row" class="label" dir="auto">${clip(row.label)}</th>${cells(row)}</tr>\n`
    )
  }<tr class="total"><th scope="row">Mean of classes</th>${
    cells({
      precision: mean((row) => row.precision),
      recall: mean((row) => row.recall),
      f1: mean((row) => row.f1),
      support,
    })
  }</tr></tbody></table></div>${restNote(perClass.length - shown.length)}</div>`;
}

function metricTable(metrics: Readonly<Record<string, number>>): Markup {
  return markup`<div class="card"><h3>Metrics</h3><p class="note">Of the test examples</p><dl class="facts-list">${
    Object.entries(metrics).map(([name, value]) =>
      markup`<div><dt>${metricName(name)}</dt><dd>${formatMetric(name, value)}</dd></div>`
    )
  }</dl></div>`;
}
