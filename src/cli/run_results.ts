/**
 * results.json: what the report of a run shows, but for the steps and evaluations, which are in metrics.jsonl.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { filePath, folderUrl, readText, writeFileWhole, writeFolderWhole } from "../runtime/files.ts";
import {
  compareRuns,
  type EvaluationRecord,
  parseRunReport,
  reportFigures,
  type RunReport,
  type StepRecord,
  trainingReport,
} from "../report/mod.ts";
import { type EvaluationLine, LOG_FILE, parseLog, type StepLine } from "./run_log.ts";

/** The name of the file. */
export const RESULTS_FILE = "results.json";

/** The name of a page of several runs. */
export const COMPARISON_FILE = "compare.html";

/** Of the file's layout. */
const VERSION = 1;

/** Steps as the report takes them. */
export function stepRecords(lines: readonly StepLine[]): StepRecord[] {
  return lines.map(({ type: _, ...step }) => step);
}

/** Evaluations as the report takes them: no prefix before the metrics' names. */
export function evaluationRecords(lines: readonly EvaluationLine[]): EvaluationRecord[] {
  return lines.map(({ step, epoch, metrics, durationMs }) => {
    const { loss, accuracy, ...others } = withoutPrefix(metrics);
    return { step, epoch, loss, accuracy, metrics: others, durationMs };
  });
}

/** Metrics without `eval_` or `test_` before their names. */
export function withoutPrefix(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name.replace(/^(eval|test)_/, ""), value]),
  );
}

/** Writes results.json, report.html and figures/. */
export async function writeResults(out: URL, report: RunReport): Promise<void> {
  const { steps: _, evaluations: __, ...rest } = report;
  const text = JSON.stringify({ version: VERSION, report: rest }) + "\n";
  await writeFileWhole(new URL(RESULTS_FILE, out), [new TextEncoder().encode(text)]);
  await writePages(out, report);
}

/** Writes report.html and figures/. */
export async function writePages(out: URL, report: RunReport): Promise<void> {
  const bytes = (text: string) => [new TextEncoder().encode(text)];
  await writeFileWhole(new URL("report.html", out), bytes(trainingReport(report)));
  const figures = Object.entries(reportFigures(report));
  await writeFolderWhole(
    new URL("figures/", out),
    figures.map(([name, svg]) => ({ name, chunks: () => bytes(svg) })),
  );
}

/**
 * Writes one page of several runs.
 *
 * @param folders Of the runs, two at least.
 * @throws {DataError} if one has no results, or they are damaged.
 */
export async function writeComparison(file: URL, folders: readonly string[]): Promise<void> {
  const runs = [];
  for (const name of folders) runs.push({ name, run: await readResults(name) });
  await writeFileWhole(file, [new TextEncoder().encode(compareRuns(runs))]);
}

/**
 * Reads what the report of a run shows.
 *
 * @throws {DataError} if the folder has no results, or they are damaged.
 */
export async function readResults(folder: string): Promise<RunReport> {
  const base = folderUrl(folder), file = new URL(RESULTS_FILE, base), text = await readText(file);
  const refuse = (problem: string) => new DataError(`Cannot report on ${filePath(base)}: ${problem}`);
  if (text === null) throw refuse(`there is no ${RESULTS_FILE}; berth train writes it when a run has ended`);
  let json: { version?: unknown; report?: object } | null;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refuse(`${RESULTS_FILE} is no JSON (${(error as Error).message})`);
  }
  if (json?.version !== VERSION) {
    throw refuse(`the version of ${RESULTS_FILE} is ${JSON.stringify(json?.version)}, ${VERSION} is wanted`);
  }
  const lines = parseLog(await readText(new URL(LOG_FILE, base)) ?? "");
  return parseRunReport({
    ...json.report,
    steps: stepRecords(lines.filter((line) => line.type === "step")),
    evaluations: evaluationRecords(lines.filter((line) => line.type === "evaluate")),
  });
}
