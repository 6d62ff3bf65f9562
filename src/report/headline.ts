/**
 * The numbers of a run that matter most, as tiles.
 *
 * @module
 */

import { type Content, type Markup, markup } from "./markup.ts";
import { formatMetric, isHigherBetter, metricName, metricNames, metricsOf } from "./metric_names.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "./number.ts";
import type { BaselineComparison, ClassRow, RunReport, StepRecord } from "./types.ts";

/** The numbers that matter most. */
export function drawHeadline(run: RunReport): Markup {
  const main = metricNames(run.evaluations)[0];
  const tiles = [
    main === "accuracy" ? accuracyTile(run) : main !== undefined && metricTile(run, main),
    testTile(run) ?? testMetricTile(run),
    run.confusion === undefined && f1Tile(run.perClass),
    run.comparison && comparisonTile(run.comparison),
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

/** What evaluations were made on. */
function heldOut({ data }: RunReport): string {
  return data.dev === undefined ? "held-out examples" : `${formatCount(data.dev)} held-out examples`;
}

function accuracyTile(run: RunReport): Markup | undefined {
  const known = run.evaluations.flatMap(({ step, accuracy }) =>
    accuracy === undefined ? [] : [{ step, accuracy }]
  );
  if (known.length === 0) return undefined;
  const first = known[0], last = known[known.length - 1];
  const best = known.reduce((a, b) => b.accuracy > a.accuracy ? b : a);
  const peak = best.accuracy > last.accuracy
    ? `; best ${formatPercent(best.accuracy)} at step ${formatCount(best.step)}`
    : "";
  if (first.step !== 0 || known.length === 1) {
    return tile("Accuracy", formatPercent(last.accuracy), `on ${heldOut(run)}${peak}`, true);
  }
  const points = (last.accuracy - first.accuracy) * 100;
  const gain = `${points < 0 ? "" : "+"}${points.toFixed(1)} points`;
  return tile(
    "Accuracy, before and after",
    change(formatPercent(first.accuracy), formatPercent(last.accuracy)),
    `${gain} on ${heldOut(run)}${peak}`,
    true,
  );
}

/** The main metric of a run that has no accuracy. */
function metricTile(run: RunReport, name: string): Markup | undefined {
  const known = run.evaluations.flatMap((record) => {
    const value = metricsOf(record)[name];
    return value === undefined ? [] : [{ step: record.step, value }];
  });
  const last = known[known.length - 1], higher = isHigherBetter(name);
  const best = known.reduce((a, b) => (higher ? b.value > a.value : b.value < a.value) ? b : a);
  const peak = higher !== undefined && best.value !== last.value
    ? `; best ${formatMetric(name, best.value)} at step ${formatCount(best.step)}`
    : "";
  const value = known[0].step === 0 && known.length > 1
    ? change(formatMetric(name, known[0].value), formatMetric(name, last.value))
    : formatMetric(name, last.value);
  return tile(metricName(name), value, `on ${heldOut(run)}${peak}`, true);
}

function testTile({ confusion, perClass }: RunReport): Markup | undefined {
  if (confusion === undefined) return undefined;
  let right = 0, total = 0;
  confusion.counts.forEach((row, e) =>
    row.forEach((count, p) => {
      total += count;
      if (e === p) right += count;
    })
  );
  if (total === 0) return undefined;
  const f1 = macroF1(perClass);
  return tile(
    "Test accuracy",
    formatPercent(right / total),
    `${formatCount(right)} of ${formatCount(total)} right${f1 === undefined ? "" : `; macro F1 ${f1}`}`,
  );
}

/** The first metric of a test without classes. */
function testMetricTile({ metrics = {}, data }: RunReport): Markup | undefined {
  const first = Object.entries(metrics).find(([name]) => name !== "loss");
  if (first === undefined) return undefined;
  const count = data.test ?? data.dev;
  const note = count === undefined ? "on the test examples" : `on ${formatCount(count)} test examples`;
  return tile(`Test: ${metricName(first[0])}`, formatMetric(...first), note);
}

function f1Tile(perClass: readonly ClassRow[] | undefined): Markup | "" | undefined {
  const value = macroF1(perClass);
  return value && tile("Macro F1", value, `mean of ${formatCount(perClass!.length)} classes`);
}

/** The mean F1 of the classes, if there are any. */
function macroF1(perClass: readonly ClassRow[] = []): string | undefined {
  if (perClass.length === 0) return undefined;
  const mean = perClass.reduce((sum, { f1 }) => sum + f1, 0) / perClass.length;
  return Number.isFinite(mean) ? mean.toFixed(3) : formatNumber(mean);
}

function comparisonTile({ difference: { value, low, high } }: BaselineComparison): Markup {
  return tile("Against a simpler method", signedPoints(value), `95% sure: ${signedRange(low, high)}`);
}

/** A difference of shares in points. */
export function signedPoints(value: number): string {
  const points = (value * 100).toFixed(1);
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${points.replace("-", "")} points`;
}

/** A range of differences in points. */
export function signedRange(low: number, high: number): string {
  return `${signedPoints(low).replace(" points", "")} to ${signedPoints(high)}`;
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
