/**
 * `berth report`: the report of a run again, or several runs on one page.
 *
 * @module
 */
import { fileUrl, folderUrl, writeFileWhole } from "../runtime/files.ts";
import { trainingReport } from "../report/mod.ts";
import { type Command, defineCommand } from "./command.ts";
import { COMPARISON_FILE, readResults, writeComparison, writePages } from "./run_results.ts";

/** Runs on one page at most. */
const MOST_RUNS = 12;

export const command: Command = defineCommand({
  usage: "FOLDER... [--out FILE]",
  about:
    `Makes report.html and figures/ of a run again from its results.json and metrics.jsonl; of several runs,
one page with their curves, the settings that differ, metrics and speed.`,
  words: [1, MOST_RUNS],
  flags: {
    out: {
      ...{ kind: "text", value: "FILE", short: "o" },
      help: "the page; default: report.html of the run, compare.html of several",
    },
  },
  examples: [
    ["berth report out/run", "writes out/run/report.html again"],
    ["berth report out/run out/second --out compare.html", "two runs on one page"],
  ],
  async run({ values: { out }, positionals, terminal, json }) {
    const [first] = positionals;
    if (positionals.length > 1) await writeComparison(fileUrl(out ?? COMPARISON_FILE), positionals);
    else {
      const run = await readResults(first);
      if (out === undefined) await writePages(folderUrl(first), run);
      else await writeFileWhole(fileUrl(out), [new TextEncoder().encode(trainingReport(run))]);
    }
    const wrote = out ?? (positionals.length > 1 ? COMPARISON_FILE : `${first}: report.html figures/`);
    if (json) await terminal.out(JSON.stringify({ wrote, runs: positionals }) + "\n");
    else terminal.note(`wrote ${wrote}`);
  },
});
