/**
 * The curves of a report: loss, accuracy, learning rate, gradient norm and watched weights over the steps.
 *
 * @module
 */

import { drawLinePlot, type LinePlotOptions, type LineSeries } from "./line_plot.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { formatCount, formatNumber } from "./number.ts";
import type { RunReport, WatchedWeight } from "./types.ts";

const SIZE = { width: 400, height: 250 };

/** The smoothing window, as a share of the steps. */
const SMOOTHING = 0.12;

/** A gradient norm whose largest value is this many times the median is shown on a logarithmic axis. */
const WIDE_RANGE = 30;

/** All curves for which the run has data; empty without any. */
export function drawCurves(run: RunReport): Markup[] {
  const watched = run.watch ?? [];
  return [
    lossCurve(run),
    accuracyCurve(run),
    rateCurve(run),
    normCurve(run),
    ...watched.map((w) => watchCurve(run, w)),
  ]
    .filter((curve) => curve !== undefined);
}

/** A plot as a card with its heading. */
function figure(title: string, note: Content, options: Omit<LinePlotOptions, "title" | "xLabel">): Markup {
  const plot = drawLinePlot({ ...SIZE, title, xLabel: "step", ...options }, "page");
  return markup`<figure class="card"><figcaption><h3>${title}</h3><p class="note">${note}</p></figcaption>${plot}</figure>`;
}

function lossCurve({ steps, evaluations }: RunReport): Markup | undefined {
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
  return figure("Loss", "Mean over each step's batch", { yLabel: "loss", series });
}

function accuracyCurve({ evaluations, baselines = [], data }: RunReport): Markup | undefined {
  if (evaluations.length === 0) return undefined;
  const x = evaluations.map(({ step }) => step);
  const y = evaluations.map(({ accuracy }) => accuracy);
  const strongest = [...baselines].sort((a, b) => b.accuracy - a.accuracy)[0];
  const note = data.dev === undefined
    ? "On held-out examples"
    : `On ${formatCount(data.dev)} held-out examples`;
  return figure("Accuracy", note, {
    yLabel: "accuracy",
    yFormat: "percent",
    markers: true,
    series: [{ name: "accuracy", x, y }],
    baseline: strongest && { value: strongest.accuracy, label: strongest.name },
  });
}

function rateCurve({ steps }: RunReport): Markup | undefined {
  if (steps.length === 0) return undefined;
  const x = steps.map(({ step }) => step);
  const y = steps.map(({ learning_rate }) => learning_rate);
  const peak = y.reduce((high, rate) => Math.max(high, rate), 0);
  return figure("Learning rate", `Highest ${formatNumber(peak)}`, {
    yLabel: "learning rate",
    series: [{ name: "learning rate", x, y }],
  });
}

function normCurve({ steps }: RunReport): Markup | undefined {
  const measured = steps.filter(({ grad_norm }) => grad_norm !== undefined);
  if (measured.length === 0) return undefined;
  const x = measured.map(({ step }) => step);
  const y = measured.map(({ grad_norm }) => grad_norm ?? NaN);
  const sorted = y.filter((norm) => norm > 0 && Number.isFinite(norm)).sort((a, b) => a - b);
  const wide = sorted.length > 0 && sorted[sorted.length - 1] > WIDE_RANGE * sorted[sorted.length >> 1];
  return figure("Gradient norm", `Over all parameters, before clipping${wide ? "; logarithmic axis" : ""}`, {
    yLabel: "gradient norm",
    yScale: wide ? "log" : "linear",
    series: [{ name: "gradient norm", x, y, smoothing: SMOOTHING }],
  });
}

function watchCurve({ steps }: RunReport, { name, values, steps: places }: WatchedWeight): Markup {
  const recorded = steps.length === values.length ? steps.map(({ step }) => step) : values.map((_, i) => i);
  const finite = values.filter(Number.isFinite);
  const change = finite.length > 0 &&
    `: ${formatNumber(finite[0], 5)} to ${formatNumber(finite[finite.length - 1], 5)}`;
  const parts = name.split(".").map((part, i) => [i > 0 && markup`.<wbr/>`, part]); // may wrap after its dots
  return figure("Watched weight", [parts, change], {
    yLabel: "value",
    series: [{ name, x: places ?? recorded, y: values }],
  });
}
