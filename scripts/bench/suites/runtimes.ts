/**
 * Training steps a second of the npm package, by runtime, profile and threads: berth-tiny, 8 sentences, AdamW. The
 * package is built and installed as a user would, into pages by Vite, esbuild and an import map, into workerd by esbuild. In
 * the profiles `simd` and `single` the losses must have the same bits everywhere.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { barPlot } from "../../../src/report/mod.ts";
import { browserPath } from "../../../tests/browser/browsers.ts";
import { buildProject } from "../../../tests/browser/project.ts";
import { type CommandLineRuntime, RUNTIMES } from "../../package/runtimes.ts";
import {
  type Bench,
  compareChecks,
  type Contender,
  denoContender,
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

/** One line of the table. */
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
    const places = [
      ...(await Promise.all(RUNTIMES.map((runtime) => placesOf(runtime, app, bench.threads)))).flat(),
      ...await pagePlaces(bench),
      ...edgePlaces(app),
    ];
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
  bench.chart("runtimes", suite.title, rateChart(rows));
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

const contender = (file: string) => new URL(`../contenders/${file}`, import.meta.url);

/** The pages' sources. */
const PAGES = {
  "main.ts": contender("page_main.ts"),
  "worker.ts": contender("page_worker.ts"),
  "package_work.mjs": contender("package_work.mjs"),
};

/** Pages in the browsers of this machine: isolated ones have threads, others not. */
async function pagePlaces(bench: Bench): Promise<Place[]> {
  const browsers = (["chromium", "firefox"] as const).filter((name) => browserPath(name));
  if (browsers.length === 0) return [];
  bench.say("building the pages");
  const pages = await buildProject(PAGES);
  const { threads } = bench;
  const ways = [["single", 1, false], ["simd", threads, true], ["relaxed", threads, true]] as const;
  return browsers.flatMap((browser) =>
    pages.flatMap(({ name, folder, query, scripts }) =>
      ways.map((
        [profile, threads, isolated],
      ): Place => ({
        ...{ profile, threads, name: `${title(browser)}, ${name}${isolated ? ", isolated" : ""}` },
        start: () => {
          const options = [browser, folder.href, query, scripts, isolated, profile, threads];
          const command = denoContender("browser_steps.ts", ...options.map(String));
          return startContender(command, { name: `${browser}, ${name}` });
        },
      }))
    )
  );
}

/** Functions at the edge: no threads. */
function edgePlaces(app: string): Place[] {
  const single = { profile: "single", threads: 1 } as const;
  return [
    {
      ...{ ...single, name: "workerd (Cloudflare Workers)" },
      start: () => startContender(denoContender("workerd_steps.ts"), { name: "workerd" }),
    },
    {
      ...{ ...single, name: "Lambda-style handler, Node 20" },
      start: async () => {
        const node = await RUNTIMES.find(({ name }) => name === "Node 20")!.command();
        return await startContender([...node, "lambda_steps.mjs"], { name: "Lambda handler", cwd: app });
      },
    },
  ];
}

const title = (name: string) => name[0].toUpperCase() + name.slice(1);

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
  for (const file of ["package_steps.mjs", "package_work.mjs", "lambda_steps.mjs", "speak.mjs"]) {
    cpSync(contender(file), `${app}/${file}`);
  }
  return app;
}

/** The rates as bars. */
function rateChart(rows: readonly Row[]): string {
  const values = rows.map(({ ours }) => ours.median);
  return barPlot({
    ...{ title: "Training steps a second: berth-tiny, 8 sentences", width: 720 },
    ...{ labels: rows.map(({ work }) => work), series: [{ name: "steps a second", values }] },
  });
}

function stepsPerSecond({ median, min, max, runs }: Timing): Timing {
  return { median: 1000 / median, min: 1000 / max, max: 1000 / min, runs, unit: "steps/s" };
}
