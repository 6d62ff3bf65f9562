/**
 * docs/runtimes.md and its chart from the last results of the suite `runtimes`:
 *
 *     deno task bench --only runtimes && deno run -A scripts/bench/runtimes_page.ts [FOLDER OF RESULTS]
 */
import { cpSync, readFileSync } from "node:fs";
import process from "node:process";
import { folderUrl, writeFileWhole } from "../../src/runtime/files.ts";
import type { Results, SuiteResult } from "./docs.ts";
import { type Machine, machineLine } from "./machine.ts";
import { formatFigure } from "./table.ts";

const TEXT = `# Runtimes

One npm package trains in all of these. The work is the same everywhere: berth-tiny (1.8 M parameters), 8 sentences, one step of
AdamW with clipping; a figure is the median of turns of 20 steps, after one turn that does not count. The package is built
and installed as a user would; pages are built by Vite, by esbuild, or not at all (an import map), and train in a Web Worker.
"Isolated" pages are cross-origin isolated and have threads, others have one. Before anything is timed, the first six losses
are compared: the profiles \`simd\` and \`single\` must give the same bits in V8 (Deno, Node, Chromium, workerd),
JavaScriptCore (Bun) and SpiderMonkey (Firefox); \`relaxed\` uses the processor's fused multiply-add and may differ in the last
digits.

Safari runs only on Apple's systems and was not run: Bun stands in for its engine, not for its workers and memory limits.
Clocks stand still in a Worker of Cloudflare's while it computes, so that the time is that of whole requests of 20 steps.
`;

/** The page. */
function runtimesPage({ rows, date, rounds, title }: SuiteResult, machine: Machine): string {
  const lines = rows.map(({ work, ours, verified }) => {
    const [, place, profile, threads] = /^(.*), (\w+), (\d+) threads?$/.exec(work)!;
    return `| ${place} | ${profile} | ${threads} | ${formatFigure(ours.median)} | ${verified} |`;
  });
  return [
    TEXT,
    `${date}, ${rounds} turns: ${machineLine(machine)}.`,
    "The machine was shared: figures vary by half and more from run to run, the losses do not.",
    "",
    "    deno task bench --only runtimes",
    "    deno run -A scripts/bench/runtimes_page.ts",
    "",
    "| runtime | profile | threads | steps a second | losses |",
    "| --- | --- | ---: | ---: | --- |",
    ...lines,
    "",
    `![${title}](runtimes.svg)`,
    "",
  ].join("\n");
}

const out = folderUrl(process.argv[2] ?? "out/bench"), docs = new URL("../../docs/", import.meta.url);
const { suites, machine }: Results = JSON.parse(readFileSync(new URL("bench.json", out), "utf8"));
const suite = suites.find(({ name }) => name === "runtimes");
if (!suite || suite.error) {
  throw new Error(`Cannot write the page: ${suite?.error ?? "the suite runtimes did not run"}`);
}
await writeFileWhole(new URL("runtimes.md", docs), [new TextEncoder().encode(runtimesPage(suite, machine))]);
cpSync(new URL("runtimes.svg", out), new URL("runtimes.svg", docs));
