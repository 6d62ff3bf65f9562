/**
 * Bar plots: one or several values of each class, as horizontal bars in one self-contained SVG.
 *
 * @module
 */

import { DataError } from "../errors.ts";
import { type Markup, markup } from "./markup.ts";
import { formatCount, formatPercent } from "./number.ts";
import { round } from "./series.ts";
import { contentTop, fitText, PAD, svgFrame, textWidth } from "./svg.ts";
import { type Place, SERIES_COLOURS } from "./theme.ts";

/** One value of each class. */
export interface BarSeries {
  /** Its name in the legend. */
  name: string;
  /** Its values, one a label, from 0 up; a value that is not finite has no bar. */
  values: ArrayLike<number>;
}

/** What {@linkcode barPlot} draws. */
export interface BarPlotOptions {
  /** Shown above the plot, and its accessible name. */
  title: string;
  /** The classes. */
  labels: readonly string[];
  /** What is measured of them; at most six. */
  series: readonly BarSeries[];
  /** How values are written: `"percent"` shows 0.5 as 50% on a scale to 100%. Default `"number"`. */
  format?: "number" | "percent";
  /** Where the scale of shares ends: at 100 % (`whole`, the default) or at the largest value. */
  scale?: "whole" | "largest";
  /** In pixels, at least 240; default 460. The height follows from the bars. */
  width?: number;
  /** With more labels, the first ones are drawn and the number of others is written below. Default 40. */
  maxLabels?: number;
}

const THICKNESS = 14; // of one bar
const SPACING = 12; // between two labels' bars

/**
 * Draws horizontal bars as an SVG that needs nothing else, each with its value beside it; a legend if there are
 * several series.
 *
 * @param options What to draw.
 * @returns An SVG document.
 * @throws {DataError} If a series has not a value for each label, a value is negative, there are over six series, or
 * the width is too small.
 *
 * @example
 * ```ts
 * import { barPlot } from "@berth/berth/report";
 *
 * const svg = barPlot({
 *   title: "F1 of each class",
 *   labels: ["negative", "positive"],
 *   series: [{ name: "F1", values: [0.86, 0.87] }],
 *   format: "percent",
 * });
 * console.log(svg.startsWith("<svg"));
 * ```
 */
export function barPlot(options: BarPlotOptions): string {
  return drawBarPlot(options, "alone").text;
}

/** Draws for a place; see {@linkcode barPlot}. */
export function drawBarPlot(options: BarPlotOptions, place: Place): Markup {
  const { title, series, format = "number", scale = "whole", width = 460, maxLabels = 40 } = options;
  check(options, width);
  const labels = options.labels.slice(0, maxLabels);
  const write = (value: number) => format === "percent" ? formatPercent(value) : formatCount(value);
  const legend = series.length > 1 ? drawLegend(series, contentTop(title, place), width) : undefined;
  const top = legend?.bottom ?? contentTop(title, place);
  const left = PAD + Math.min(width * 0.52, Math.max(0, ...labels.map((label) => textWidth(label)))) + 10;
  const values = labels.flatMap((_, k) => series.map((one) => one.values[k]));
  const finite = values.filter(Number.isFinite);
  const most = Math.max(...finite, format === "percent" && scale === "whole" ? 1 : 0) || 1;
  const right = width - PAD - Math.max(0, ...values.map((value) => textWidth(write(value)))) - 8;
  const row = THICKNESS * series.length + 2 * (series.length - 1) + SPACING;
  const bars = labels.map((label, k) => {
    const y = top + k * row + SPACING / 2;
    const middle = round(y + (row - SPACING) / 2 + 4.5);
    return markup`<text class="ink end" x="${round(left - 10)}" y="${middle}">${
      fitText(label, left - PAD - 10)
    }<title>${label}</title></text>${
      series.map((one, i) => drawBar({ left, right, most, y: y + i * (THICKNESS + 2) }, one, k, i, write))
    }`;
  });
  const hidden = options.labels.length - labels.length;
  const bottom = top + row * labels.length;
  const note = hidden > 0 &&
    markup`<text class="muted" x="${PAD}" y="${bottom + 16}">${formatCount(hidden)} more not shown</text>`;
  const empty = labels.length === 0 &&
    markup`<text class="muted" x="${PAD}" y="${bottom + 16}">no values</text>`;
  const height = Math.ceil(bottom + (note || empty ? 24 : 0) + PAD);
  return svgFrame({ title, description: describe(options, write), width, height, place }, [
    legend?.drawing,
    bars,
    note,
    empty,
  ]);
}

function check({ title, labels, series }: BarPlotOptions, width: number): void {
  if (!(width >= 240 && width <= 10_000)) {
    throw new DataError(`Cannot plot "${title}": its width is ${width} pixels, wanted 240 to 10,000`);
  }
  if (series.length > SERIES_COLOURS) {
    throw new DataError(
      `Cannot plot "${title}": there are ${series.length} series, wanted at most ${SERIES_COLOURS}`,
    );
  }
  for (const { name, values } of series) {
    if (values.length !== labels.length) {
      throw new DataError(
        `Cannot plot "${title}": series "${name}" has ${values.length} values for ${labels.length} labels, wanted as many`,
      );
    }
    const negative = Array.from(values).find((value) => value < 0);
    if (negative !== undefined) {
      throw new DataError(
        `Cannot plot "${title}": series "${name}" has ${negative}, wanted values from 0 up`,
      );
    }
  }
}

/** One bar on its track, its value at the end of the track. */
function drawBar(
  { left, right, most, y }: { left: number; right: number; most: number; y: number },
  { values }: BarSeries,
  k: number,
  colour: number,
  write: (value: number) => string,
): Markup {
  const value = values[k];
  const length = Number.isFinite(value) ? value / most * (right - left) : 0;
  const box = (width: number) =>
    markup`x="${round(left)}" y="${round(y)}" width="${round(width)}" height="${THICKNESS}" rx="2"`;
  return markup`<rect class="track" ${box(right - left)}/>${
    length > 0 && markup`<rect class="f${colour}" ${box(length)}/>`
  }<text class="ink" x="${round(right + 8)}" y="${round(y + THICKNESS / 2 + 4.5)}">${write(value)}</text>`;
}

function drawLegend(
  series: readonly BarSeries[],
  top: number,
  width: number,
): { drawing: Markup[]; bottom: number } {
  let x = PAD, y = top;
  const drawing = series.map(({ name }, i) => {
    const text = fitText(name, width - 2 * PAD - 20);
    const needed = 20 + textWidth(text);
    if (x > PAD && x + needed > width - PAD) {
      x = PAD;
      y += 20;
    }
    const entry = markup`<rect class="f${i}" x="${round(x)}" y="${y + 2}" width="12" height="12" rx="2"/>
<text class="ink" x="${round(x + 19)}" y="${y + 12.5}">${text}</text>`;
    x += needed + 16;
    return entry;
  });
  return { drawing, bottom: y + 26 };
}

/** The first values in words. */
function describe({ labels, series }: BarPlotOptions, write: (value: number) => string): string {
  const rows = labels.slice(0, 20).map((label, k) =>
    `${label}: ${series.map((one) => `${one.name} ${write(one.values[k])}`).join(", ")}.`
  );
  const more = labels.length > rows.length ? ` And ${formatCount(labels.length - rows.length)} more.` : "";
  return `Bar plot. ${rows.join(" ")}${more}`;
}
