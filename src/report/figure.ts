/**
 * A figure of a report: it stands as a card on the page, and alone in a file.
 *
 * @module
 */

import { type Content, type Markup, markup } from "./markup.ts";
import type { Place } from "./theme.ts";

/** A drawing with its heading. */
export interface Figure {
  /** The name of its file. */
  id: string;
  /** Its heading. */
  title: string;
  /** A line under the heading. */
  note: Content;
  /** Takes a row of its own on the page. */
  wide?: boolean;
  /** On narrow screens it scrolls instead of becoming smaller than so many pixels. */
  minWidth?: number;
  /** What stands below the drawing, such as the table behind it. */
  below?: Content;
  /** Draws it. */
  draw(place: Place): Markup;
}

/** The figure as a card of the page. */
export function figureCard({ title, note, wide, minWidth, below, draw }: Figure): Markup {
  const plot = draw("page");
  const caption = markup`<figcaption><h3>${title}</h3>${
    note !== "" && markup`<p class="note">${note}</p>`
  }</figcaption>`;
  const shown = minWidth === undefined
    ? plot
    : markup`<div class="scroll" tabindex="0" role="region" aria-label="${title}"><div style="width:${minWidth}px;margin:0 auto">${plot}</div></div>`;
  return markup`<figure class="card${wide && " wide"}">${caption}${shown}${below}</figure>`;
}

/** A card of a stack. */
export interface StackItem {
  /** About how tall it is; cards are put where least stands. */
  weight: number;
  /** The card. */
  card: Markup;
  /** Takes a row of its own. */
  wide?: boolean;
}

/** Cards in two columns of about the same height; wide ones before them. */
export function stacked(items: readonly StackItem[]): Markup | undefined {
  if (items.length === 0) return undefined;
  const wide = items.filter((item) => item.wide), narrow = items.filter((item) => !item.wide);
  const columns: [height: number, cards: Markup[]][] = [[0, []], [0, []]];
  for (const { weight, card } of narrow) {
    const column = columns[0][0] <= columns[1][0] ? columns[0] : columns[1];
    column[0] += weight;
    column[1].push(card);
  }
  const filled = columns.filter(([, cards]) => cards.length > 0);
  return markup`<div class="grid pairs start">${wide.map(({ card }) => card)}${
    filled.map(([, cards]) => cards.length === 1 ? cards[0] : markup`<div class="stack">${cards}</div>`)
  }</div>`;
}

/** A figure as a card of a stack. */
export function stackFigure(figure: Figure, weight = 3): StackItem {
  return { weight, card: figureCard(figure), wide: figure.wide };
}

/** A closed list of rows under a figure: what it shows, as numbers. */
export function tableBehind(
  name: string,
  head: readonly string[],
  rows: readonly (readonly Content[])[],
): Markup {
  return markup`<details><summary>${name}</summary><div class="scroll rows" tabindex="0" role="region" aria-label="${name}"><table class="compact"><thead><tr>${
    head.map((cell, i) => markup`<th scope="col"${i > 0 && markup` class="number"`}>${cell}</th>`)
  }</tr></thead><tbody>${
    rows.map((row) =>
      markup`<tr>${
        row.map((cell, i) =>
          i === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td class="number">${cell}</td>`
        )
      }</tr>`
    )
  }</tbody></table></div></details>`;
}
