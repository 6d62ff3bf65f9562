/**
 * Line plots: curves over a common axis, as one self-contained SVG.
 *
 * @module
 */

import { DataError } from "../errors.ts";
import { Markup, markup } from "./markup.ts";
import { formatNumber } from "./number.ts";
import { type Axis, LARGEST, linearAxis, logAxis } from "./scale.ts";
import {
  type Curve,
  dashOf,
  drawEndLabels,
  drawLegend,
  type EndLabel,
  endLabelRoom,
  marker,
  styleOf,
} from "./line_marks.ts";
import { GAP, keptPoints, pathData, round, smoothCurve } from "./series.ts";
import { contentTop, fitText, PAD, svgFrame, textWidth } from "./svg.ts";
import type { Place } from "./theme.ts";

/** One curve. */
export interface LineSeries {
  /** Its name in the legend. */
  name: string;
  /** Where its points lie on the horizontal axis. */
  x: ArrayLike<number>;
  /** Their values, as many; the curve breaks at values that are not finite. */
  y: ArrayLike<number>;
  /** Marks each point. Default: the plot's `markers`. */
  markers?: boolean;
  /** Smooths this curve. Default: the plot's `smoothing`. */
  smoothing?: number;
}

/** A horizontal line to compare with. */
export interface Baseline {
  /** Where it lies. */
  value: number;
  /** What it is, for the legend. */
  label?: string;
}

/** What {@linkcode linePlot} draws. */
export interface LinePlotOptions {
  /** Shown above the plot, and its accessible name. */
  title: string;
  /** What the horizontal axis measures. */
  xLabel: string;
  /** What the vertical axis measures. */
  yLabel: string;
  /** The curves. */
  series: readonly LineSeries[];
  /** In pixels, at least 160; default 720. */
  width?: number;
  /** In pixels, at least 120; default 320. */
  height?: number;
  /** The vertical scale; on `"log"` values that are not positive are gaps. Default `"linear"`. */
  yScale?: "linear" | "log";
  /** The horizontal scale; on `"log"` places that are not positive cannot be shown. Default `"linear"`. */
  xScale?: "linear" | "log";
  /** How values are written: `"percent"` shows 0.5 as 50%. Default `"number"`. */
  yFormat?: "number" | "percent";
  /** Marks each point of curves with at most 200 points. Default `false`. */
  markers?: boolean;
  /** Draws the curves faintly and a smoothed curve over each: the window's share of the points, 0 (none) to 1. Default 0. */
  smoothing?: number;
  /** A dashed horizontal line. */
  baseline?: Baseline;
  /** Where the curves' names stand: in a legend above, or `direct`: at their ends. Default `legend`. */
  labels?: "legend" | "direct";
}

/** Curves with more points are drawn without markers. */
const MOST_MARKERS = 200;

/**
 * Draws curves as an SVG that needs nothing else: axes with round ticks, a grid, a legend if there are several curves.
 * Values that are not finite break a curve and are marked at the bottom by small crosses. Any number of points is thinned
 * to what the pixels can show.
 *
 * @param options What to draw.
 * @returns An SVG document.
 * @throws {DataError} If a series has not as many values as places, or the size is too small.
 *
 * @example
 * ```ts
 * import { linePlot } from "@berth/berth/report";
 *
 * const svg = linePlot({
 *   title: "Training loss",
 *   xLabel: "step",
 *   yLabel: "loss",
 *   series: [{ name: "loss", x: [1, 2, 3], y: [0.69, 0.51, 0.4] }],
 * });
 * console.log(svg.startsWith("<svg"));
 * ```
 */
export function linePlot(options: LinePlotOptions): string {
  return drawLinePlot(options, "alone").text;
}

