/** The npm package in real browsers: the same bits as in Deno, however it gets into the page. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
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

const RUNS: Run[] = [], SIZES: string[] = [];
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
        if (!isolated && place === "page") checkLoaded(folder, server.requests, where, JS_BUDGETS[way]);
        server.requests.length = 0;
        await page.close();
      }
      await server.close();
    }
  } finally {
    await browser.close();
  }
}

Deno.test({
  name: "chromium, firefox: the modules of another origin, as of a CDN, start their threads",
  ignore: !browserPath("chromium") || !browserPath("firefox"),
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { folder } = (await (built ??= buildProject())).find((page) => page.name === "no bundler")!;
    const headers = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" };
    const cdn = await serve(folder, { headers }), server = await serve(folder);
    try {
      for (const name of ["chromium", "firefox"] as const) {
        const browser = await launch(name, browserPath(name)!), page = await browser.newPage();
        await page.goto(`${server.url}berth/package.json`); // any page of the origin
        const shapeAndThreads = await page.evaluate(async (module) => {
          const { BertForSequenceClassification, init } = await import(module) as typeof berth;
          await init({ profile: "simd", threads: 2 });
          const model = await BertForSequenceClassification.from_pretrained("berth-tiny", {
            ...{ num_labels: 2, seed: 7, on_report: () => {} },
          });
          return model.forward({ input_ids: [[101, 102]] }).logits.shape.concat(model.runtime.threads);
        }, `${cdn.url}berth/browser/berth.js`);
        deepStrictEqual(shapeAndThreads, [1, 2, 2], name);
        await browser.close();
      }
    } finally {
      await Promise.all([cdn.close(), server.close()]);
    }
  },
});

/** What a page may load of scripts, in bytes as gzip makes them. Without a bundler nothing that is unused is left out. */
const JS_BUDGETS: Readonly<Record<Built["name"], number>> = {
  ...{ Vite: 230_000, esbuild: 230_000, "no bundler": 300_000 },
};
/** The same for each .wasm: our kernels, tfjs's module. */
const WASM_BUDGETS = { kernels: 18_000, tfjs: 145_000 };

/** A page with one thread loads two .wasm, and the checkpoint when it asks for it; nothing of the hub's client. */
function checkLoaded(folder: URL, requests: readonly string[], where: string, budget: number): void {
  const paths = requests.map((request) => request.split("?")[0].slice(1));
  const bytesOf = (path: string) => gzipSync(readFileSync(new URL(path, folder))).length;
  const scripts = paths.filter((path) => path.endsWith(".js")),
    wasm = paths.filter((path) => path.endsWith(".wasm"));
  const total = scripts.reduce((sum, path) => sum + bytesOf(path), 0);
  SIZES.push(
    `${where}: ${scripts.length} scripts, ${total} bytes; ${
      wasm.map((path) => `${path}, ${bytesOf(path)}`).join("; ")
    }`,
  );
  ok(total <= budget, `${where}: ${total} bytes of scripts, the budget is ${budget}`);
  deepStrictEqual(scripts.filter((path) => /\bhub\b/.test(path)), [], where);
  deepStrictEqual(wasm.map((path) => /kernels_single|tfjs-backend-wasm-simd/.exec(path)?.[0]).sort(), [
    ...["kernels_single", "tfjs-backend-wasm-simd"],
  ], where);
  for (const path of wasm) {
    ok(bytesOf(path) <= WASM_BUDGETS[/kernels/.test(path) ? "kernels" : "tfjs"], `${where}: ${path}`);
  }
  const weights = paths.findIndex((path) => path.endsWith(".safetensors"));
  ok(
    weights > Math.max(...wasm.map((path) => paths.indexOf(path))),
    `${where}: the checkpoint comes on demand`,
  );
}

addEventListener("unload", () => {
  if (RUNS.length === 0) return;
  const rows = RUNS.map(({ place, result: { profile, threads, initMs, stepsPerSecond } }) =>
    [place.padEnd(44), profile, threads, `${initMs.toFixed(0)} ms`, stepsPerSecond.toFixed(1)].join("  ")
  );
  console.log(
    ["place, profile, threads, start, steps a second", ...rows, "what is loaded (gzip)", ...SIZES].join("\n"),
  );
});
