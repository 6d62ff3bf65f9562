/**
 * Several runs on one page: their curves over each other, what differs in their settings, metrics and speed.
 *
 * @module
 */

import { DataError } from "../errors.ts";
import { type Figure, figureCard } from "./figure.ts";
import { legendMark, styleOf } from "./line_marks.ts";
import type { LineSeries } from "./line_plot.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import {
  formatMetric,
  isHigherBetter,
  kindOfMetric,
  metricName,
  metricNames,
  metricsOf,
} from "./metric_names.ts";
import { formatCount, formatDuration, formatNumber } from "./number.ts";
import { page, readableTime, section } from "./page.ts";
import { lineFigure, SMOOTHING } from "./report_curves.ts";
import { ratesOf } from "./report_speed.ts";
import { smoothCurve } from "./series.ts";
import { clip } from "./text.ts";
import type { RunReport, StepRecord } from "./types.ts";

/** A run with the name of its folder. */
export interface NamedRun {
  /** Such as `out/run1`. */
  name: string;
  /** What happened. */
  run: RunReport;
}

/**
 * Writes several runs as one HTML page.
 *
 * @param runs At least two. They are called by the last parts of their names, as far as these tell them apart.
 * @returns An HTML document.
 * @throws {DataError} if there are fewer than two runs.
 *
 * @example
 * ```ts
 * import { compareRuns, type RunReport } from "@berth/berth/report";
 *
 * const run = (learning_rate: number): RunReport => ({
 *   title: "Film reviews",
 *   model: { name: "berth-tiny", parameters: 1_842_306, layers: 4, hidden_size: 128 },
 *   ...{ data: { train: 6920 }, settings: { learning_rate }, environment: {}, steps: [], evaluations: [] },
 * });
 * const html = compareRuns([{ name: "out/slow", run: run(1e-5) }, { name: "out/fast", run: run(1e-3) }]);
 * console.log(html.includes("learning_rate")); // true
 * ```
 */
export function compareRuns(runs: readonly NamedRun[]): string {
  if (runs.length < 2) throw new DataError(`Cannot compare ${runs.length} runs: two at least are wanted`);
  const names = shortNames(runs.map(({ name }) => name)), all = runs.map(({ run }) => run);
  const figures = curves(all, names).map(figureCard);
  return page({
    ...{ kicker: "Comparison", title: `${formatCount(runs.length)} runs` },
    facts: runs.map(({ name }, i) => [i > 0 && " · ", name]),
    main: [
      section("results", "Results", resultTable(all, names)),
      section("curves", "Curves", figures.length > 0 && markup`<div class="grid">${figures}</div>`),
      section("settings", "What differs", settingsTables(all, names)),
    ],
  });
}

/** The last parts of paths, as many as tell all of them apart. */
function shortNames(names: readonly string[]): string[] {
  const parts = names.map((name) => name.split(/[/\\]/).filter((part) => part !== ""));
  const most = Math.max(...parts.map(({ length }) => length));
  for (let count = 1; count <= most; count++) {
    const short = parts.map((own) => own.slice(-count).join("/"));
    if (new Set(short).size === names.length) return short;
  }
  return names.map((name, i) => `${name} (${i + 1})`);
}

/** A column of the table of results. */
interface Column {
  name: string;
  of(run: RunReport): number | undefined;
  write(value: number): string;
  /** True if high values are good; undefined if neither is. */
  higher?: boolean;
}