/** Draws for a place (on the page, its heading stands for the vertical label); see {@linkcode linePlot}. */
export function drawLinePlot(options: LinePlotOptions, place: Place): Markup {
  const { title, width = 720, height = 320, baseline } = options;
  check(options, width, height);
  const log = options.yScale === "log";
  const usable = (y: number) => Math.abs(y) <= LARGEST && (!log || y > 0);
  const curves = options.series.flatMap((series, i) => curvesOf(series, i, options, usable));
  const direct = options.labels === "direct", begin = contentTop(title, place);
  const legend = direct ? { drawing: [], bottom: begin } : drawLegend(curves, baseline?.label, begin, width);
  const top = legend.bottom + (place === "page" || options.yLabel === "" ? 4 : 22);
  const bottom = height - (options.xLabel === "" ? 28 : 46);

  const extra = baseline !== undefined && usable(baseline.value) ? [baseline.value] : [];
  const [low, high] = rangeOf(curves.map((curve) => curve.y), usable, extra) ?? [NaN, NaN];
  const logX = options.xScale === "log", isPlace = (x: number) => Math.abs(x) <= LARGEST && (!logX || x > 0);
  const [xLow, xHigh] = rangeOf(curves.map((curve) => curve.x), isPlace) ?? [NaN, NaN];
  const frame = { title, description: describe(options, usable), width, height, place };
  if (Number.isNaN(low) || Number.isNaN(xLow)) {
    return svgFrame(frame, emptyPlot(width, height));
  }

  const count = Math.max(2, Math.floor((bottom - top) / 44));
  const yAxis = (log ? logAxis : linearAxis)(low, high, { count, percent: options.yFormat === "percent" });
  const left = PAD + Math.max(16, ...yAxis.ticks.map((tick) => textWidth(yAxis.label(tick)))) + 8;
  const whole = curves.every((curve) => allWhole(curve.x));
  const makeXAxis = (count: number) =>
    logX ? logAxis(xLow, xHigh, { count }) : linearAxis(xLow, xHigh, { count, whole, tight: true });
  const names = [...curves.map(({ label }) => label), baseline?.label ?? ""].filter((name) => name !== "");
  const room = direct ? endLabelRoom(names, width) : 0;
  const { axis: xAxis, right } = fitXAxis(makeXAxis, left, width - room);
  const area: Area = { left, right, top, bottom, xAxis, yAxis };
  return svgFrame(frame, [
    drawAxes(area, options.xLabel, place === "page" ? "" : options.yLabel),
    baseline !== undefined && extra.length > 0 && drawBaseline(area, baseline.value),
    curves.map((curve) => drawCurve(area, curve, usable, options.series.length > 1)),
    legend.drawing,
    room > 0 && drawEndLabels(endsOf(area, curves, usable, baseline), right, room + PAD, top, bottom),
  ]);
}

/** Where each named curve ends: the height of its last value. */
function endsOf(
  { top, bottom, yAxis }: Area,
  curves: readonly Curve[],
  usable: (y: number) => boolean,
  baseline: Baseline | undefined,
): EndLabel[] {
  const place = (y: number) => bottom - yAxis.place(y) * (bottom - top);
  const ends = curves.flatMap(({ label, y, colour }): EndLabel[] => {
    const last = Array.from(y).findLast(usable);
    return label === "" || last === undefined ? [] : [{ text: label, y: place(last), colour }];
  });
  return baseline?.label ? [...ends, { text: baseline.label, y: place(baseline.value) }] : ends;
}

function check(options: LinePlotOptions, width: number, height: number): void {
  if (!(width >= 160 && width <= 10_000 && height >= 120 && height <= 10_000)) {
    throw new DataError(
      `Cannot plot "${options.title}": its size is ${width} x ${height} pixels, wanted 160 x 120 to 10,000 x 10,000`,
    );
  }
  for (const { name, x, y } of options.series) {
    if (x.length === y.length) continue;
    throw new DataError(
      `Cannot plot "${options.title}": series "${name}" has ${x.length} places and ${y.length} values, wanted as many`,
    );
  }
}

/** The given curve, and over it the smoothed one if that is wanted. */
function curvesOf(
  series: LineSeries,
  index: number,
  options: LinePlotOptions,
  usable: (y: number) => boolean,
): Curve[] {
  const { name, x, y, markers = options.markers ?? false, smoothing = options.smoothing ?? 0 } = series;
  const hasMarks = markers && x.length <= MOST_MARKERS;
  const raw: Curve = { ...{ name, label: name, x, y }, ...styleOf(index), faint: false, markers: hasMarks };
  if (!(smoothing > 0)) return [raw];
  const log = options.yScale === "log";
  const values = Array.from(y, (value) => !usable(value) ? NaN : log ? Math.log(value) : value);
  const smooth = smoothCurve(x, values, Math.min(1, smoothing));
  if (smooth.x.length === 0) return [raw];
  const range = rangeOf([y], usable)!;
  smooth.y = smooth.y.map((value) => Math.min(range[1], Math.max(range[0], log ? Math.exp(value) : value)));
  return [{ ...raw, label: "", faint: true }, {
    ...raw,
    ...smooth,
    name: `${name}, smoothed`,
    markers: false,
  }];
}

/** The lowest and highest usable value, or nothing. */
function rangeOf(
  lists: readonly ArrayLike<number>[],
  usable: (value: number) => boolean,
  extra: readonly number[] = [],
): [number, number] | undefined {
  let low = Infinity, high = -Infinity;
  for (const list of [...lists, extra]) {
    for (let i = 0; i < list.length; i++) {
      if (!usable(list[i])) continue;
      low = Math.min(low, list[i]);
      high = Math.max(high, list[i]);
    }
  }
  return low <= high ? [low, high] : undefined;
}

function allWhole(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isInteger(values[i]) && Number.isFinite(values[i])) return false;
  }
  return true;
}

/** Where the curves lie, in pixels. */
interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
  xAxis: Axis;
  yAxis: Axis;
}

/** The most ticks whose labels do not touch, and the right edge that leaves room for the last label. */
function fitXAxis(
  make: (count: number) => Axis,
  left: number,
  width: number,
): { axis: Axis; right: number } {
  for (let count = 10;; count--) {
    const axis = make(count);
    const widest = Math.max(0, ...axis.ticks.map((tick) => textWidth(axis.label(tick))));
    const right = width - PAD - Math.min(widest / 2, 24);
    const gap = axis.ticks.length < 2
      ? Infinity
      : (axis.place(axis.ticks[1]) - axis.place(axis.ticks[0])) * (right - left);
    if (count <= 2 || gap >= widest + 18) return { axis, right };
  }
}

