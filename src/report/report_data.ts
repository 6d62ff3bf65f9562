/**
 * The data of a run: what its parts hold, how long the texts are, what is wrong with them.
 *
 * @module
 */

import { drawBarPlot } from "./bar_plot.ts";
import { type Figure, stacked, stackFigure, tableBehind } from "./figure.ts";
import { drawHistogram } from "./histogram.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { formatCount, formatNumber, formatPercent } from "./number.ts";
import { clip } from "./text.ts";
import type { DataSplit, LabelledText, LengthFacts, RunReport } from "./types.ts";

/** So few labels share a scale to 100 %. */
const FEW_LABELS = 4;

/** Labels with bars; the table behind them has more. */
const MOST_LABELS = 15;

/** Bars of labels and the histogram of lengths; empty without facts about the parts. */
export function dataFigures({ data: { splits = [] } }: RunReport): Figure[] {
  const lengths = splits.find((split) => split.lengths?.histogram !== undefined)?.lengths;
  return [labelFigure(splits), lengths && lengthFigure(lengths)].filter((figure) => figure !== undefined);
}

/** The section's content; nothing without facts about the parts. */
export function drawData(run: RunReport): Markup | undefined {
  const { splits = [], samples = [] } = run.data;
  if (splits.length === 0) return undefined;
  const items = [
    { weight: 4.5, card: splitTable(splits) },
    ...dataFigures(run).map((figure) => stackFigure(figure, 2.2)),
  ];
  return markup`${stacked(items)}${samples.length > 0 && sampleTable(samples)}`;
}

/** One row a fact, one column a part. */
function splitTable(splits: readonly DataSplit[]): Markup {
  const count = (of: (split: DataSplit) => number | undefined) => (split: DataSplit) => {
    const value = of(split);
    return !value
      ? value === undefined ? "—" : "none"
      : markup`<span class="alert">${formatCount(value)}</span>`;
  };
  const rows: [name: string, of: (split: DataSplit) => Content][] = [
    ["examples", (split) => formatCount(split.examples)],
    ["without a label", count((split) => split.unlabeled)],
    ["without text", count((split) => split.empty)],
    ["text occurred before", count((split) => split.duplicates)],
    ["same text, other label", count((split) => split.conflicts)],
    ["text is among the training examples", count((split) => split.leaks)],
  ];
  if (splits.some(({ values }) => values !== undefined)) {
    rows.push([
      "labels from, to",
      ({ values }) =>
        values === undefined ? "—" : `${formatNumber(values.min, 4)}, ${formatNumber(values.max, 4)}`,
    ]);
  }
  if (splits.some(({ lengths }) => lengths !== undefined)) {
    rows.push(
      ["median tokens", ({ lengths }) => lengths === undefined ? "—" : formatCount(lengths.median)],
      ["longest, in tokens", ({ lengths }) => lengths === undefined ? "—" : formatCount(lengths.max)],
      [
        "cut off",
        ({ lengths }) =>
          lengths === undefined
            ? "—"
            : lengths.truncated === 0
            ? "none"
            : markup`<span class="alert">${formatPercent(lengths.truncated)}</span>`,
      ],
    );
  }
  return markup`<div class="card"><div class="scroll"><table>
<caption><h3>Parts</h3><p class="note">Case and space do not count when texts are compared</p></caption>
<thead><tr><th scope="col">Examples</th>${
    splits.map(({ name }) => markup`<th scope="col" class="number">${name}</th>`)
  }</tr></thead>
<tbody>${
    rows.map(([name, of]) =>
      markup`<tr><th scope="row">${name}</th>${
        splits.map((split) => markup`<td class="number">${of(split)}</td>`)
      }</tr>`
    )
  }</tbody></table></div></div>`;
}

/** Shares of the labels in each part. */
function labelFigure(splits: readonly DataSplit[]): Figure | undefined {
  const known = splits.filter(({ labels }) => labels.length > 0), title = "Labels";
  if (known.length === 0) return undefined;
  const labels = [...new Set(known.flatMap((split) => split.labels.map(({ label }) => label)))];
  const countOf = (split: DataSplit, label: string) =>
    split.labels.find((one) => one.label === label)?.count ?? 0;
  const options = known.length === 1
    ? {
      format: "number" as const,
      values: (split: DataSplit) => labels.map((label) => countOf(split, label)),
    }
    : {
      format: "percent" as const,
      values: (split: DataSplit) => labels.map((label) => countOf(split, label) / split.examples),
    };
  const series = known.slice(0, 6).map((split) => ({ name: split.name, values: options.values(split) }));
  const rows = labels.slice(0, 200).map((label) => [
    markup`<span dir="auto">${clip(label)}</span>`,
    ...known.map((split) => formatCount(countOf(split, label))),
  ]);
  return {
    ...{
      id: "labels",
      title,
      note: known.length === 1 ? "Examples of each" : "Share of each part's examples",
    },
    below: tableBehind("The counts as a table", ["Label", ...known.map(({ name }) => name)], rows),
    draw: (place) =>
      drawBarPlot({
        ...{ title, labels, series, format: options.format, width: 400, maxLabels: MOST_LABELS },
        scale: labels.length > FEW_LABELS ? "largest" : "whole",
      }, place),
  };
}

function lengthFigure({ histogram = [], median, p95, max_length, truncated }: LengthFacts): Figure {
  const title = "Lengths of the training texts";
  const cut = truncated === 0
    ? `none is cut at ${formatCount(max_length)}`
    : `${formatPercent(truncated)} are cut at ${formatCount(max_length)}`;
  return {
    ...{ id: "lengths", title },
    note: `In tokens: median ${formatCount(median)}, 95% up to ${formatCount(p95)}; ${cut}`,
    below: tableBehind(
      "The counts as a table",
      ["Tokens", "Examples"],
      histogram.map((
        { from, to, count },
      ) => [from === to ? String(from) : `${from} to ${to}`, formatCount(count)]),
    ),
    draw: (place) =>
      drawHistogram({
        ...{ title, xLabel: "tokens", bins: histogram },
        ...(truncated > 0 ? { mark: { at: max_length, label: "cut" } } : {}),
      }, place),
  };
}

function sampleTable(samples: readonly LabelledText[]): Markup {
  return markup`<div class="card long below"><table class="samples">
<caption><h3>Some training examples</h3></caption>
<thead><tr><th scope="col">Text</th><th scope="col" class="outcome">Label</th></tr></thead>
<tbody>${
    samples.map(({ text, text_pair, label }) =>
      markup`<tr><td class="text"><span dir="auto">${clip(text)}</span>${
        text_pair !== undefined && markup`<span class="pair" dir="auto">${clip(text_pair)}</span>`
      }</td><td class="text"><span dir="auto">${clip(label)}</span></td></tr>\n`
    )
  }</tbody></table></div>`;
}