function columns(runs: readonly RunReport[]): Column[] {
  const tested = [...new Set(runs.flatMap(({ metrics = {} }) => Object.keys(metrics)))]
    .filter((name) => !/runtime|per_second|^epoch$/.test(name));
  const held = tested.length > 0 ? [] : metricNames(runs.flatMap(({ evaluations }) => evaluations));
  const metric = (name: string, of: Column["of"]): Column => ({
    ...{
      name: metricName(name),
      of,
      write: (value) => formatMetric(name, value),
      higher: isHigherBetter(name),
    },
  });
  const rate = (of: (rates: ReturnType<typeof ratesOf>) => number[]) => (run: RunReport) => {
    const values = of(ratesOf(run)).filter(Number.isFinite).sort((a, b) => a - b);
    return values[values.length >> 1];
  };
  return [
    ...tested.map((name) => metric(name, ({ metrics = {} }) => metrics[name])),
    ...held.map((name) =>
      metric(name, ({ evaluations }) => metricsOf(evaluations.at(-1) ?? NO_EVALUATION)[name])
    ),
    { name: "Steps", of: ({ steps }) => steps.at(-1)?.step, write: formatCount },
    {
      name: "Duration",
      of: ({ elapsedMs, steps }) => elapsedMs ?? steps.at(-1)?.elapsedMs,
      write: formatDuration,
    },
    { name: "Steps per second", of: rate(({ steps }) => steps), write: (x) => formatNumber(x), higher: true },
    {
      name: "Tokens per second",
      of: rate(({ tokens }) => tokens),
      write: (x) => formatNumber(x),
      higher: true,
    },
  ];
}

const NO_EVALUATION = { step: 0, epoch: 0 };

/** A row a run, the best of each column marked. */
function resultTable(runs: readonly RunReport[], names: readonly string[]): Markup {
  const shown = columns(runs).map((column) => ({ column, values: runs.map(column.of) }))
    .filter(({ values }) => values.some((value) => value !== undefined && Number.isFinite(value)));
  const best = shown.map(({ column: { higher, write }, values }) => {
    const known = values.filter((value) => value !== undefined && Number.isFinite(value)) as number[];
    if (higher === undefined || new Set(known.map(write)).size < 2) return undefined; // as far as it can be read
    return write(known.reduce((a, b) => (higher ? b > a : b < a) ? b : a));
  });
  const cell = (value: number | undefined, i: number) => {
    const text = value === undefined ? "—" : shown[i].column.write(value);
    return value !== undefined && text === best[i]
      ? markup`<td class="number best">${text}<span aria-hidden="true"> ★</span><span class="hidden"> best</span></td>`
      : markup`<td class="number">${text}</td>`;
  };
  return markup`<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Table of results"><table>
<caption><p class="note">Of the test examples where there were some, else of the last evaluation; ★ marks the best. Rates are medians without evaluations.</p></caption>
<thead><tr><th scope="col">Run</th>${
    shown.map(({ column: { name } }) => markup`<th scope="col" class="number">${name}</th>`)
  }</tr></thead><tbody>${
    names.map((name, r) =>
      markup`<tr><th scope="row" class="label">${swatch(r)}<span dir="auto">${name}</span></th>${
        shown.map(({ values }, i) => cell(values[r], i))
      }</tr>`
    )
  }${repetitionRow(runs, shown)}</tbody></table></div></div>`;
}

/** Settings in which repetitions of a run differ. */
const REPEATED = new Set(["seed", "fold", "out", "started", "training examples"]);

/** The mean and the standard deviation (with n - 1) of each column, if the runs are repetitions: other seeds or folds. */
function repetitionRow(
  runs: readonly RunReport[],
  shown: readonly { column: Column; values: readonly (number | undefined)[] }[],
): Markup | false {
  const facts = runs.map(factsOf), keys = [...new Set(facts.flatMap(Object.keys))];
  const differing = keys.filter((key) => new Set(facts.map((own) => String(own[key]))).size > 1);
  const isRepeated = differing.includes("seed") || differing.includes("fold");
  if (!isRepeated || !differing.every((key) => REPEATED.has(key))) return false;
  const cells = shown.map(({ column: { write }, values }) => {
    const known = values.filter((value) => value !== undefined && Number.isFinite(value)) as number[];
    const mean = known.reduce((a, b) => a + b, 0) / known.length;
    const deviation = Math.sqrt(known.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (known.length - 1));
    return markup`<td class="number">${write(mean)}${known.length > 1 && ` ± ${write(deviation)}`}</td>`;
  });
  return markup`<tr class="total"><th scope="row">Mean ± deviation</th>${cells}</tr>`;
}

/** A piece of a run's curve. */
function swatch(index: number): Markup {
  const mark = legendMark({ ...styleOf(index), faint: false, markers: false }, true);
  return markup`<svg class="berth-plot swatch" viewBox="0 0 24 16" aria-hidden="true">${mark}</svg>`;
}

