/**
 * The frame of every plot: the svg element with its accessible name and description, its style, ground and title;
 * and text that is cut to a width.
 *
 * @module
 */

import { type Content, Markup, markup } from "./markup.ts";
import { type Place, plotStyle } from "./theme.ts";

/** What a plot is framed with. */
export interface Frame {
  /** Shown above the plot when alone, and always its accessible name. */
  title: string;
  /** What the plot shows, in words, for those who cannot see it. */
  description: string;
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** Where it is shown. */
  place: Place;
}

/** Space around a plot's content, in pixels. */
export const PAD = 12;

/** Where the content below the title begins. */
export function contentTop(title: string, place: Place): number {
  return place === "alone" && title !== "" ? 44 : PAD;
}

/** Wraps the content into a whole svg element. */
export function svgFrame(frame: Frame, content: Content): Markup {
  const { title, description, width, height, place } = frame;
  const alone = place === "alone";
  const size = new Markup(
    alone ? ` xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"` : "",
  );
  return markup`<svg${size} class="berth-plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${
    alone && markup`<title>${title}</title>`
  }<desc>${description}</desc>${
    alone &&
    markup`<style>${new Markup(
      plotStyle("alone"),
    )}</style><rect class="surface" width="${width}" height="${height}"/>`
  }${
    alone && title !== "" &&
    markup`<text class="head ink" x="${PAD}" y="26">${fitText(title, width - 2 * PAD, 15)}</text>`
  }${content}</svg>`;
}

/** About how wide a text is, in pixels; rather too wide than too narrow. */
export function textWidth(text: string, size = 13): number {
  let em = 0;
  for (const character of text) em += characterWidth(character);
  return em * size;
}

/** In em, for a common sans-serif face. */
function characterWidth(character: string): number {
  if (
    /[\u1100-\u115f\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(
      character,
    )
  ) {
    return 1;
  }
  if (character > "\uffff" || /[mwMW@%—]/.test(character)) return 0.95;
  if (/[iIjl.,:;'|!()[\]{} ft]/.test(character)) return 0.36;
  return /[A-Z&]/.test(character) ? 0.71 : 0.6;
}

/** Sums of widths may differ by so little, in pixels, that a text that just fits is not cut. */
const ROUNDING = 1e-6;

/** The text, or its beginning with an ellipsis, within a width in pixels. */
export function fitText(text: string, width: number, size = 13): string {
  let used = 0;
  let fitting = 0; // UTF-16 length of what fits together with the ellipsis
  const limit = width - size;
  let length = 0;
  for (const character of text) {
    used += characterWidth(character) * size;
    if (used > width + ROUNDING) return text.slice(0, fitting).trimEnd() + "…";
    length += character.length;
    if (used <= limit) fitting = length;
  }
  return text;
}
