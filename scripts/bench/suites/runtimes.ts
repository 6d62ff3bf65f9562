/**
 * Training steps a second of the npm package, by runtime, profile and threads: berth-tiny, 8 sentences, AdamW. The
 * package is built and installed as a user would. In the profiles `simd` and `single` the losses must have the same
 * bits everywhere.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CommandLineRuntime, RUNTIMES } from "../../package/runtimes.ts";
import {
  type Bench,
  compareChecks,
  type Contender,
  type Row,
  startContender,
  type Suite,
  takeTurns,
  type Timing,
} from "../harness.ts";

export const suite: Suite = {
  name: "runtimes",
  title: "Training steps a second of the npm package, by runtime, profile and threads",
  run,
};

/** One line of the table. Browsers and edge runtimes can be among them: anything that answers as a contender. */
interface Place {
  name: string;
  profile: "relaxed" | "simd" | "single";
  threads: number;
  start(): Promise<Contender>;
}

/** How far the losses of a fused multiply-add may be from those without. */
const TOLERANCE = 1e-4;

const exec = promisify(execFile);

async function run(bench: Bench): Promise<Row[]> {
  const app = await installPackage(bench), rows: Row[] = [];
  let first: Contender | undefined;
  try {
    const places = (await Promise.all(RUNTIMES.map((runtime) => placesOf(runtime, app, bench.threads))))
      .flat();
    for (const { name, profile, threads, start } of places) {
      const work = `${name}, ${profile}, ${threads} thread${threads === 1 ? "" : "s"}`;
      bench.say(work);
      const contender = await start();
      first ??= contender;
      const difference = compareChecks(contender, first, profile === "relaxed" ? TOLERANCE : 0);
      const [time] = await takeTurns([contender], bench.rounds, 1);
      await contender.end();
      rows.push({
        ...{ work, ours: stepsPerSecond(time), command: "deno task bench --only runtimes" },
        verified: difference === 0
          ? `losses have the bits of ${first.name}`
          : `losses within ${difference.toExponential(0)} of ${first.name}`,
      });
    }
  } finally {
    rmSync(app, { recursive: true });
  }
  return rows;
}

/** The profiles and threads that a runtime is timed with. */
async function placesOf(
  { name, command, best }: CommandLineRuntime,
  app: string,
  threads: number,
): Promise<Place[]> {
  const started = await command();
  const ways: [profile: Place["profile"], threads: number][] = [["single", 1], ["simd", 1]];
  if (threads > 1) ways.push(["simd", threads]);
  if (best === "relaxed") ways.push(["relaxed", threads]);
  return ways.map(([profile, threads]) => ({
    ...{ name, profile, threads },
    start: () =>
      startContender([...started, "package_steps.mjs", profile, String(threads)], { name, cwd: app }),
  }));
}

/** An empty project with the package and the program. */
async function installPackage(bench: Bench): Promise<string> {
  const app = `${dirname(await bench.peers.nodeModules())}/package-app`,
    root = new URL("../../../", import.meta.url);
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  writeFileSync(`${app}/package.json`, JSON.stringify({ name: "app", private: true, type: "module" }));
  bench.say("building and installing the package");
  await exec(Deno.execPath(), ["task", "build:npm:offline", "--out", `${app}/npm`], {
    cwd: fileURLToPath(root),
  });
  await exec("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `${app}/npm/package.tgz`], {
    cwd: app,
  });
  for (const file of ["package_steps.mjs", "speak.mjs"]) {
    cpSync(new URL(`../contenders/${file}`, import.meta.url), `${app}/${file}`);
  }
  return app;
}

function stepsPerSecond({ median, min, max, runs }: Timing): Timing {
  return { median: 1000 / median, min: 1000 / max, max: 1000 / min, runs, unit: "steps/s" };
}
