/**
 * The benchmark: verifies, times in turns and compares with peers, every work in a child process of its own. Prints a
 * table per suite, writes bench.json and SVG charts into out/bench, and with --write-docs docs/performance.md.
 *
 *     deno task bench [--only gemm,start] [--rounds 5] [--threads 2] [--python PYTHON] [--quick] [--write-docs]
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { folderUrl, writeFileWhole } from "../../src/runtime/files.ts";
import { logicalCores } from "../../src/runtime/platform.ts";
import { ratioChart } from "./chart.ts";
import { CHART_FOLDER, performancePage, type Results, type SuiteResult } from "./docs.ts";
import type { Bench, Suite } from "./harness.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { openPeers, pythonOfEnvironment } from "./peers.ts";
import { SUITES } from "./suites/mod.ts";
import { textTable } from "./table.ts";

const HELP = `Times berth and its peers.

  --only NAMES     suites, by commas: ${SUITES.map(({ name }) => name).join(", ")}
  --rounds N       turns of each; default 5, or 3 with --quick
  --threads N      default: all logical cores
  --python PYTHON  has the peers' Python packages; default: BERTH_PYTHON, or an environment made for it
  --quick          fewer turns and cases
  --out FOLDER     where results and peers go; default: out/bench
  --write-docs     writes docs/performance.md and its charts from this run`;

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    threads: { type: "string", default: String(logicalCores()) },
    python: { type: "string", default: pythonOfEnvironment() },
    out: { type: "string", default: "out/bench" },
    quick: { type: "boolean", default: false },
    "write-docs": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const startedMs = performance.now();

/** A line of progress, with the time since the start. */
function say(line: string): void {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.error(
    `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, "0")}  ${line}`,
  );
}

async function write(file: URL, text: string): Promise<void> {
  mkdirSync(new URL(".", file), { recursive: true });
  await writeFileWhole(file, [new TextEncoder().encode(text)]);
}

/** The suites that were asked for. */
function chosenSuites(): readonly Suite[] {
  const names = flags.only?.split(",");
  const unknown = names?.find((name) => SUITES.every((suite) => suite.name !== name));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot run suite "${unknown}": there are ${SUITES.map(({ name }) => name).join(", ")}`,
    );
  }
  return SUITES.filter(({ name }) => names?.includes(name) ?? true);
}

/** A number from the command line. */
function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`Cannot run with --${name} ${text}: a whole number from 1 up is wanted`);
}

/** Runs one suite; if it fails, the others still run. */
async function runSuite(suite: Suite, bench: Omit<Bench, "say" | "chart">): Promise<SuiteResult> {
  const begin = performance.now(), { name, title } = suite;
  const result: SuiteResult = { name, title, rows: [], charts: [], seconds: 0 };
  try {
    result.rows = await suite.run({
      ...{ ...bench, say: (line) => say(`${name}: ${line}`) },
      chart: (name, title, svg) => result.charts.push({ name, title, svg }),
    });
    const svg = ratioChart(title, result.rows);
    if (svg) result.charts.unshift({ name, title, svg });
  } catch (error) {
    result.error = error instanceof Error ? error.message : String(error);
  }
  result.seconds = Math.round((performance.now() - begin) / 1000);
  return result;
}

async function main(): Promise<boolean> {
  const out = folderUrl(flags.out), shared = new URL("../../../shared/", import.meta.url);
  const threads = count("threads", flags.threads), suites: SuiteResult[] = [];
  const rounds = count("rounds", flags.rounds ?? (flags.quick ? "3" : "5"));
  const peers = openPeers({ folder: new URL("peers/", out), python: flags.python, say });
  const bench = { threads, rounds, quick: flags.quick, peers, ...existsSync(shared) && { shared } };
  for (const suite of chosenSuites()) {
    say(`${suite.name}: ${suite.title}`);
    const result = await runSuite(suite, bench);
    suites.push(result);
    console.log(`\n${suite.title}`);
    if (result.error) console.log(`failed: ${result.error}`);
    else if (result.rows.length === 0) console.log("no rows");
    else console.log(textTable(result.rows, { colours: process.stdout.isTTY === true }));
    console.log();
    for (const { name, svg } of result.charts) await write(new URL(`${name}.svg`, out), svg);
  }
  const machine = await describeMachine(threads, rounds, peers.versions()),
    results: Results = { machine, suites };
  const facts = suites.map(({ charts, ...rest }) => ({
    ...rest,
    charts: charts.map(({ name }) => `${name}.svg`),
  }));
  await write(new URL("bench.json", out), JSON.stringify({ machine, suites: facts }, null, 2));
  console.log(`${machineLine(machine)}\nwrote bench.json and its charts to ${flags.out}`);
  if (flags["write-docs"]) await writeDocs(results);
  return suites.every(({ error }) => error === undefined);
}

async function writeDocs(results: Results): Promise<void> {
  const docs = new URL("../../docs/", import.meta.url);
  const text = readFileSync(new URL("./performance_text.md", import.meta.url), "utf8");
  for (const { charts } of results.suites) {
    for (const { name, svg } of charts) await write(new URL(`${CHART_FOLDER}/${name}.svg`, docs), svg);
  }
  await write(new URL("performance.md", docs), performancePage(results, text));
  console.log("wrote docs/performance.md");
}

if (flags.help) console.log(HELP);
else {
  try {
    process.exit(await main() ? 0 : 1);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}
