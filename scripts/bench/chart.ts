/** The ratios of a suite as bars on a logarithmic scale around 1, each with its goal marked; an SVG. */
import { type Markup, markup } from "../../src/report/markup.ts";
import { logAxis } from "../../src/report/scale.ts";
import { round } from "../../src/report/series.ts";
import { contentTop, fitText, PAD, svgFrame, textWidth } from "../../src/report/svg.ts";
import type { Row } from "./harness.ts";
import { formatRatio } from "./table.ts";

const WIDTH = 900, ROW = 24, THICKNESS = 14;
/** Share of the width that the names may take. */
const NAMES = 0.58;

/** How many times better than a peer: of times theirs / ours, of rates ours / theirs. */
export function advantage(row: Row): { value: number; goal?: number } | undefined {
  if (row.peer === undefined || row.ratio === undefined || !(row.ratio > 0) || !Number.isFinite(row.ratio)) {
    return undefined;
  }
  const isRate = !/^m?s$/.test(row.ours.unit), turn = (ratio: number) => isRate ? ratio : 1 / ratio;
  return { value: turn(row.ratio), ...row.limit !== undefined && { goal: turn(row.limit) } };
}

/**
 * Draws the rows that have a ratio. Bars begin at 1 (equal): to the right berth is faster. The goal is a stroke; bars that
 * miss it have the other colour.
 *
 * @returns An SVG document, or nothing if no row has a ratio.
 */
export function ratioChart(title: string, rows: readonly Row[]): string | undefined {
  const bars = rows.flatMap((row) => {
    const found = advantage(row);
    return found ? [{ ...found, name: `${row.work}: ${row.peer}`, met: row.met }] : [];
  });
  if (bars.length === 0) return undefined;
  const top = contentTop(title, "alone") + 20;
  const left = PAD + Math.min(WIDTH * NAMES, Math.max(...bars.map(({ name }) => textWidth(name)))) + 10;
  const right = WIDTH - PAD - 62;
  const values = bars.flatMap(({ value, goal }) => [value, goal ?? 1]);
  const low = Math.min(0.5, ...values), high = Math.max(2, ...values);
  const axis = logAxis(low, high, { count: 6 }),
    at = (value: number) => left + axis.place(value) * (right - left);
  const bottom = top + bars.length * ROW;
  const height = Math.ceil(bottom + 34);
  const description = `Bars of how many times faster than each peer. ${
    bars.map(({ name, value }) => `${name} ${formatRatio(value)}.`).join(" ")
  }`;
  const grid = axis.ticks.map((tick) =>
    markup`<path class="rule grid" d="M${round(at(tick))} ${top}V${bottom}"/>
<text class="muted small middle" x="${round(at(tick))}" y="${bottom + 15}">${axis.label(tick)} x</text>`
  );
  return svgFrame({ title, description, width: WIDTH, height, place: "alone" }, [
    markup`<text class="muted small" x="${PAD}" y="${
      top - 8
    }">times as fast as the peer; the stroke is the goal</text>`,
    grid,
    markup`<path class="rule axis" d="M${round(at(1))} ${top}V${bottom}"/>`,
    bars.map((bar, i) => drawBar(bar, top + i * ROW, left, right, at)),
  ]).text;
}

function drawBar(
  { name, value, goal, met }: { name: string; value: number; goal?: number; met?: boolean },
  y: number,
  left: number,
  right: number,
  at: (value: number) => number,
): Markup {
  const from = Math.min(at(1), at(value)), length = Math.abs(at(value) - at(1)), middle = y + ROW / 2;
  const stroke = goal !== undefined &&
    markup`<path class="rule base" stroke-width="2" d="M${round(at(goal))} ${y + 2}V${y + ROW - 2}"/>`;
  return markup`<text class="ink end" x="${round(left - 10)}" y="${middle + 4.5}">${
    fitText(name, left - PAD - 10)
  }<title>${name}</title></text>
<rect class="${met === false ? "miss" : "hit"}" x="${round(from)}" y="${middle - THICKNESS / 2}" width="${
    round(Math.max(1, length))
  }" height="${THICKNESS}"/>
${stroke}<text class="ink" x="${round(right + 8)}" y="${middle + 4.5}">${formatRatio(value)}</text>`;
}
