/**
 * Histograms: how many values lie in each of several ranges, as one SVG.
 *
 * @module
 */

import { type Markup, markup } from "./markup.ts";
import { formatCount, formatNumber } from "./number.ts";
import { linearAxis } from "./scale.ts";
import { round } from "./series.ts";
import { contentTop, PAD, svgFrame, textWidth } from "./svg.ts";
import type { Place } from "./theme.ts";

/** Values from `from` to `to`. */
export interface HistogramBin {
  from: number;
  to: number;
  count: number;
}

/** What is drawn. */
export interface Histogram {
  title: string;
  xLabel: string;
  bins: readonly HistogramBin[];
  /** A place on the horizontal axis to mark, with its name. */
  mark?: { at: number; label: string };
}

const SIZE: Readonly<Record<Place, { width: number; height: number }>> = {
  page: { width: 400, height: 230 },
  alone: { width: 720, height: 320 },
};

/** Counts values in at most `most` ranges of one width with round ends. */
export function countInBins(values: readonly number[], most = 24, whole = false): HistogramBin[] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [];
  const low = finite.reduce((a, b) => Math.min(a, b)), high = finite.reduce((a, b) => Math.max(a, b));
  const { ticks } = linearAxis(low, high, { count: Math.max(2, most / 4), tight: true, whole });
  const wide = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  let width = wide / 4;
  if (whole) width = Math.max(1, Math.ceil(width));
  const first = Math.floor(low / width), count = Math.floor(high / width) - first + 1;
  const bins = Array.from({ length: count }, (_, i) => {
    const from = Number(((first + i) * width).toPrecision(12));
    return {
      from,
      to: Number((whole ? from + width - 1 : (first + i + 1) * width).toPrecision(12)),
      count: 0,
    };
  });
  for (const value of finite) {
    bins[Math.min(count - 1, Math.max(0, Math.floor(value / width) - first))].count++;
  }
  return bins;
}

/** Draws bars without gaps; each names its range and count. */
export function drawHistogram({ title, xLabel, bins, mark }: Histogram, place: Place): Markup {
  const { width, height } = SIZE[place], begin = contentTop(title, place);
  const top = begin + (mark ? 22 : 8),
    bottom = height - 46,
    total = bins.reduce((sum, { count }) => sum + count, 0);
  const description = `Histogram of ${xLabel}, ${formatCount(total)} in all. ${
    bins.filter(({ count }) => count > 0).map((bin) => `${rangeOf(bin)}: ${formatCount(bin.count)}.`).join(
      " ",
    )
  }`;
  const frame = { title, description, width, height, place };
  if (total === 0) {
    return svgFrame(
      frame,
      markup`<text class="muted middle" x="${width / 2}" y="${height / 2}">no values</text>`,
    );
  }
  const step = bins.length > 1 ? bins[1].from - bins[0].from : Math.max(1, bins[0].to - bins[0].from);
  const shift = bins[0].to - bins[0].from < step ? 0.5 : 0; // whole numbers stand in the middles of their bars
  const low = bins[0].from - shift, high = bins[bins.length - 1].from + step - shift;
  const yAxis = linearAxis(0, Math.max(...bins.map(({ count }) => count)), { count: 4, whole: true });
  const left = PAD + Math.max(16, ...yAxis.ticks.map((tick) => textWidth(yAxis.label(tick)))) + 8,
    right = width - PAD - 16;
  const xAxis = linearAxis(low, high, { count: 7, tight: true });
  const px = (value: number) => round(left + xAxis.place(value) * (right - left));
  const py = (value: number) => round(bottom - yAxis.place(value) * (bottom - top));
  const bars = bins.filter(({ count }) => count > 0).map((bin) => {
    const wide = round(Math.max(1, px(bin.from + step) - px(bin.from) - 1));
    return markup`<g><rect class="f0" x="${px(bin.from - shift)}" y="${
      py(bin.count)
    }" width="${wide}" height="${round(bottom - py(bin.count))}"/><title>${rangeOf(bin)}: ${
      formatCount(bin.count)
    }</title></g>`;
  });
  const grid = yAxis.ticks.map((tick) => `M${round(left)} ${py(tick)}H${right}`).join("");
  const marked = mark && mark.at >= low && mark.at <= high &&
    markup`<path class="rule base dashed" fill="none" d="M${px(mark.at)} ${bottom}V${
      top - 6
    }"/><text class="muted end" x="${round(px(mark.at) - 6)}" y="${top - 4}">${mark.label}</text>`;
  return svgFrame(
    frame,
    markup`<path class="rule grid" fill="none" d="${grid}"/>${
      yAxis.ticks.map((tick) =>
        markup`<text class="muted end" x="${round(left - 8)}" y="${round(py(tick) + 4.5)}">${
          yAxis.label(tick)
        }</text>`
      )
    }${bars}<path class="rule axis" fill="none" d="M${round(left)} ${bottom}H${right}"/>${
      xAxis.ticks.map((tick) =>
        markup`<text class="muted middle" x="${px(tick)}" y="${bottom + 19}">${xAxis.label(tick)}</text>`
      )
    }<text class="muted middle" x="${round((left + right) / 2)}" y="${
      bottom + 38
    }">${xLabel}</text>${marked}`,
  );
}

function rangeOf({ from, to }: HistogramBin): string {
  return from === to ? formatNumber(from, 4) : `${formatNumber(from, 4)} to ${formatNumber(to, 4)}`;
}
