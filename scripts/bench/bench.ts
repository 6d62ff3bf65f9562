/**
 * The benchmark: verifies, times in turns and compares with peers, every work in a child process of its own.
 *
 *     deno task bench [--only gemm,start] [--rounds 5] [--threads 2] [--python PYTHON] [--quick] [--write-docs]
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { folderUrl, writeFileWhole } from "../../src/runtime/files.ts";
import { logicalCores } from "../../src/runtime/platform.ts";
import { type Bench, type Row } from "./harness.ts";
import { openPeers, pythonOfEnvironment } from "./peers.ts";
import { SUITES } from "./suites/mod.ts";

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    threads: { type: "string", default: String(logicalCores()) },
    python: { type: "string", default: pythonOfEnvironment() },
    out: { type: "string", default: "out/bench" },
    quick: { type: "boolean", default: false },
  },
});
const out = folderUrl(flags.out), shared = new URL("../../../shared/", import.meta.url);
const say = (line: string) => console.error(line);
const bench: Bench = {
  threads: Number(flags.threads),
  rounds: Number(flags.rounds ?? (flags.quick ? 3 : 5)),
  quick: flags.quick,
  peers: openPeers({ folder: new URL("peers/", out), python: flags.python, say }),
  say,
  chart: (name, _title, svg) =>
    void writeFileWhole(new URL(`${name}.svg`, out), [new TextEncoder().encode(svg)]),
  shared: existsSync(shared) ? shared : undefined,
};
const chosen = flags.only?.split(",");
const results: { name: string; title: string; rows: Row[] }[] = [];
for (const suite of SUITES) {
  if (chosen && !chosen.includes(suite.name)) continue;
  say(`${suite.name}: ${suite.title}`);
  results.push({ name: suite.name, title: suite.title, rows: await suite.run(bench) });
}
const json = new TextEncoder().encode(JSON.stringify(results, null, 2));
await writeFileWhole(new URL("bench.json", out), [json]);
process.exit(0);
