/**
 * The curves of a report: loss, metrics of the evaluations, learning rate, gradient norm and watched weights over the
 * steps.
 *
 * @module
 */

import type { Figure } from "./figure.ts";
import { drawLinePlot, type LinePlotOptions, type LineSeries } from "./line_plot.ts";
import { type Content, markup } from "./markup.ts";
import { kindOfMetric, metricName, metricNames, metricsOf } from "./metric_names.ts";
import { formatCount, formatNumber } from "./number.ts";
import type { Place } from "./theme.ts";
import type { RunReport, WatchedWeight } from "./types.ts";

/** A plot's size on the page; alone it is wider. */
export const PLOT_SIZE: Readonly<Record<Place, { width: number; height: number }>> = {
  page: { width: 400, height: 250 },
  alone: { width: 720, height: 360 },
};

/** The smoothing window, as a share of the steps. */
export const SMOOTHING = 0.12;

/** A gradient norm whose largest value is this many times the median is shown on a logarithmic axis. */
const WIDE_RANGE = 30;

/** So many metrics of one kind share a plot. */
const MOST_TOGETHER = 4;

/** All curves for which the run has data; empty without any. */
export function curveFigures(run: RunReport): Figure[] {
  const watched = run.watch ?? [];
  return [
    lossCurve(run),
    ...metricCurves(run),
    rateCurve(run),
    normCurve(run),
    ...watched.map((weight, i) => watchCurve(run, weight, i)),
  ]
    .filter((curve) => curve !== undefined);
}

/** A line plot over the steps as a figure. */
export function lineFigure(
  id: string,
  title: string,
  note: Content,
  options: Omit<LinePlotOptions, "title" | "xLabel"> & { xLabel?: string },
): Figure {
  const draw = (place: Place) =>
    drawLinePlot({ ...PLOT_SIZE[place], title, xLabel: "step", labels: "direct", ...options }, place);
  return { id, title, note, draw };
}

function lossCurve({ steps, evaluations }: RunReport): Figure | undefined {
  const series: LineSeries[] = [];
  if (steps.length > 0) {
    series.push({
      name: "training",
      x: steps.map(({ step }) => step),
      y: steps.map(({ loss }) => loss),
      smoothing: SMOOTHING,
    });
  }
  const evaluated = evaluations.filter(({ loss }) => loss !== undefined);
  if (evaluated.length > 0) {
    series.push({
      name: "evaluation",
      x: evaluated.map(({ step }) => step),
      y: evaluated.map(({ loss }) => loss ?? NaN),
      markers: true,
    });
  }
  if (series.length === 0) return undefined;
  const isSmoothed = steps.length >= 10 ? "; the strong line is smoothed" : "";
  return lineFigure("loss", "Loss", `Mean over each step's batch${isSmoothed}`, { yLabel: "loss", series });
}

/** Metrics of the evaluations: shares together, correlations together, each other one alone. */
function metricCurves({ evaluations, baselines = [], data }: RunReport): Figure[] {
  const names = metricNames(evaluations).filter((name) => !/runtime|per_second/.test(name));
  const note = data.dev === undefined
    ? "On held-out examples"
    : `On ${formatCount(data.dev)} held-out examples`;
  const strongest = [...baselines].sort((a, b) => b.accuracy - a.accuracy)[0];
  const groups: string[][] = [];
  for (const name of names) {
    const kind = kindOfMetric(name), isShared = kind === "share" || kind === "correlation";
    const group = isShared && groups.find(([one, ...more]) => {
      return kindOfMetric(one) === kind && more.length + 1 < MOST_TOGETHER;
    });
    if (group) group.push(name);
    else groups.push([name]);
  }
  return groups.map((group) => {
    const isShare = kindOfMetric(group[0]) === "share", title = group.map(metricName).join(", ");
    return lineFigure(`metric_${group.join("_")}`.replace(/[^\w-]/g, "_"), title, note, {
      yLabel: group.length === 1 ? metricName(group[0]) : isShare ? "share" : "value",
      ...{ yFormat: isShare ? "percent" : "number", markers: true },
      series: group.map((name) => {
        const known = evaluations.filter((record) => metricsOf(record)[name] !== undefined);
        return {
          name: metricName(name),
          x: known.map(({ step }) => step),
          y: known.map((record) => metricsOf(record)[name]),
        };
      }),
      ...(group.includes("accuracy") && strongest
        ? { baseline: { value: strongest.accuracy, label: strongest.name } }
        : {}),
    });
  });
}

function rateCurve({ steps }: RunReport): Figure | undefined {
  if (steps.length === 0) return undefined;
  const x = steps.map(({ step }) => step);
  const y = steps.map(({ learning_rate }) => learning_rate);
  const peak = y.reduce((high, rate) => Math.max(high, rate), 0);
  return lineFigure("learning_rate", "Learning rate", `Highest ${formatNumber(peak)}`, {
    yLabel: "learning rate",
    series: [{ name: "learning rate", x, y }],
  });
}

function normCurve({ steps }: RunReport): Figure | undefined {
  const measured = steps.filter(({ grad_norm }) => grad_norm !== undefined);
  if (measured.length === 0) return undefined;
  const x = measured.map(({ step }) => step);
  const y = measured.map(({ grad_norm }) => grad_norm ?? NaN);
  const sorted = y.filter((norm) => norm > 0 && Number.isFinite(norm)).sort((a, b) => a - b);
  const wide = sorted.length > 0 && sorted[sorted.length - 1] > WIDE_RANGE * sorted[sorted.length >> 1];
  const isSmoothed = measured.length >= 10 ? "; the strong line is smoothed" : "";
  const note = `Over all parameters, before clipping${wide ? "; logarithmic axis" : ""}${isSmoothed}`;
  return lineFigure("gradient_norm", "Gradient norm", note, {
    ...{ yLabel: "gradient norm", yScale: wide ? "log" : "linear" },
    series: [{ name: "gradient norm", x, y, smoothing: SMOOTHING }],
  });
}

function watchCurve({ steps }: RunReport, { name, values, steps: places }: WatchedWeight, i: number): Figure {
  const recorded = steps.length === values.length ? steps.map(({ step }) => step) : values.map((_, i) => i);
  const finite = values.filter(Number.isFinite);
  const change = finite.length > 0 &&
    `: ${formatNumber(finite[0], 5)} to ${formatNumber(finite[finite.length - 1], 5)}`;
  const parts = name.split(".").map((part, i) => [i > 0 && markup`.<wbr/>`, part]); // may wrap after its dots
  return lineFigure(`watched_weight_${i}`, "Watched weight", [parts, change], {
    yLabel: "value",
    series: [{ name, x: places ?? recorded, y: values }],
  });
}
