/**
 * Time and memory of a run: its rate over the steps, where the time went, what the memory holds.
 *
 * @module
 */

import { type Figure, figureCard } from "./figure.ts";
import { type Markup, markup } from "./markup.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "./number.ts";
import { lineFigure } from "./report_curves.ts";
import type { RunReport, ScaleCard, SpeedCard, StepRecord } from "./types.ts";

/** A rate is the mean over about so many parts of the run. */
const PARTS = 120;

/** Steps with time, in order. */
function timed(steps: readonly StepRecord[]): StepRecord[] {
  return steps.filter(({ elapsedMs }) => Number.isFinite(elapsedMs));
}

/** Rates over parts of a run; evaluations in between do not count. */
export function ratesOf(
  { steps, evaluations }: RunReport,
): { step: number[]; steps: number[]; tokens: number[] } {
  const known = timed(steps), part = Math.max(1, Math.ceil(known.length / PARTS));
  const pauses = evaluations.flatMap(({ step, durationMs }) =>
    durationMs === undefined ? [] : [{ step, durationMs }]
  );
  const rates = { step: [] as number[], steps: [] as number[], tokens: [] as number[] };
  for (let at = part; at < known.length; at += part) {
    const a = known[at - part], b = known[at];
    const paused = pauses.reduce(
      (sum, { step, durationMs }) => step >= a.step && step < b.step ? sum + durationMs : sum,
      0,
    );
    const seconds = (b.elapsedMs - a.elapsedMs - paused) / 1000;
    if (!(seconds > 0)) continue; // a clock without the resolution, or one that began anew
    rates.step.push(b.step);
    rates.steps.push((b.step - a.step) / seconds);
    rates.tokens.push(
      a.tokens === undefined || b.tokens === undefined ? NaN : (b.tokens - a.tokens) / seconds,
    );
  }
  return rates;
}

/** The rates; empty for a run of a few steps. */
export function speedFigures(run: RunReport): Figure[] {
  const { step: x, steps, tokens } = ratesOf(run);
  if (x.length < 2) return [];
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const figures = [
    lineFigure("steps_per_second", "Steps per second", `Median ${formatNumber(median(steps))}`, {
      yLabel: "steps per second",
      series: [{ name: "steps per second", x, y: steps }],
    }),
  ];
  if (tokens.some(Number.isFinite)) {
    const note = `Median ${
      formatNumber(median(tokens.filter(Number.isFinite)))
    }; special tokens count, padding is none`;
    figures.push(lineFigure("tokens_per_second", "Tokens per second", note, {
      yLabel: "tokens per second",
      series: [{ name: "tokens per second", x, y: tokens }],
    }));
  }
  return figures;
}

/** The section's content; nothing without time and memory. */
export function drawSpeed(run: RunReport): Markup | undefined {
  const figures = speedFigures(run).map(figureCard),
    time = timeCard(run),
    memory = run.speed && memoryCard(run.speed),
    scale = run.scale && scaleCard(run.scale);
  if (figures.length === 0 && !memory && !scale) return undefined;
  return markup`<div class="grid start">${figures}${time}${scale}${memory}</div>`;
}

/** What the ranks of a run told each other. */
function scaleCard(
  { ranks, engine, communication_seconds, communication_share, overlap }: ScaleCard,
): Markup {
  return factList("Scale", "Seconds of the first rank in calls of the engine, waiting included", [
    ["ranks", formatCount(ranks)],
    ["engine", engine],
    [
      "communication",
      `${formatDuration(1000 * communication_seconds)}, ${
        formatPercent(communication_share)
      } of the training`,
    ],
    [
      "sums of gradients",
      overlap === undefined ? undefined : `${formatPercent(overlap)} of their time beside the backward pass`,
    ],
  ]);
}

function factList(
  title: string,
  note: string,
  facts: readonly (readonly [string, string | undefined])[],
): Markup {
  return markup`<div class="card"><h3>${title}</h3>${
    note !== "" && markup`<p class="note">${note}</p>`
  }<dl class="facts-list">${
    facts.map(([name, value]) => value !== undefined && markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)
  }</dl></div>`;
}

/** Where the time went. */
function timeCard({ steps, evaluations, elapsedMs }: RunReport): Markup | undefined {
  const last = steps[steps.length - 1];
  if (last === undefined) return undefined;
  const evaluating = evaluations.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0);
  const total = Math.max(elapsedMs ?? 0, last.elapsedMs),
    isKnown = evaluations.some(({ durationMs }) => durationMs);
  return factList("Time", "", [
    ["in all", formatDuration(total)],
    [
      "evaluations",
      isKnown ? `${formatDuration(evaluating)}, ${formatPercent(evaluating / total)}` : undefined,
    ],
    ["steps", formatCount(steps.length)],
    ["tokens", last.tokens === undefined ? undefined : formatCount(last.tokens)],
    ["tokens a step", last.tokens === undefined ? undefined : formatNumber(last.tokens / last.step)],
  ]);
}

/** Bytes as mebibytes or gibibytes. */
function formatBytes(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function memoryCard({ wasm_bytes, process_bytes, plan_bytes = {}, plan_of }: SpeedCard): Markup {
  const { limit: _, ...parts } = plan_bytes;
  const bytes = (value: number | undefined) => value === undefined ? undefined : formatBytes(value);
  return factList("Memory", plan_of === undefined ? "" : `The plan is of a step of ${plan_of}`, [
    ["in use, peak", bytes(wasm_bytes)],
    ["whole process, peak", bytes(process_bytes)],
    ...Object.entries(parts).filter(([, value]) => value > 0)
      .map(([name, value]) =>
        [name === "total" ? "plan in all" : `plan: ${name}`, formatBytes(value)] as const
      ),
  ]);
}
