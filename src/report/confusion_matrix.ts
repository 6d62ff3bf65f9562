/**
 * Confusion matrices: how often each class was predicted as each class, as one self-contained SVG.
 *
 * @module
 */

import { DataError } from "../errors.ts";
import { type Markup, markup } from "./markup.ts";
import { formatCount, formatNumber, formatPercent } from "./number.ts";
import { round } from "./series.ts";
import { contentTop, fitText, PAD, svgFrame, textWidth } from "./svg.ts";
import type { Place } from "./theme.ts";
import type { ConfusionData } from "./types.ts";

/** What {@linkcode confusionMatrix} draws. */
export interface ConfusionMatrixOptions extends ConfusionData {
  /** Shown above the matrix, and its accessible name. Default `Confusion matrix`. */
  title?: string;
  /** With more classes, those with the fewest errors are drawn as one class "others". At least 2; default 30. */
  maxLabels?: number;
}

/** The tint of a cell that holds all of its row; the rest follows its share. */
export const STRONGEST_TINT = 0.72;

/** The faintest tint of a cell with a count, so that one error in thousands still shows. */
const FAINTEST_TINT = 0.1;

/** At least this wide, in pixels: alone and on the page. */
const WIDTH: Readonly<Record<Place, number>> = { alone: 460, page: 400 };

/**
 * Draws a confusion matrix as an SVG that needs nothing else. Rows are the expected classes, columns the predicted ones;
 * a cell's tint is its share of the row, blue where right and orange where wrong.
 *
 * @param options What to draw.
 * @returns An SVG document.
 * @throws {DataError} If the counts are not a square of whole numbers with a row for each label, or there is no label.
 *
 * @example
 * ```ts
 * import { confusionMatrix } from "@berth/berth/report";
 *
 * const svg = confusionMatrix({ labels: ["negative", "positive"], counts: [[370, 58], [61, 383]] });
 * console.log(svg.startsWith("<svg"));
 * ```
 */
export function confusionMatrix(options: ConfusionMatrixOptions): string {
  return drawConfusionMatrix(options, "alone").text;
}

/** Draws for a place; see {@linkcode confusionMatrix}. */
export function drawConfusionMatrix(options: ConfusionMatrixOptions, place: Place): Markup {
  const { title = "Confusion matrix", maxLabels = 30 } = options;
  check(options, maxLabels);
  const matrix = folded(options, maxLabels);
  const layout = layOut(matrix, contentTop(title, place), WIDTH[place]);
  const rows = matrix.counts.map((row, e) => drawRow(layout, matrix, row, e));
  const frame = { title, description: describe(matrix), width: layout.width, height: layout.height, place };
  return svgFrame(frame, [drawLabels(layout, matrix), rows]);
}

/** The counts as drawn; `others` says whether the last class stands for several. */
interface Matrix extends ConfusionData {
  others: boolean;
}

function check({ labels, counts }: ConfusionData, maxLabels: number): void {
  const fail = (state: string) => {
    throw new DataError(`Cannot draw the confusion matrix: ${state}`);
  };
  if (!(maxLabels >= 2)) fail(`maxLabels is ${maxLabels}, wanted at least 2`);
  if (labels.length === 0) fail("there are no labels, wanted at least one");
  if (counts.length !== labels.length) {
    fail(`there are ${counts.length} rows and ${labels.length} labels, wanted as many`);
  }
  counts.forEach((row, e) => {
    if (row.length !== labels.length) fail(`row ${e} has ${row.length} columns, wanted ${labels.length}`);
    const wrong = row.find((count) => !Number.isSafeInteger(count) || count < 0);
    if (wrong !== undefined) fail(`row ${e} has ${wrong}, wanted whole numbers from 0 up`);
  });
}

/** Keeps the classes with most errors, in their order, and adds up the others. */
function folded({ labels, counts }: ConfusionData, maxLabels: number): Matrix {
  if (labels.length <= maxLabels) return { labels, counts, others: false };
  const errors = labels.map((_, k) =>
    counts.reduce((sum, row, e) => sum + (e === k ? row.reduce((a, b) => a + b, 0) - row[k] : row[k]), 0)
  );
  const kept = labels.map((_, k) => k).sort((a, b) => errors[b] - errors[a] || a - b)
    .slice(0, Math.floor(maxLabels) - 1).sort((a, b) => a - b);
  const target = new Array<number>(labels.length).fill(kept.length);
  kept.forEach((k, i) => target[k] = i);
  const sums = Array.from({ length: kept.length + 1 }, () => new Array<number>(kept.length + 1).fill(0));
  counts.forEach((row, e) => row.forEach((count, p) => sums[target[e]][target[p]] += count));
  const names = [...kept.map((k) => labels[k]), `${formatCount(labels.length - kept.length)} others`];
  return { labels: names, counts: sums, others: true };
}

interface Layout {
  width: number;
  height: number;
  left: number;
  top: number;
  cellWidth: number;
  cellHeight: number;
  /** Where the matrix with its headings begins. */
  begin: number;
  /** Whether the column labels stand at an angle. */
  slanted: boolean;
}

const LABEL_WIDTH = 120;