/** Draws grid, ticks and the labels that are not empty. */
function drawAxes({ left, right, top, bottom, xAxis, yAxis }: Area, xLabel: string, yLabel: string): Markup {
  const y = (tick: number) => round(bottom - yAxis.place(tick) * (bottom - top));
  const x = (tick: number) => round(left + xAxis.place(tick) * (right - left));
  const grid = yAxis.ticks.map((tick) => `M${round(left)} ${y(tick)}H${round(right)}`).join("");
  const marks = xAxis.ticks.map((tick) => `M${x(tick)} ${bottom}v5`).join("");
  return markup`<path class="rule grid" fill="none" d="${grid}"/>${
    yAxis.ticks.map((tick) =>
      markup`<text class="muted end" x="${round(left - 8)}" y="${round(y(tick) + 4.5)}">${
        yAxis.label(tick)
      }</text>`
    )
  }<path class="rule axis" fill="none" d="M${round(left)} ${bottom}H${round(right)}${marks}"/>${
    xAxis.ticks.map((tick) =>
      markup`<text class="muted middle" x="${x(tick)}" y="${bottom + 19}">${xAxis.label(tick)}</text>`
    )
  }${
    yLabel !== "" &&
    markup`<text class="muted" x="${PAD}" y="${round(top - 12)}">${fitText(yLabel, right - PAD)}</text>`
  }${
    xLabel !== "" &&
    markup`<text class="muted middle" x="${round((left + right) / 2)}" y="${bottom + 38}">${
      fitText(xLabel, right - left)
    }</text>`
  }`;
}

function drawBaseline({ left, right, top, bottom, yAxis }: Area, value: number): Markup {
  const y = round(bottom - yAxis.place(value) * (bottom - top));
  return markup`<path class="rule base dashed" fill="none" d="M${round(left)} ${y}H${round(right)}"/>`;
}

function drawCurve(area: Area, curve: Curve, usable: (y: number) => boolean, several: boolean): Markup {
  const { left, right, top, bottom, xAxis, yAxis } = area;
  const px = Float64Array.from(curve.x, (x) => left + xAxis.place(x) * (right - left));
  const py = Float64Array.from(curve.y, (y) => usable(y) ? bottom - yAxis.place(y) * (bottom - top) : NaN);
  const kept = keptPoints(px, py, right - left);
  const style = `curve s${curve.colour}${curve.faint ? " faint" : ""}`;
  return markup`<path class="${style}"${dashOf(curve.dash, several && !curve.markers)} fill="none" d="${
    pathData(kept, px, py)
  }"/>${lostMarks(px, py, bottom)}${
    (curve.markers || soloPoint(kept)) && kept.filter((index) =>
      index !== GAP
    ).map((index) =>
      markup`<g class="f${curve.colour}">${marker(curve.colour, px[index], py[index])}<title>${curve.name} ${
        formatNumber(curve.x[index], 6)
      }: ${formatNumber(curve.y[index], 4)}</title></g>`
    )
  }`;
}

/** Whether a curve has no line at all, so that a lone point needs a mark. */
function soloPoint(kept: readonly number[]): boolean {
  return kept.length > 0 && kept.length <= 2 * 8 &&
    kept.every((index, i) => (i % 2 === 0) === (index !== GAP));
}

/** Small crosses at the bottom where a value is missing, one a pixel column. */
function lostMarks(px: Float64Array, py: Float64Array, bottom: number): Markup | false {
  const columns = new Set<number>();
  for (let i = 0; i < px.length; i++) {
    if (Number.isNaN(py[i]) && !Number.isNaN(px[i])) columns.add(Math.floor(px[i] / 3) * 3);
  }
  if (columns.size === 0) return false;
  const data = [...columns].map((x) => `M${x - 2} ${bottom - 6}l4 4m0 -4l-4 4`).join("");
  return markup`<path class="rule lost" fill="none" d="${data}"/>`;
}

function emptyPlot(width: number, height: number): Markup {
  return markup`<text class="muted middle" x="${width / 2}" y="${height / 2}">no finite values</text>`;
}

/** The plot in words. */
function describe(options: LinePlotOptions, usable: (y: number) => boolean): string {
  const parts = options.series.map(({ name, y }) => {
    const values = Array.from(y).filter(usable);
    const lost = y.length - values.length;
    const missing = lost === 0 ? "" : `, ${lost} not shown because they are not finite or out of range`;
    if (values.length === 0) return `${name}: no finite values${missing}.`;
    const [low, high] = rangeOf([values], usable)!;
    return `${name}: ${values.length} values from ${formatNumber(values[0])} to ${
      formatNumber(values[values.length - 1])
    }, lowest ${formatNumber(low)}, highest ${formatNumber(high)}${missing}.`;
  });
  return `Line plot of ${options.yLabel} over ${options.xLabel}. ${parts.join(" ")}`;
}
