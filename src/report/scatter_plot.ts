/**
 * Scatter plots of predicted over expected numbers, with the line on which both are equal, as one SVG.
 *
 * @module
 */

import { type Markup, markup } from "./markup.ts";
import { formatCount, formatNumber } from "./number.ts";
import { LARGEST, linearAxis } from "./scale.ts";
import { round } from "./series.ts";
import { contentTop, PAD, svgFrame, textWidth } from "./svg.ts";
import type { Place } from "./theme.ts";

/** What is drawn. */
export interface Scatter {
  title: string;
  xLabel: string;
  yLabel: string;
  x: readonly number[];
  y: readonly number[];
  /** The line to compare with: `y = x`, or `y = 0`. */
  line: "equal" | "zero";
}

const SIZE: Readonly<Record<Place, { width: number; height: number }>> = {
  page: { width: 400, height: 320 },
  alone: { width: 560, height: 440 },
};

/** Draws the points; those that are not finite are left out and counted in the description. */
export function drawScatter({ title, xLabel, yLabel, x, y, line }: Scatter, place: Place): Markup {
  const { width, height } = SIZE[place], begin = contentTop(title, place);
  const usable = x.map((_, i) => i).filter((i) => Math.abs(x[i]) <= LARGEST && Math.abs(y[i]) <= LARGEST);
  const range = (values: readonly number[], also: readonly number[] = []): [number, number] => {
    const all = [...also, ...usable.map((i) => values[i])];
    return [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), -Infinity)];
  };
  const description = `Scatter plot of ${yLabel} over ${xLabel}, ${formatCount(usable.length)} points` +
    (usable.length < x.length ? `, ${formatCount(x.length - usable.length)} more not finite` : "") + ".";
  const frame = { title, description, width, height, place };
  if (usable.length === 0) {
    return svgFrame(
      frame,
      markup`<text class="muted middle" x="${width / 2}" y="${height / 2}">no finite values</text>`,
    );
  }
  const both = range(x, range(y));
  const [xLow, xHigh] = line === "equal" ? both : range(x),
    [yLow, yHigh] = line === "equal" ? both : range(y, [0]);
  const top = begin + 22, bottom = height - 46;
  const yAxis = linearAxis(yLow, yHigh, { count: 6 });
  const left = PAD + Math.max(16, ...yAxis.ticks.map((tick) => textWidth(yAxis.label(tick)))) + 8,
    right = width - PAD - 16;
  const xAxis = linearAxis(xLow, xHigh, { count: 6 });
  const px = (value: number) => round(left + xAxis.place(value) * (right - left));
  const py = (value: number) => round(bottom - yAxis.place(value) * (bottom - top));
  const [first, last] = [xAxis.ticks[0], xAxis.ticks[xAxis.ticks.length - 1]];
  const ideal = line === "equal"
    ? `M${px(both[0])} ${py(both[0])}L${px(both[1])} ${py(both[1])}`
    : `M${px(first)} ${py(0)}H${px(last)}`;
  const r = usable.length > 500 ? 2 : 3;
  const grid = yAxis.ticks.map((tick) => `M${round(left)} ${py(tick)}H${right}`).join("");
  const marks = xAxis.ticks.map((tick) => `M${px(tick)} ${bottom}v5`).join("");
  return svgFrame(
    frame,
    markup`<path class="rule grid" fill="none" d="${grid}"/>${
      yAxis.ticks.map((tick) =>
        markup`<text class="muted end" x="${round(left - 8)}" y="${round(py(tick) + 4.5)}">${
          yAxis.label(tick)
        }</text>`
      )
    }<path class="rule axis" fill="none" d="M${round(left)} ${bottom}H${right}${marks}"/>${
      xAxis.ticks.map((tick) =>
        markup`<text class="muted middle" x="${px(tick)}" y="${bottom + 19}">${xAxis.label(tick)}</text>`
      )
    }<text class="muted" x="${PAD}" y="${begin + 8}">${yLabel}</text><text class="muted middle" x="${
      round((left + right) / 2)
    }" y="${bottom + 38}">${xLabel}</text><g class="f0" fill-opacity="0.55">${
      usable.map((i) =>
        markup`<circle cx="${px(x[i])}" cy="${py(y[i])}" r="${r}"><title>${formatNumber(x[i], 4)}: ${
          formatNumber(y[i], 4)
        }</title></circle>`
      )
    }</g><path class="rule base dashed" fill="none" d="${ideal}"/>`,
  );
}
