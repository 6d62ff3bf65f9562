/**
 * "Was BERT worth it?": the model against a simpler method on the same examples.
 *
 * @module
 */

import { signedPoints, signedRange } from "./headline.ts";
import { type Figure, figureCard } from "./figure.ts";
import { type Markup, markup } from "./markup.ts";
import { formatCount, formatDuration, formatPercent } from "./number.ts";
import { predictionTable, wordLegend } from "./report_examples.ts";
import { barFigure } from "./report_results.ts";
import type { BaselineComparison, RunReport } from "./types.ts";

/** The bars of accuracies; none without a comparison. */
export function comparisonFigures({ comparison, model }: RunReport): Figure[] {
  if (comparison === undefined) return [];
  const { name, model_accuracy, baseline_accuracy, majority } = comparison;
  return [barFigure("baseline", "Accuracy", "On the same test examples", {
    labels: [model.name, name, `always "${majority.label}"`],
    values: [model_accuracy, baseline_accuracy, majority.accuracy],
    format: "percent",
  })];
}

/** The section's content; nothing without a comparison. */
export function drawComparison(run: RunReport): Markup | undefined {
  const { comparison } = run;
  if (comparison === undefined) return undefined;
  const { only_model = [], only_baseline = [], counts, name } = comparison;
  const tables = [
    only_model.length > 0 &&
    predictionTable(
      "Only BERT is right",
      `${formatCount(counts.only_model)} test examples`,
      only_model,
      true,
    ),
    only_baseline.length > 0 &&
    predictionTable(
      "Only the simpler method is right",
      `${formatCount(counts.only_baseline)} test examples; ${name}`,
      only_baseline,
      true,
    ),
  ];
  return markup`<p class="verdict">${verdictSentence(comparison)}</p>
<div class="grid pairs start">${comparisonFigures(run).map(figureCard)}${countsTable(comparison)}</div>
${wordLegend([...only_model, ...only_baseline])}<div class="grid pairs start texts-grid">${tables}</div>`;
}

/** In plain words whether the model is better, and how sure that is. */
export function verdictSentence({ difference, counts, p_value, name }: BaselineComparison): string {
  const { value, low, high } = difference, range = `95% confidence: ${signedRange(low, high)}`;
  const total = counts.both + counts.only_model + counts.only_baseline + counts.neither;
  const p = p_value < 0.001 ? "p < 0.001" : `p = ${p_value.toFixed(3)}`;
  const facts = `on ${formatCount(total)} test examples (${range}; McNemar's test, ${p})`;
  const by = signedPoints(Math.abs(value)).replace("+", "");
  const isSure = p_value < 0.05; // the interval and the test agree, but for the closest cases
  if (isSure && low > 0) return `Yes: BERT is right ${by} more often than ${name}, ${facts}.`;
  if (isSure && high < 0) return `No: BERT is right ${by} less often than ${name}, ${facts}.`;
  if (value === 0) return `Not shown: BERT is right exactly as often as ${name}, ${facts}.`;
  const side = value > 0 ? "more" : "less";
  return `Not shown: BERT is right ${by} ${side} often than ${name}, which may be chance, ${facts}.`;
}

function countsTable({ counts, features, seconds, name }: BaselineComparison): Markup {
  const total = counts.both + counts.only_model + counts.only_baseline + counts.neither;
  const row = (label: string, count: number) =>
    markup`<tr><th scope="row">${label}</th><td class="number">${formatCount(count)}</td><td class="number">${
      formatPercent(count / total)
    }</td></tr>`;
  const facts = [
    name,
    features !== undefined && `${formatCount(features)} terms`,
    seconds !== undefined && `trained in ${formatDuration(seconds * 1000)}`,
  ].filter(Boolean).join(", ");
  return markup`<div class="card"><table>
<caption><h3>Who gets what right</h3><p class="note">${facts}</p></caption>
<thead><tr><th scope="col">Right</th><th scope="col" class="number">Examples</th><th scope="col" class="number">Share</th></tr></thead>
<tbody>${row("both", counts.both)}${row("only BERT", counts.only_model)}${
    row("only the simpler method", counts.only_baseline)
  }${row("neither", counts.neither)}</tbody></table></div>`;
}