/** A run's curve, smoothed if it has enough points for that. */
function smooth(name: string, x: readonly number[], y: readonly number[]): LineSeries {
  const curve = smoothCurve(x, y, SMOOTHING);
  return curve.x.length > 0 ? { name, ...curve } : { name, x, y };
}

function curves(runs: readonly RunReport[], names: readonly string[]): Figure[] {
  const ofSteps = (
    value: (step: StepRecord) => number,
    place: (step: StepRecord) => number = ({ step }) => step,
  ) => runs.map(({ steps }, i) => smooth(names[i], steps.map(place), steps.map(value)));
  const figure = (id: string, title: string, note: string, series: LineSeries[], more: object = {}) => {
    const known = series.some(({ y }) => Array.from(y).some(Number.isFinite));
    return known ? [lineFigure(id, title, note, { yLabel: title, series, ...more })] : [];
  };
  const seconds = (step: StepRecord) => step.elapsedMs / 1000;
  const evaluated = (value: (record: RunReport["evaluations"][number]) => number | undefined) =>
    runs.map(({ evaluations }, i) => {
      const kept = evaluations.filter((record) => value(record) !== undefined);
      return { name: names[i], x: kept.map(({ step }) => step), y: kept.map((record) => value(record)!) };
    });
  const marked = { markers: true }, held = "On held-out examples";
  return [
    ...figure("loss", "Training loss", "Smoothed", ofSteps(({ loss }) => loss)),
    ...figure("loss_time", "Training loss over time", "Smoothed", ofSteps(({ loss }) => loss, seconds), {
      xLabel: "seconds",
    }),
    ...figure("eval_loss", "Evaluation loss", held, evaluated(({ loss }) => loss), marked),
    ...metricNames(runs.flatMap(({ evaluations }) => evaluations)).flatMap((name) =>
      figure(`metric_${name}`, metricName(name), held, evaluated((record) => metricsOf(record)[name]), {
        ...{ ...marked, yFormat: kindOfMetric(name) === "share" ? "percent" : "number" },
      })
    ),
    ...figure("learning_rate", "Learning rate", "", ofSteps(({ learning_rate }) => learning_rate)),
    ...figure("gradient_norm", "Gradient norm", "Smoothed", ofSteps(({ grad_norm = NaN }) => grad_norm)),
  ];
}

/** All facts of a run that may differ. */
function factsOf({ model, data, environment, settings, startedAt }: RunReport): Record<string, Content> {
  return {
    model: model.name,
    parameters: formatCount(model.parameters),
    ...(model.trainable_parameters === undefined
      ? {}
      : { "trained parameters": formatCount(model.trainable_parameters) }),
    ...{ "training data": data.name, "training examples": formatCount(data.train) },
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    ...{ runtime: environment.runtime, profile: environment.profile, threads: environment.threads },
    ...{ berth: environment.version, started: startedAt && readableTime(startedAt) },
  };
}

/** Facts that differ, side by side, and a closed list of those that do not. */
function settingsTables(runs: readonly RunReport[], names: readonly string[]): Markup {
  const facts = runs.map(factsOf), keys = [...new Set(facts.flatMap(Object.keys))];
  const values = keys.map((key) => facts.map((own) => own[key]));
  const differs = values.map((row) => new Set(row.map(String)).size > 1);
  const known = (i: number) => values[i].some((value) => value !== undefined);
  const text = (value: Content) =>
    value === undefined ? "—" : typeof value === "string" ? clip(value) : value;
  return markup`<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Table of settings"><table>
<thead><tr><th scope="col">Setting</th>${
    names.map((name, i) => markup`<th scope="col">${swatch(i)}${name}</th>`)
  }</tr></thead><tbody>${
    keys.map((key, i) =>
      differs[i] &&
      markup`<tr><th scope="row">${key}</th>${
        values[i].map((value) => markup`<td class="text">${text(value)}</td>`)
      }</tr>`
    )
  }</tbody></table></div><details><summary>What is the same</summary><dl class="facts-list">${
    keys.map((key, i) =>
      !differs[i] && known(i) && markup`<div><dt>${key}</dt><dd>${text(values[i][0])}</dd></div>`
    )
  }</dl></details></div>`;
}
