/**
 * Texts of examples as far as a page has room for them.
 *
 * @module
 */

import { type Markup, markup } from "./markup.ts";
import { formatCount } from "./number.ts";

/** Longer texts are cut, with a note. */
export const MOST_CHARACTERS = 600;

/** The text, or its beginning and its length. */
export function clip(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}… (${formatCount(text.length)} characters)`;
}

/** Says how many rows are left out. */
export function restNote(hidden: number): Markup | false {
  return hidden > 0 && markup`<p class="note">${formatCount(hidden)} more not shown</p>`;
}
