/**
 * The report of a training run: one HTML file that holds everything it shows.
 *
 * @module
 */

import { figureCard } from "./figure.ts";
import { drawHeadline } from "./headline.ts";
import { type Content, type Markup, markup } from "./markup.ts";
import { formatMetric, metricName, metricNames, metricsOf } from "./metric_names.ts";
import { formatCount, formatDuration, formatNumber } from "./number.ts";
import { page, readableTime, section } from "./page.ts";
import { drawComparison } from "./report_baseline.ts";
import { curveFigures } from "./report_curves.ts";
import { drawData } from "./report_data.ts";
import { exampleTables } from "./report_examples.ts";
import { drawResults } from "./report_results.ts";
import { drawSpeed } from "./report_speed.ts";
import type { CodeExample, EvaluationRecord, RunReport, Scalar } from "./types.ts";

/** The table of evaluations has at most this many rows. */
const MOST_EVALUATIONS = 200;

/**
 * Writes a run's report as one HTML page: headline numbers, curves, test results, a simpler method beside it, examples
 * with their telling words, the data, speed and memory, the run's settings, and how to use the model. It works offline,
 * on paper, on narrow screens, in light and dark. All texts are escaped.
 *
 * @param run What happened. Parts that are absent are left out.
 * @returns An HTML document.
 * @throws {DataError} If the confusion counts are not a square of whole numbers.
 *
 * @example
 * ```ts
 * import { trainingReport } from "@berth/berth/report";
 *
 * const html = trainingReport({
 *   title: "Film reviews",
 *   model: { name: "berth-tiny", parameters: 1_842_306, layers: 4, hidden_size: 128 },
 *   data: { train: 6920, dev: 872 },
 *   settings: { learning_rate: 3e-4, seed: 42 },
 *   environment: { runtime: "Deno 2.9.6", threads: 2 },
 *   steps: [{ step: 1, epoch: 0.002, loss: 0.7, learning_rate: 3e-5, grad_norm: 1.3, elapsedMs: 41 }],
 *   evaluations: [{ step: 0, epoch: 0, accuracy: 0.49 }, { step: 1, epoch: 0.002, accuracy: 0.51 }],
 * });
 * console.log(html.startsWith("<!doctype html>"));
 * ```
 */
export function trainingReport(run: RunReport): string {
  const { evaluations, code = [] } = run;
  const curves = curveFigures(run).map(figureCard);
  const table = evaluations.length > 1 && evaluationTable(evaluations);
  const cards = runCards(run);
  return page({
    ...{ kicker: "Training report", title: run.title, facts: factLine(run) },
    main: [
      drawHeadline(run),
      section(
        "curves",
        "Learning curves",
        curves.length > 0 && markup`<div class="grid">${curves}${table}</div>`,
      ),
      section("results", "Results", drawResults(run)),
      section("baseline", "Was BERT worth it?", drawComparison(run)),
      section("predictions", "Predictions", exampleTables(run)),
      section("data", "The data", drawData(run)),
      section("speed", "Speed and memory", drawSpeed(run)),
      section("run", "The run", markup`<div class="grid quarters start">${cards}</div>`),
      section(
        "use",
        "Use the model",
        code.length > 0 && markup`<div class="grid pairs">${code.map(codeCard)}</div>`,
      ),
    ],
  });
}

/** Model, data and time in one line. */
function factLine({ model, data, startedAt }: RunReport): Content {
  const facts: Content[] = [model.name, `${formatNumber(model.parameters)} parameters`];
  if (data.name !== undefined) facts.push(data.name);
  facts.push(`${formatCount(data.train)} training examples`);
  if (startedAt !== undefined) {
    facts.push(markup`<time datetime="${startedAt}">${readableTime(startedAt)}</time>`);
  }
  return facts.map((fact, i) => [i > 0 && " · ", fact]);
}

function evaluationTable(evaluations: readonly EvaluationRecord[]): Markup {
  const shown = evaluations.slice(-MOST_EVALUATIONS), names = metricNames(evaluations);
  const losses = evaluations.some(({ loss }) => loss !== undefined);
  const number = (text: string) => markup`<td class="number">${text}</td>`;
  const rows = shown.map((record) => {
    const { step, epoch, loss } = record, metrics = metricsOf(record);
    return markup`<tr><th scope="row" class="number">${formatCount(step)}</th>${number(epoch.toFixed(2))}${
      names.map((name) => number(metrics[name] === undefined ? "—" : formatMetric(name, metrics[name])))
    }${losses && number(loss === undefined ? "—" : formatNumber(loss, 4))}</tr>`;
  });
  const note = evaluations.length === shown.length
    ? "On held-out examples"
    : `The last ${formatCount(shown.length)} of ${formatCount(evaluations.length)}`;
  return markup`<div class="card long${
    names.length > 2 && " wide"
  }"><div class="scroll rows" tabindex="0" role="region" aria-label="Evaluations"><table class="compact">
<caption><h3>Evaluations</h3><p class="note">${note}</p></caption>
<thead><tr>${
    ["Step", "Epoch", ...names.map(metricName), ...(losses ? ["Loss"] : [])]
      .map((name) => markup`<th scope="col" class="number">${name}</th>`)
  }</tr></thead><tbody>${rows}</tbody></table></div></div>`;
}

/** Model, data, settings and environment, each as a list of facts. */
function runCards({ model, data, settings, environment, startedAt, elapsedMs, steps }: RunReport): Markup[] {
  const duration = elapsedMs ?? steps[steps.length - 1]?.elapsedMs;
  return [
    factCard("Model", [
      ["name", model.name],
      ["parameters", formatCount(model.parameters)],
      ["trained parameters", model.trainable_parameters && formatCount(model.trainable_parameters)],
      ["layers", model.layers],
      ["hidden size", model.hidden_size],
      ...Object.entries(model.details ?? {}),
    ]),
    factCard("Data", [
      ["name", data.name],
      ["training examples", formatCount(data.train)],
      ["evaluation examples", data.dev === undefined ? undefined : formatCount(data.dev)],
      ["test examples", data.test === undefined ? undefined : formatCount(data.test)],
      ...Object.entries(data.details ?? {}),
    ]),
    factCard("Settings", Object.entries(settings)),
    factCard("Environment", [
      ["started", startedAt === undefined ? undefined : readableTime(startedAt)],
      ["duration", duration === undefined ? undefined : formatDuration(duration)],
      ["berth", environment.version],
      ["runtime", environment.runtime],
      ["profile", environment.profile],
      ["threads", environment.threads],
      ...Object.entries(environment.details ?? {}),
    ]),
  ].filter((card) => card !== undefined);
}

function factCard(
  title: string,
  facts: readonly (readonly [string, Scalar | undefined])[],
): Markup | undefined {
  const known = facts.filter(([, value]) => value !== undefined);
  if (known.length === 0) return undefined;
  return markup`<div class="card"><h3>${title}</h3><dl class="facts-list">${
    known.map(([name, value]) =>
      markup`<div><dt>${name}</dt><dd>${
        typeof value === "number" ? plainNumber(value) : String(value)
      }</dd></div>`
    )
  }</dl></div>`;
}

/** A number as it was set: 1e-5 instead of 0.00001. */
function plainNumber(value: number): string {
  const short = value.toExponential().replace("e+", "e");
  return value !== 0 && Math.abs(value) < 1e-3 ? short : String(value);
}

function codeCard({ title, language, text }: CodeExample): Markup {
  return markup`<div class="card"><h3>${title}</h3><pre tabindex="0"><code${
    language !== undefined && markup` class="language-${language}"`
  }>${text}</code></pre></div>`;
}
