/** The npm package in real browsers: the same bits as in Deno, however it gets into the page. */
import { deepStrictEqual, ok } from "node:assert/strict";
import * as berth from "../../mod.ts";
import { serve } from "../../scripts/browser/serve.ts";
import { type BrowserName, browserPath, complaints, launch } from "./browsers.ts";
import { type JobResult, trainingJob } from "./pages/job.ts";
import { buildProject, type Built } from "./project.ts";

const POLICY = (scripts: string) =>
  `default-src 'none'; script-src 'self' 'wasm-unsafe-eval' ${scripts}; worker-src 'self'; connect-src 'self'; img-src data:`;

interface Run {
  place: string;
  result: JobResult;
}

const RUNS: Run[] = [];
let built: Promise<Built[]> | undefined, wanted: Promise<JobResult> | undefined;

async function inDeno(): Promise<JobResult> {
  const result = await trainingJob(berth as unknown as Parameters<typeof trainingJob>[0], {
    ...{ profile: "simd", threads: 2 },
  });
  RUNS.push({ place: `Deno ${Deno.version.deno}`, result });
  return result;
}

function numbersOf({ losses, gradientNorms, scores }: JobResult): unknown {
  return { losses, gradientNorms, scores };
}

for (const name of ["chromium", "firefox"] as const) {
  const path = browserPath(name);
  for (const way of ["Vite", "esbuild", "no bundler"] as const) {
    Deno.test({
      name:
        `${name}, ${way}: training gives Deno's bits, isolated and not, in a worker and on the page's thread`,
      ignore: !path,
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => runAll(name, path!, way),
    });
  }
}

async function runAll(name: BrowserName, path: string, way: Built["name"]): Promise<void> {
  const { folder, query, scripts } = (await (built ??= buildProject())).find((page) => page.name === way)!;
  const expected = await (wanted ??= inDeno()), browser = await launch(name, path);
  try {
    for (const isolated of [true, false]) {
      const server = await serve(folder, {
        isolated,
        headers: { "content-security-policy": POLICY(scripts) },
      });
      for (const place of ["worker", "page"]) {
        const page = await browser.newPage(), said = complaints(page);
        const options = isolated ? "&profile=simd&threads=2" : "";
        await page.goto(`${server.url}?in=${place}${options}${query}`);
        const job = await page.evaluate(() => (globalThis as unknown as { job: Promise<unknown> }).job);
        const { result, error } = job as { result?: JobResult; error?: string };
        const where = `${name}, ${way}, ${isolated ? "isolated" : "not isolated"}, ${place}`;
        ok(result, `${where}: ${error}`);
        deepStrictEqual(numbersOf(result), numbersOf(expected), where);
        deepStrictEqual([result.profile, result.threads], isolated ? ["simd", 2] : ["single", 1], where);
        deepStrictEqual(said, [], where);
        RUNS.push({ place: where, result });
        await page.close();
      }
      await server.close();
    }
  } finally {
    await browser.close();
  }
}

addEventListener("unload", () => {
  if (RUNS.length === 0) return;
  const rows = RUNS.map(({ place, result: { profile, threads, initMs, stepsPerSecond } }) =>
    [place.padEnd(44), profile, threads, `${initMs.toFixed(0)} ms`, stepsPerSecond.toFixed(1)].join("  ")
  );
  console.log(["place, profile, threads, start, steps a second", ...rows].join("\n"));
});
