/**
 * What a run achieved: the headline numbers, the confusion matrix, the scores of each class, and predictions.
 *
 * @module
 */

import { drawBarPlot } from "./bar_plot.ts";
import { drawConfusionMatrix } from "./confusion_matrix.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "./number.ts";
import type { ClassRow, ConfusionData, PredictionRow, RunReport, StepRecord } from "./types.ts";

/** Longer tables are cut, with a note. */
const MOST_ROWS = 200;

/** Longer texts are cut, with a note. */
const MOST_CHARACTERS = 600;

/** The confusion matrix of more classes takes a row of its own and scrolls on narrow screens. */
const WIDE_CLASSES = 10;

/** The numbers that matter most, as tiles. */
export function drawHeadline(run: RunReport): Markup {
  const tiles = [
    accuracyTile(run),
    testTile(run.confusion),
    f1Tile(run.perClass),
    lossTile(run.steps),
    timeTile(run),
  ];
  return markup`<dl class="tiles">${tiles}</dl>`;
}

function tile(label: string, value: Content, note: string, whole = false): Markup {
  return markup`<div class="card${
    whole && " whole"
  }"><dt>${label}</dt><dd><p class="value">${value}</p><p class="note">${note}</p></dd></div>`;
}

/** A change; read aloud as "before to after". */
function change(before: string, after: string): Markup {
  return markup`<span class="from">${before} <span aria-hidden="true">→</span><span class="hidden">to</span></span> ${after}`;
}

function accuracyTile({ evaluations, data }: RunReport): Markup | undefined {
  if (evaluations.length === 0) return undefined;
  const first = evaluations[0], last = evaluations[evaluations.length - 1];
  const best = evaluations.reduce((a, b) => b.accuracy > a.accuracy ? b : a);
  const held = data.dev === undefined ? "held-out examples" : `${formatCount(data.dev)} held-out examples`;
  const peak = best.accuracy > last.accuracy
    ? `; best ${formatPercent(best.accuracy)} at step ${formatCount(best.step)}`
    : "";
  if (first.step !== 0 || evaluations.length === 1) {
    return tile("Accuracy", formatPercent(last.accuracy), `on ${held}${peak}`, true);
  }
  const points = (last.accuracy - first.accuracy) * 100;
  const gain = `${points < 0 ? "" : "+"}${points.toFixed(1)} points`;
  return tile(
    "Accuracy, before and after",
    change(formatPercent(first.accuracy), formatPercent(last.accuracy)),
    `${gain} on ${held}${peak}`,
    true,
  );
}

function testTile(confusion: ConfusionData | undefined): Markup | undefined {
  if (confusion === undefined) return undefined;
  let right = 0, total = 0;
  confusion.counts.forEach((row, e) =>
    row.forEach((count, p) => {
      total += count;
      if (e === p) right += count;
    })
  );
  if (total === 0) return undefined;
  return tile(
    "Test accuracy",
    formatPercent(right / total),
    `${formatCount(right)} of ${formatCount(total)} right`,
  );
}

function f1Tile(perClass: readonly ClassRow[] | undefined): Markup | undefined {
  if (perClass === undefined || perClass.length === 0) return undefined;
  const mean = perClass.reduce((sum, { f1 }) => sum + f1, 0) / perClass.length;
  return tile("Macro F1", formatScore(mean), `mean of ${formatCount(perClass.length)} classes`);
}

function lossTile(steps: readonly StepRecord[]): Markup | undefined {
  if (steps.length < 2) return undefined;
  const part = Math.max(1, Math.round(steps.length / 20));
  const mean = (some: readonly StepRecord[]) => some.reduce((sum, { loss }) => sum + loss / some.length, 0);
  const note = part === 1 ? "first and last step" : `mean of the first and last ${formatCount(part)} steps`;
  return tile(
    "Training loss",
    change(formatNumber(mean(steps.slice(0, part))), formatNumber(mean(steps.slice(-part)))),
    note,
  );
}

function timeTile({ steps, elapsedMs }: RunReport): Markup | undefined {
  const total = elapsedMs ?? steps[steps.length - 1]?.elapsedMs;
  if (total === undefined) return undefined;
  const lengths = steps.slice(1).map((step, i) => step.elapsedMs - steps[i].elapsedMs).sort((a, b) => a - b);
  const median = lengths.length === 0 ? "" : `, median ${formatDuration(lengths[lengths.length >> 1])} each`;
  return tile("Duration", formatDuration(total), `${formatCount(steps.length)} steps${median}`);
}

