/**
 * `berth report`: the report of a run again, or several runs on one page.
 *
 * @module
 */
import { fileUrl, folderUrl, writeFileWhole } from "../runtime/files.ts";
import { compareRuns, trainingReport } from "../report/mod.ts";
import { type Command, defineCommand } from "./command.ts";
import { readResults, writePages } from "./run_results.ts";

/** Runs on one page at most: the curves have so many colours and dashes. */
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
  async run({ values, positionals, terminal, json }) {
    const runs = [];
    for (const folder of positionals) runs.push({ name: folder, run: await readResults(folder) });
    const write = async (file: string, html: string) => {
      await writeFileWhole(fileUrl(file), [new TextEncoder().encode(html)]);
      return file;
    };
    const [{ name, run }] = runs, { out } = values;
    const wrote = runs.length > 1
      ? await write(out ?? "compare.html", compareRuns(runs))
      : out !== undefined
      ? await write(out, trainingReport(run))
      : await writePages(folderUrl(name), run).then(() => `${name}: report.html figures/`);
    if (json) await terminal.out(JSON.stringify({ wrote, runs: positionals }) + "\n");
    else terminal.note(`wrote ${wrote}`);
  },
});
