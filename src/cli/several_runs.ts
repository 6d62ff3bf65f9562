/**
 * Several runs of the same settings: one a seed, or one a fold, each into a folder of its own; their mean and deviation.
 *
 * @module
 */
import { mean } from "../metrics/check.ts";
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import type { Metrics } from "../train/mod.ts";
import { shortNumber } from "./results.ts";
import { COMPARISON_FILE, writeComparison } from "./run_results.ts";
import type { FullSettings } from "./run_settings.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** One of several runs. */
export interface OneRun {
  /** Such as `seed 3`. */
  readonly name: string;
  readonly settings: FullSettings;
}

/** What came of one. */
export interface Outcome {
  readonly name: string;
  /** Its folder. */
  readonly out: string;
  readonly metrics: Metrics;
}

/** The runs that are asked for; undefined if it is a single one. */
export function severalRuns(
  settings: FullSettings,
  seeds: readonly number[] | undefined,
): OneRun[] | undefined {
  const { folds, fold, out } = settings;
  if (settings.train === "-" && (seeds ?? (folds !== undefined && fold === undefined))) {
    throw new UsageError(
      "Cannot make several runs of standard input: it is read once only; a file is wanted",
    );
  }
  if (seeds) {
    if (folds !== undefined) {
      throw new UsageError("Cannot use --seeds and --folds together: one of them is wanted");
    }
    return seeds.map((seed) => ({
      name: `seed ${seed}`,
      settings: { ...settings, seed, out: `${out}/seed-${seed}` },
    }));
  }
  if (folds === undefined || fold !== undefined) return undefined;
  return Array.from({ length: folds }, (_, i) => ({
    name: `fold ${i + 1} of ${folds}`,
    settings: { ...settings, fold: i + 1, out: `${out}/fold-${i + 1}` },
  }));
}

/** Metrics of a test, without times. */
const MEASURED = /^(eval|test)_/;

/** Writes the mean and the standard deviation (of a sample: with n - 1) of each metric. */
export async function tellOutcomes(
  out: string,
  runs: readonly Outcome[],
  terminal: Terminal,
  json: boolean,
): Promise<void> {
  const names = Object.keys(runs[0].metrics).filter((name) => MEASURED.test(name));
  const over = (of: (values: number[]) => number): Metrics =>
    Object.fromEntries(names.map((name) => [name, of(runs.map(({ metrics }) => metrics[name]))]));
  const deviation = (values: number[]) => {
    const middle = mean(values), sum = values.reduce((all, x) => all + (x - middle) ** 2, 0);
    return values.length > 1 ? Math.sqrt(sum / (values.length - 1)) : 0;
  };
  const summary = { out, runs, mean: over(mean), std: over(deviation) };
  const file = new URL("summary.json", folderUrl(out));
  await writeFileWhole(file, [new TextEncoder().encode(JSON.stringify(summary, null, 2) + "\n")]);
  const folders = runs.map((run) => run.out), isSeveral = runs.length > 1;
  if (isSeveral) await writeComparison(new URL(COMPARISON_FILE, folderUrl(out)), folders);
  if (json) return await terminal.out(JSON.stringify(summary) + "\n");
  const width = Math.max(6, ...names.map((name) => name.length));
  const line = (name: string, ...cells: string[]) =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(12)).join("")}\n`;
  const rows = names.map((name) =>
    line(name, shortNumber(summary.mean[name]), shortNumber(summary.std[name]))
  );
  await terminal.out(line("metric", "mean", "std") + rows.join(""));
  terminal.note(
    `wrote ${out}: ${folders.map((folder) => folder.split("/").at(-1) + "/").join(" ")} summary.json${
      isSeveral ? ` ${COMPARISON_FILE}` : ""
    }`,
  );
}
