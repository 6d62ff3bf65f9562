/**
 * The report of a training run: one HTML file that holds everything it shows. A content security policy inside it
 * forbids scripts and requests.
 *
 * @module
 */

import { type Content, Markup, markup } from "./markup.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "./number.ts";
import { pageStyle } from "./page_style.ts";
import { drawCurves } from "./report_curves.ts";
import { drawHeadline, drawResults, predictionTable } from "./report_results.ts";
import type { CodeExample, EvaluationRecord, RunReport, Scalar } from "./types.ts";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The table of evaluations has at most this many rows. */
const MOST_EVALUATIONS = 200;

/**
 * Writes a run's report as one HTML page: headline numbers, curves, test results, predictions, the run's settings, and
 * how to use the model. It works offline, on paper, on narrow screens, in light and dark. All texts are escaped.
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
  const { evaluations, tried = [], predictions = [], worst = [], code = [] } = run;
  const curves = drawCurves(run);
  const results = drawResults(run);
  const tables = [
    tried.length > 0 && predictionTable("Sentences you tried", "", tried),
    predictions.length > 0 && predictionTable("Examples", "", predictions),
    worst.length > 0 &&
    predictionTable("Most wrong", "Test examples with the most confident wrong answers", worst),
  ];
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${POLICY}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/>
<meta name="color-scheme" content="light dark"/>
<title>${run.title}</title>
<style>${new Markup(pageStyle())}</style>
</head>
<body>
<header>
<p class="kicker">Training report</p>
<h1 dir="auto">${run.title}</h1>
<p class="facts">${factLine(run)}</p>
</header>
<main>
${drawHeadline(run)}
${
    curves.length > 0 &&
    section(
      "curves",
      "Learning curves",
      markup`<div class="grid">${curves}${evaluations.length > 1 && evaluationTable(evaluations)}</div>`,
    )
  }
${results.length > 0 && section("results", "Results", markup`<div class="grid pairs start">${results}</div>`)}
${tables.some(Boolean) && section("predictions", "Predictions", tables)}
${section("run", "The run", markup`<div class="grid quarters">${runCards(run)}</div>`)}
${
    code.length > 0 &&
    section("use", "Use the model", markup`<div class="grid pairs">${code.map(codeCard)}</div>`)
  }
</main>
<footer>Written by berth. This file needs no network and runs no script.</footer>
</body>
</html>
`;
  return page.text;
}

function section(id: string, title: string, content: Content): Markup {
  return markup`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;
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

/** `2025-03-01T09:30:12.000Z` as `2025-03-01 09:30 UTC`; any other form as it is. */
function readableTime(time: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z$/.exec(time);
  return parts === null ? time : `${parts[1]} ${parts[2]} UTC`;
}

function evaluationTable(evaluations: readonly EvaluationRecord[]): Markup {
  const shown = evaluations.slice(-MOST_EVALUATIONS);
  const losses = evaluations.some(({ loss }) => loss !== undefined);
  const rows = shown.map(({ step, epoch, loss, accuracy }) =>
    markup`<tr><th scope="row" class="number">${formatCount(step)}</th><td class="number">${
      epoch.toFixed(2)
    }</td><td class="number">${formatPercent(accuracy, 2)}</td>${
      losses && markup`<td class="number">${loss === undefined ? "—" : formatNumber(loss, 4)}</td>`
    }</tr>`
  );
  const note = evaluations.length === shown.length
    ? "On held-out examples"
    : `The last ${formatCount(shown.length)} of ${formatCount(evaluations.length)}`;
  return markup`<div class="card long"><div class="scroll rows" tabindex="0" role="region" aria-label="Evaluations"><table class="compact">
<caption><h3>Evaluations</h3><p class="note">${note}</p></caption>
<thead><tr><th scope="col" class="number">Step</th><th scope="col" class="number">Epoch</th><th scope="col" class="number">Accuracy</th>${
    losses && markup`<th scope="col" class="number">Loss</th>`
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
    known.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${String(value)}</dd></div>`)
  }</dl></div>`;
}

function codeCard({ title, language, text }: CodeExample): Markup {
  return markup`<div class="card"><h3>${title}</h3><pre tabindex="0"><code${
    language !== undefined && markup` class="language-${language}"`
  }>${text}</code></pre></div>`;
}
