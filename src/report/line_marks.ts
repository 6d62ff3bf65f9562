/**
 * What tells the curves of a plot apart: marks, dashes, and their names in a legend or at their ends.
 *
 * @module
 */

import { type Markup, markup } from "./markup.ts";
import { round } from "./series.ts";
import { fitText, PAD, textWidth } from "./svg.ts";
import { SERIES_COLOURS } from "./theme.ts";

/** A curve as it is drawn: what is given, or what smoothing makes of it. */
export interface Curve {
  name: string;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  colour: number;
  /** The number of its dashes. */
  dash: number;
  faint: boolean;
  markers: boolean;
  /** What the curve is called at its end; empty for a curve under a smoothed one. */
  label: string;
}

const DASHES: readonly string[] = ["", "7 4", "2 4", "9 4 2 4", "12 5", "4 3"];

/** A mark whose shape tells the series apart without colour. */
export function marker(shape: number, x: number, y: number): Markup {
  const [cx, cy] = [round(x), round(y)];
  switch (shape % 4) {
    case 0:
      return markup`<circle cx="${cx}" cy="${cy}" r="3.5"/>`;
    case 1:
      return markup`<path d="M${round(cx - 3.5)} ${round(cy - 3.5)}h7v7h-7z"/>`;
    case 2:
      return markup`<path d="M${cx} ${round(cy - 4.5)}l4.5 8h-9z"/>`;
    default:
      return markup`<path d="M${cx} ${round(cy - 5)}l5 5l-5 5l-5 -5z"/>`;
  }
}

/** Draws the legend in as many rows as it needs; none for a single curve without a named baseline. */
export function drawLegend(
  curves: readonly Curve[],
  baseline: string | undefined,
  top: number,
  width: number,
): { drawing: Markup[]; bottom: number } {
  const several = new Set(curves.map((curve) => curve.colour)).size > 1;
  const entries = curves.map((curve): [string, Markup] => [curve.name, legendMark(curve, several)]);
  if (baseline) entries.push([baseline, markup`<path class="rule base dashed" fill="none" d="M0 8h24"/>`]);
  if (entries.length < 2) return { drawing: [], bottom: top };
  const drawing: Markup[] = [];
  let x = PAD, y = top;
  for (const [name, mark] of entries) {
    const text = fitText(name, width - 2 * PAD - 32);
    const needed = 32 + textWidth(text);
    if (x > PAD && x + needed > width - PAD) {
      x = PAD;
      y += 20;
    }
    drawing.push(
      markup`<g transform="translate(${
        round(x)
      } ${y})">${mark}<text class="ink" x="31" y="12.5">${text}</text></g>`,
    );
    x += needed + 16;
  }
  return { drawing, bottom: y + 28 };
}

/** A short piece of a curve, in a box of 24 x 16 pixels. */
export function legendMark(
  { colour, dash, faint, markers }: Pick<Curve, "colour" | "dash" | "faint" | "markers">,
  several: boolean,
): Markup {
  return markup`<path class="curve s${colour}${faint && " key"}"${
    dashOf(dash, several && !markers)
  } fill="none" d="M0 8h24"/>${markers && markup`<g class="f${colour}">${marker(colour, 12, 8)}</g>`}`;
}

/** The dashes that tell curves without markers apart. */
export function dashOf(dash: number, wanted: boolean): Markup | false {
  return wanted && DASHES[dash] !== "" && markup` stroke-dasharray="${DASHES[dash]}"`;
}

/** Colour and dashes of the curve of that number; the pairs repeat after 36. */
export function styleOf(index: number): { colour: number; dash: number } {
  const colour = index % SERIES_COLOURS;
  return { colour, dash: (colour + 3 * Math.floor(index / SERIES_COLOURS)) % DASHES.length };
}

/** Names at the ends of curves stand at least this far apart, in pixels. */
const LABEL_HEIGHT = 15;

/** A name and where its curve ends. */
export interface EndLabel {
  text: string;
  y: number;
  /** Of the curve's colour; none for a baseline. */
  colour?: number;
}

/** The room that names at the ends of curves take, in pixels. */
export function endLabelRoom(names: readonly string[], width: number): number {
  const widest = Math.max(0, ...names.map((name) => textWidth(name)));
  return names.length < 2 ? 0 : Math.min(widest + 8, width * 0.36);
}

/** Puts names beside the ends of their curves, moved apart where these are close. */
export function drawEndLabels(
  labels: readonly EndLabel[],
  x: number,
  room: number,
  top: number,
  bottom: number,
): Markup[] {
  const placed = labels.map((label) => ({ ...label })).sort((a, b) => a.y - b.y);
  placed.forEach((label, i) => label.y = Math.max(label.y, i === 0 ? top : placed[i - 1].y + LABEL_HEIGHT));
  for (let i = placed.length - 1, limit = bottom; i >= 0; i--, limit -= LABEL_HEIGHT) {
    placed[i].y = Math.min(placed[i].y, limit);
  }
  return placed.map(({ text, y, colour }) =>
    markup`<text class="${colour === undefined ? "muted" : `f${colour} strong`}" x="${round(x + 8)}" y="${
      round(y + 4.5)
    }">${fitText(text, room - 6)}<title>${text}</title></text>`
  );
}