function layOut({ labels }: Matrix, begin: number, atLeast: number): Layout {
  const widest = Math.min(LABEL_WIDTH, Math.max(...labels.map((label) => textWidth(label))));
  const left = PAD + Math.max(widest, textWidth("expected")) + 10;
  const room = (atLeast - left - PAD) / labels.length;
  const cellWidth = Math.max(18, Math.min(180, room));
  const slanted = widest + 6 > cellWidth;
  const cellHeight = Math.max(18, Math.min(64, cellWidth));
  const top = begin + 26 + (slanted ? widest * 0.71 + 14 : 22);
  return {
    left,
    top,
    begin,
    cellWidth,
    cellHeight,
    slanted,
    width: Math.ceil(
      Math.max(atLeast, left + cellWidth * labels.length + PAD + (slanted ? widest * 0.71 : 0)),
    ),
    height: Math.ceil(top + cellHeight * labels.length + PAD),
  };
}

function drawLabels(layout: Layout, { labels }: Matrix): Markup {
  const { left, top, begin, cellWidth, cellHeight, slanted } = layout;
  const columns = labels.map((label, p) => {
    const x = round(left + (p + 0.5) * cellWidth);
    const text = fitText(label, slanted ? LABEL_WIDTH : cellWidth - 4);
    return slanted
      ? markup`<text class="ink" transform="translate(${round(x + 5)} ${
        round(top - 6)
      }) rotate(-45)">${text}</text>`
      : markup`<text class="ink middle" x="${x}" y="${round(top - 8)}">${text}</text>`;
  });
  const rows = labels.map((label, e) =>
    markup`<text class="ink end" x="${round(left - 10)}" y="${round(top + (e + 0.5) * cellHeight + 4.5)}">${
      fitText(label, LABEL_WIDTH)
    }</text>`
  );
  const middle = round(left + cellWidth * labels.length / 2);
  return markup`<text class="muted middle" x="${middle}" y="${
    begin + 12
  }">predicted</text><text class="muted end" x="${round(left - 10)}" y="${
    round(top - 8)
  }">expected</text>${columns}${rows}`;
}

/** The cells of one expected class that have a count, on a frame around all of them. */
function drawRow(
  layout: Layout,
  { labels, counts, others }: Matrix,
  row: readonly number[],
  e: number,
): Markup[] {
  const { left, top, cellWidth, cellHeight } = layout;
  const support = row.reduce((sum, count) => sum + count, 0);
  const y = top + e * cellHeight;
  return row.map((count, p) => {
    const share = support === 0 ? 0 : count / support;
    const tint = count === 0 ? 0 : FAINTEST_TINT + (STRONGEST_TINT - FAINTEST_TINT) * share;
    const mixed = others && e === p && e === counts.length - 1; // right and wrong inside "others" cannot be told
    const paint = mixed ? "track" : e === p ? "hit" : "miss";
    const x = left + p * cellWidth;
    const name = `expected ${labels[e]}, predicted ${labels[p]}: ${formatCount(count)} (${
      formatPercent(share)
    })`;
    return markup`<g><rect class="${tint === 0 || mixed ? "track" : paint}" x="${round(x + 1)}" y="${
      round(y + 1)
    }" width="${round(cellWidth - 2)}" height="${round(cellHeight - 2)}" rx="2"${
      tint > 0 && !mixed && markup` fill-opacity="${Math.round(tint * 100) / 100}"`
    }/>${cellText(layout, count, share, x, y)}<title>${name}</title></g>`;
  });
}

/** The count, and below it the share of the row, as far as there is room. */
function cellText(
  { cellWidth, cellHeight }: Layout,
  count: number,
  share: number,
  x: number,
  y: number,
): Markup | false {
  const full = formatCount(count);
  const text = textWidth(full) <= cellWidth - 6 ? full : formatNumber(count, 2);
  if (textWidth(text, 11) > cellWidth - 2 || (count === 0 && cellWidth < 40)) return false;
  const middle = round(x + cellWidth / 2);
  if (cellWidth < 50 || cellHeight < 44) {
    return markup`<text class="ink middle${textWidth(text) > cellWidth - 4 && " small"}" x="${middle}" y="${
      round(y + cellHeight / 2 + 4.5)
    }">${text}</text>`;
  }
  return markup`<text class="ink middle strong" x="${middle}" y="${
    round(y + cellHeight / 2 - 1)
  }">${text}</text>
<text class="ink middle small" x="${middle}" y="${round(y + cellHeight / 2 + 15)}">${
    formatPercent(share)
  }</text>`;
}

/** The matrix in words: the right ones, then the most frequent confusions. */
function describe({ labels, counts }: Matrix): string {
  let total = 0, right = 0;
  const wrong: { e: number; p: number; count: number }[] = [];
  counts.forEach((row, e) =>
    row.forEach((count, p) => {
      total += count;
      if (e === p) right += count;
      else if (count > 0) wrong.push({ e, p, count });
    })
  );
  const worst = wrong.sort((a, b) => b.count - a.count).slice(0, 5)
    .map(({ e, p, count }) => `${formatCount(count)} of ${labels[e]} predicted as ${labels[p]}`);
  const most = worst.length === 0 ? "No confusions." : `Most frequent confusions: ${worst.join("; ")}.`;
  return `Confusion matrix of ${labels.length} classes: ${formatCount(right)} of ${
    formatCount(total)
  } on the diagonal. ${most}`;
}