/** Confusion matrix, scores of each class, baselines and class sizes; empty without any. */
export function drawResults({ confusion, perClass, baselines, evaluations, data }: RunReport): Markup[] {
  const results: Markup[] = [];
  if (confusion !== undefined) results.push(confusionFigure(confusion));
  if (perClass !== undefined && perClass.length > 0) results.push(classTable(perClass));
  const last = evaluations[evaluations.length - 1];
  if (baselines !== undefined && baselines.length > 0) {
    const scores = last === undefined
      ? baselines
      : [{ name: "this model", accuracy: last.accuracy }, ...baselines];
    results.push(barFigure("Accuracy against simpler methods", "On the same held-out examples", {
      labels: scores.map(({ name }) => name),
      values: scores.map(({ accuracy }) => accuracy),
      format: "percent",
    }));
  }
  if (data.labelCounts !== undefined && data.labelCounts.length > 0) {
    results.push(barFigure("Training examples of each class", "", {
      labels: data.labelCounts.map(({ label }) => label),
      values: data.labelCounts.map(({ count }) => count),
      format: "number",
    }));
  }
  return results;
}

function confusionFigure(confusion: ConfusionData): Markup {
  const title = "Confusion matrix";
  const plot = drawConfusionMatrix({ ...confusion, title }, "page");
  const caption =
    markup`<figcaption><h3>${title}</h3><p class="note">Test examples; a cell's tint is its share of the row</p></figcaption>`;
  if (confusion.labels.length <= WIDE_CLASSES) return markup`<figure class="card">${caption}${plot}</figure>`;
  const width = Math.max(400, 150 + 24 * Math.min(30, confusion.labels.length));
  return markup`<figure class="card wide">${caption}<div class="scroll" tabindex="0" role="region" aria-label="${title}"><div style="width:${width}px;margin:0 auto">${plot}</div></div></figure>`;
}

function barFigure(
  title: string,
  note: string,
  { labels, values, format }: {
    labels: readonly string[];
    values: readonly number[];
    format: "number" | "percent";
  },
): Markup {
  const plot = drawBarPlot({ title, labels, series: [{ name: title, values }], format, width: 400 }, "page");
  return markup`<figure class="card"><figcaption><h3>${title}</h3>${
    note !== "" && markup`<p class="note">${note}</p>`
  }</figcaption>${plot}</figure>`;
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

/**
 * A table of texts with their predicted and, where known, expected classes. Narrow screens stack its cells, for which
 * browsers forget that it is a table; the roles keep it one.
 */
export function predictionTable(title: string, note: string, rows: readonly PredictionRow[]): Markup {
  const shown = rows.slice(0, MOST_ROWS);
  const known = rows.some(({ expected }) => expected !== undefined);
  const head = (name: string) =>
    markup`<th scope="col" role="columnheader"${name !== "Text" && markup` class="outcome"`}>${name}</th>`;
  return markup`<div class="card long below"><table class="texts" role="table">
<caption><h3>${title}</h3>${note !== "" && markup`<p class="note">${note}</p>`}</caption>
<thead role="rowgroup"><tr role="row">${head("Text")}${head("Predicted")}${
    known && head("Expected")
  }</tr></thead>
<tbody role="rowgroup">${shown.map((row) => predictionRow(row, known))}</tbody></table>${
    restNote(rows.length - shown.length)
  }</div>`;
}

function predictionRow(
  { text, text_pair, predicted, probability, expected }: PredictionRow,
  known: boolean,
): Markup {
  const wrong = expected !== undefined && expected !== predicted;
  const pair = text_pair !== undefined && markup`<span class="pair" dir="auto">${clip(text_pair)}</span>`;
  return markup`<tr role="row"${
    wrong && markup` class="wrong"`
  }><td role="cell" class="text"><span dir="auto">${
    clip(text)
  }</span>${pair}</td><td role="cell" class="text"><span dir="auto">${clip(predicted)}</span>${
    expected !== undefined && verdict(wrong)
  }${probabilityBar(probability)}</td>${
    known &&
    markup`<td role="cell" class="text expected"><span dir="auto">${
      expected === undefined ? "—" : clip(expected)
    }</span></td>`
  }</tr>\n`;
}

/** Right or wrong: a sign to see, a word to hear. */
function verdict(wrong: boolean): Markup {
  return markup` <span class="mark" aria-hidden="true">${wrong ? "✗" : "✓"}</span><span class="hidden">${
    wrong ? "wrong" : "right"
  }</span>`;
}

function probabilityBar(probability: number): Markup {
  const width = Number.isFinite(probability) ? Math.min(1, Math.max(0, probability)) * 100 : 0;
  return markup`<span class="bar"><span aria-hidden="true"><span style="width:${
    width.toFixed(1)
  }%"></span></span>${formatPercent(probability)}</span>`;
}

/** The text, or its beginning and its length. */
function clip(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}… (${formatCount(text.length)} characters)`;
}

function restNote(hidden: number): Markup | false {
  return hidden > 0 && markup`<p class="note">${formatCount(hidden)} more not shown</p>`;
}
