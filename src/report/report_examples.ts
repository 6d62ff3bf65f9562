/**
 * Tables of texts with what the model makes of them, the words coloured by how much they speak for the answer.
 *
 * @module
 */

import { type Content, type Markup, markup } from "./markup.ts";
import { formatPercent } from "./number.ts";
import { clip, MOST_CHARACTERS, restNote } from "./text.ts";
import type { PredictionRow, RunReport, WordAttribution } from "./types.ts";

/** Longer tables are cut, with a note. */
const MOST_ROWS = 200;

/** Strengths of a colour: words below a sixth of the strongest have none. */
const STRENGTHS = 3;

/** The tables of a run's examples. */
export function exampleTables(run: RunReport): Markup[] {
  const { tried = [], predictions = [], worst = [], uncertain = [], regression } = run;
  const hard = [
    worst.length > 0 &&
    (regression === undefined
      ? predictionTable("Most wrong", "Test examples with the most confident wrong answers", worst, true)
      : predictionTable("Largest errors", "Test examples that are predicted worst", worst, true)),
    uncertain.length > 0 &&
    predictionTable("Least sure", "Test examples on which the model hesitates most", uncertain, true),
  ].filter((table) => table !== false);
  return [
    wordLegend([...worst, ...uncertain, ...tried]),
    tried.length > 0 && predictionTable("Sentences you tried", "", tried),
    hard.length > 0 && markup`<div class="grid pairs start texts-grid below">${hard}</div>`,
    predictions.length > 0 && predictionTable("Examples", "", predictions),
  ].filter((part) => part !== false);
}

/** What the colours of words mean; nothing if there are none. */
export function wordLegend(rows: readonly PredictionRow[]): Markup | false {
  if (!rows.some(({ attributions }) => attributions !== undefined)) return false;
  const word = (style: string, text: string) => markup`<span class="${style}">${text}</span>`;
  return markup`<p class="legend note">How much a word speaks for the predicted class: ${
    word("for3", "strongly for")
  } ${word("for1", "for")} <span>neither</span> ${word("against1", "against")} ${
    word("against3", "strongly against")
  } (integrated gradients; underlined for, dotted against)</p>`;
}

/**
 * A table of texts with their predicted and, where known, expected classes. Narrow screens stack its cells, for which
 * browsers forget that it is a table; the roles keep it one.
 */
export function predictionTable(
  title: string,
  note: string,
  rows: readonly PredictionRow[],
  narrow = false,
): Markup {
  const shown = rows.slice(0, MOST_ROWS);
  const compared = rows.some(({ baseline }) => baseline !== undefined);
  const known = !compared && rows.some(({ expected }) => expected !== undefined); // else it is one of the two
  const head = (name: string) =>
    markup`<th scope="col" role="columnheader"${name !== "Text" && markup` class="outcome"`}>${name}</th>`;
  return markup`<div class="card long${!narrow && " below"}"><div class="caption"><h3>${title}</h3>${
    note !== "" && markup`<p class="note">${note}</p>`
  }</div><table class="texts${narrow && " narrow"}" role="table" aria-label="${title}">
<thead role="rowgroup"><tr role="row">${head("Text")}${head("Predicted")}${known && head("Expected")}${
    compared && head("Simpler method")
  }</tr></thead>
<tbody role="rowgroup">${shown.map((row) => predictionRow(row, known, compared))}</tbody></table>${
    restNote(rows.length - shown.length)
  }</div>`;
}

function predictionRow(row: PredictionRow, known: boolean, compared: boolean): Markup {
  const { text, text_pair, predicted, probability, expected, baseline, attributions } = row;
  const judged = expected !== undefined && (row.right !== undefined || probability !== undefined);
  const wrong = judged && !(row.right ?? expected === predicted);
  const words = (pair: boolean) => attributions?.filter((word) => (word.pair ?? false) === pair);
  const strongest = Math.max(
    0,
    ...(attributions ?? []).map(({ score }) => Math.abs(score)).filter(Number.isFinite),
  );
  const pair = text_pair !== undefined &&
    markup`<span class="pair" dir="auto">${colouredWords(text_pair, words(true), strongest)}</span>`;
  const cell = (name: string, value: string | undefined) =>
    markup`<td role="cell" class="text ${name}"><span dir="auto">${
      value === undefined ? "—" : clip(value)
    }</span></td>`;
  return markup`<tr role="row"${
    wrong && markup` class="wrong"`
  }><td role="cell" class="text"><span dir="auto">${
    colouredWords(text, words(false), strongest)
  }</span>${pair}</td><td role="cell" class="text"><span dir="auto">${clip(predicted)}</span>${
    judged && verdict(wrong)
  }${probability !== undefined && probabilityBar(probability)}</td>${known && cell("expected", expected)}${
    compared && cell("baseline", baseline)
  }</tr>\n`;
}

/** A text, or the beginning of a long one, whose words are coloured by their scores. */
function colouredWords(
  text: string,
  words: readonly WordAttribution[] | undefined,
  strongest: number,
): Content {
  if (words === undefined || strongest === 0) return clip(text);
  const parts: Content[] = [], limit = Math.min(text.length, MOST_CHARACTERS);
  let at = 0;
  for (const { start, end, score } of words) {
    const strength = Math.round(Math.abs(score) / strongest * STRENGTHS);
    if (!(start >= at && end <= limit && end > start) || !(strength > 0)) continue;
    parts.push(
      text.slice(at, start),
      markup`<span class="${score > 0 ? "for" : "against"}${strength}">${text.slice(start, end)}</span>`,
    );
    at = end;
  }
  return [
    ...parts,
    at === 0 ? clip(text) : text.length > limit ? text.slice(at, limit) + "…" : text.slice(at),
  ];
}

/** Right or wrong: a sign to see, a word to hear. */
function verdict(wrong: boolean): Markup {
  return markup` <span class="mark" aria-hidden="true">${wrong ? "✗" : "✓"}</span><span class="hidden">${
    wrong ? "wrong" : "right"
  }</span>`;
}

function probabilityBar(probability: number): Markup {
  const width = Number.isFinite(probability) ? Math.min(1, Math.max(0, probability)) * 100 : 0;
  return markup`<span class="bar"><span aria-hidden="true"><span style="width:${
    width.toFixed(1)
  }%"></span></span>${formatPercent(probability)}</span>`;
}
