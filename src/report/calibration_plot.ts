/**
 * Reliability diagrams: how often answers of each confidence are right, with how many there are, as one SVG.
 *
 * @module
 */

import { type Markup, markup } from "./markup.ts";
import { formatCount, formatPercent } from "./number.ts";
import { linearAxis } from "./scale.ts";
import { round } from "./series.ts";
import { contentTop, PAD, svgFrame } from "./svg.ts";
import type { Place } from "./theme.ts";
import type { CalibrationCard } from "./types.ts";

/** Pixels: the square of the diagram, and the counts below it. */
const SIZE: Readonly<Record<Place, { width: number; plot: number; counts: number }>> = {
  page: { width: 400, plot: 220, counts: 46 },
  alone: { width: 460, plot: 300, counts: 60 },
};

/** One bin that has examples. */
interface Bin {
  lower: number;
  upper: number;
  count: number;
  confidence: number;
  accuracy: number;
}

/** The bins that have examples. */
export function filledBins({ bins }: CalibrationCard): Bin[] {
  return bins.flatMap(({ confidence, accuracy, ...bin }) =>
    bin.count > 0 && confidence !== null && accuracy !== null ? [{ ...bin, confidence, accuracy }] : []
  );
}

/** Draws the diagram: bars of accuracy against the diagonal, the gap to it outlined, and bars of counts below. */
export function drawReliability(card: CalibrationCard, title: string, place: Place): Markup {
  const { width, plot, counts } = SIZE[place], begin = contentTop(title, place), filled = filledBins(card);
  const least = Math.min(0.5, ...filled.map(({ lower }) => lower)), from = Math.floor(least * 10 + 1e-9) / 10;
  const left = PAD + 44, right = width - PAD - 8, top = begin + 18, bottom = top + plot;
  const xAxis = linearAxis(from, 1, { count: 5, tight: true, percent: true });
  const yAxis = linearAxis(0, 1, { count: 5, tight: true, percent: true });
  const x = (value: number) => round(left + xAxis.place(value) * (right - left));
  const y = (value: number) => round(bottom - yAxis.place(value) * (bottom - top));
  const base = bottom + 20 + counts, most = Math.max(1, ...filled.map(({ count }) => count));
  const height = base + 44;
  const bars = filled.map((bin) => drawBin(bin, { x, y, bottom, base, scale: counts / most }));
  const grid = yAxis.ticks.map((tick) => `M${left} ${y(tick)}H${right}`).join("");
  const drawing = markup`<path class="rule grid" fill="none" d="${grid}"/>${
    yAxis.ticks.map((tick) =>
      markup`<text class="muted end" x="${left - 8}" y="${round(y(tick) + 4.5)}">${yAxis.label(tick)}</text>`
    )
  }<text class="muted" x="${PAD}" y="${
    begin + 8
  }">right</text>${bars}<path class="rule base dashed" fill="none" d="M${x(from)} ${y(from)}L${x(1)} ${
    y(1)
  }"/><path class="rule axis" fill="none" d="M${left} ${bottom}H${right}M${left} ${base}H${right}"/><text class="muted end small" x="${
    left - 8
  }" y="${round(base - counts / 2 + 4)}">count</text>${
    xAxis.ticks.map((tick) =>
      markup`<text class="muted middle" x="${x(tick)}" y="${base + 17}">${xAxis.label(tick)}</text>`
    )
  }<text class="muted middle" x="${round((left + right) / 2)}" y="${base + 36}">confidence</text>`;
  return svgFrame({ title, description: describe(card, filled), width, height, place }, drawing);
}

/** Scales of the two parts. */
interface Places {
  x(value: number): number;
  y(value: number): number;
  bottom: number;
  base: number;
  scale: number;
}

function drawBin(bin: Bin, { x, y, bottom, base, scale }: Places): Markup {
  const { lower, upper, count, confidence, accuracy } = bin;
  const begin = x(lower) + 1, wide = round(Math.max(1, x(upper) - x(lower) - 2));
  const name = `${formatPercent(lower, 0)} to ${formatPercent(upper, 0)}: ${formatCount(count)} examples, ${
    formatPercent(confidence)
  } sure, ${formatPercent(accuracy)} right`;
  const tall = Math.max(1, count * scale), [low, high] = wilson(accuracy, count);
  const middle = round(begin + wide / 2);
  return markup`<g><rect class="f0" fill-opacity="0.55" x="${begin}" y="${
    y(accuracy)
  }" width="${wide}" height="${
    round(bottom - y(accuracy))
  }"/><path class="rule base" fill="none" d="M${middle} ${y(low)}V${
    y(high)
  }"/><path class="curve s1" d="M${begin} ${y(confidence)}h${wide}"/><rect class="f5" x="${begin}" y="${
    round(base - tall)
  }" width="${wide}" height="${round(tall)}"/><title>${name}</title></g>`;
}

/** Wilson's 95 % interval of a share of `count` examples. */
export function wilson(share: number, count: number): [low: number, high: number] {
  const z2 = 1.959963984540054 ** 2, middle = share + z2 / (2 * count), scale = 1 / (1 + z2 / count);
  const half = Math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count * count)));
  return [Math.max(0, (middle - half) * scale), Math.min(1, (middle + half) * scale)];
}

function describe({ ece }: CalibrationCard, filled: readonly Bin[]): string {
  const bins = filled.map(({ lower, upper, count, confidence, accuracy }) =>
    `${formatPercent(lower, 0)} to ${formatPercent(upper, 0)}: ${formatCount(count)} examples, ${
      formatPercent(confidence)
    } sure, ${formatPercent(accuracy)} right.`
  );
  return `Reliability diagram. Expected calibration error ${formatPercent(ece)}. ${bins.join(" ")}`;
}
