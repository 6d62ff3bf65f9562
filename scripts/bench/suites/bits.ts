/**
 * The same training run in the profile `simd` in Deno, Node and Bun, on one thread and on several: losses and weights
 * must have the same bits everywhere.
 */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bench, denoContender, type Row, startContender, type Suite, timing } from "../harness.ts";

export const suite: Suite = {
  name: "bits",
  title: "A training run's bits in Deno, Node and Bun (profile simd)",
  run,
};

/** What the run imports. */
const SOURCES = ["src", "mod.ts", "scripts/bench/contenders"];

async function run(bench: Bench): Promise<Row[]> {
  const modules = await bench.peers.nodeModules(), versions = bench.peers.versions();
  const copy = copySources(modules), program = `${copy}/scripts/bench/contenders/bits_run.ts`;
  const runtimes: [name: string, command: string[]][] = [
    [`Deno ${Deno.version.deno}`, denoContender("bits_run.ts")],
    [`Node ${versions.node}`, [
      `${modules}/.bin/node`,
      "--experimental-transform-types",
      "--no-warnings",
      program,
    ]],
    [`Bun ${versions.bun}`, [`${modules}/.bin/bun`, program]],
  ];
  const rows: Row[] = [];
  let first: { hash: unknown; place: string } | undefined;
  try {
    for (const [name, command] of runtimes) {
      for (const threads of bench.threads === 1 ? [1] : [1, bench.threads]) {
        const place = `${name}, ${threads} thread${threads === 1 ? "" : "s"}`;
        bench.say(place);
        const contender = await startContender([...command, String(threads)], { name: place });
        await contender.end();
        const { hash, ms } = contender.info;
        first ??= { hash, place };
        if (hash !== first.hash) {
          throw new Error(
            `Cannot call the bits equal: ${place} has ${hash}, ${first.place} has ${first.hash}`,
          );
        }
        rows.push({
          ...{ work: `${contender.check.length} steps, ${place}`, ours: timing([Number(ms)], "ms") },
          ...{ goal: `the bits of ${first.place}`, met: true, command: "deno task bench --only bits" },
          verified: `hash of all losses and weights: ${hash}`,
        });
      }
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
  return rows;
}

/** Node and Bun look for packages in the folders above a module: a copy of the sources beside the peers' packages. */
function copySources(modules: string): string {
  const target = `${dirname(modules)}/berth`, root = fileURLToPath(new URL("../../../", import.meta.url));
  rmSync(target, { recursive: true, force: true });
  for (const source of SOURCES) {
    mkdirSync(dirname(`${target}/${source}`), { recursive: true });
    cpSync(`${root}${source}`, `${target}/${source}`, { recursive: true });
  }
  return target;
}
