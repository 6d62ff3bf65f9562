/**
 * The benchmark: verifies, times in turns and compares with peers, every work in a child process of its own. Prints a
 * table per suite, writes bench.json and SVG charts into out/bench, and with --write-docs docs/performance.md.
 *
 *     deno task bench [--only gemm,start] [--rounds 5] [--threads 2] [--python PYTHON] [--quick] [--full] [--write-docs]
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { folderUrl, writeFileWhole } from "../../src/runtime/files.ts";
import { logicalCores } from "../../src/runtime/platform.ts";
import { ratioChart } from "./chart.ts";
import { CHART_FOLDER, performancePage, type Results, type SuiteResult } from "./docs.ts";
import type { Bench, Row, Suite } from "./harness.ts";
import { describeMachine, type Machine, machineLine } from "./machine.ts";
import { openPeers, pythonOfEnvironment } from "./peers.ts";
import { SUITES } from "./suites/mod.ts";
import { textTable } from "./table.ts";

const HELP = `Times berth and its peers.

  --only NAMES     suites, by commas: ${SUITES.map(({ name }) => name).join(", ")}
  --rounds N       turns of each; default 5, or 3 with --quick
  --threads N      default: all logical cores
  --python PYTHON  has the peers' Python packages; default: BERTH_PYTHON, or an environment made for it
  --quick          fewer turns and cases
  --full           also whole epochs, which take minutes
  --out FOLDER     where results and peers go; default: out/bench
  --write-docs     writes docs/performance.md and its charts: of suites that do not run now, from their last results`;

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    threads: { type: "string", default: String(logicalCores()) },
    python: { type: "string", default: pythonOfEnvironment() },
    out: { type: "string", default: "out/bench" },
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
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

/** Runs one suite and writes its charts; if it fails, the others still run. */
async function runSuite(suite: Suite, bench: Omit<Bench, "say" | "chart">, out: URL): Promise<SuiteResult> {
  const begin = performance.now(),
    { name, title } = suite,
    charts: { name: string; title: string; svg: string }[] = [];
  const facts = {
    name,
    title,
    date: new Date().toISOString().slice(0, 10),
    rounds: bench.rounds,
    quick: bench.quick,
  };
  let rows: Row[] = [], error: string | undefined;
  try {
    rows = await suite.run({
      ...{ ...bench, say: (line) => say(`${name}: ${line}`) },
      chart: (name, title, svg) => charts.push({ name, title, svg }),
    });
    const svg = ratioChart(title, rows);
    if (svg) charts.unshift({ name, title, svg });
  } catch (problem) {
    error = problem instanceof Error ? problem.message : String(problem);
  }
  for (const { name, svg } of charts) await write(new URL(`${name}.svg`, out), svg);
  const seconds = Math.round((performance.now() - begin) / 1000);
  return { ...facts, rows, charts: charts.map(({ name, title }) => ({ name, title })), seconds, error };
}

function print({ title, rows, error, seconds }: SuiteResult): void {
  console.log(`\n${title} (${seconds} s)`);
  if (error) console.log(`failed: ${error}`);
  else if (rows.length === 0) console.log("no rows");
  else console.log(textTable(rows, { colours: process.stdout.isTTY === true }));
  console.log();
}

/** The new results, and the last ones of suites that did not run now. */
function allResults(file: URL, machine: Machine, now: readonly SuiteResult[]): Results {
  const earlier = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) as Results : undefined;
  const known = [...now, ...earlier?.suites ?? []];
  const suites = SUITES.flatMap(({ name }) => known.find((result) => result.name === name) ?? []);
  return { machine: { ...machine, versions: { ...earlier?.machine.versions, ...machine.versions } }, suites };
}

async function main(): Promise<boolean> {
  const out = folderUrl(flags.out), shared = new URL("../../../shared/", import.meta.url);
  const threads = count("threads", flags.threads), now: SuiteResult[] = [];
  const rounds = count("rounds", flags.rounds ?? (flags.quick ? "3" : "5"));
  const peers = openPeers({ folder: new URL("peers/", out), python: flags.python, say });
  const bench = {
    threads,
    rounds,
    quick: flags.quick,
    full: flags.full,
    peers,
    ...existsSync(shared) && { shared },
  };
  const file = new URL("bench.json", out);
  for (const suite of chosenSuites()) {
    say(`${suite.name}: ${suite.title}`);
    now.push(await runSuite(suite, bench, out));
    print(now.at(-1)!);
  }
  const machine = await describeMachine(threads, peers.versions()), results = allResults(file, machine, now);
  await write(file, JSON.stringify(results, null, 2));
  console.log(`${machineLine(machine)}\nwrote bench.json and its charts to ${flags.out}`);
  if (flags["write-docs"]) await writeDocs(results, out);
  return now.every(({ error }) => error === undefined);
}

async function writeDocs(results: Results, out: URL): Promise<void> {
  const docs = new URL("../../docs/", import.meta.url), folder = new URL(`${CHART_FOLDER}/`, docs);
  const text = readFileSync(new URL("./performance_text.md", import.meta.url), "utf8");
  const charts = results.suites.flatMap(({ charts }) => charts);
  const missing = charts.find(({ name }) => !existsSync(new URL(`${name}.svg`, out)));
  if (missing) {
    throw new RangeError(
      `Cannot write the docs: ${missing.name}.svg is not in ${flags.out}; run its suite again`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  for (const { name } of charts) {
    cpSync(new URL(`${name}.svg`, out), new URL(`${name}.svg`, folder));
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
