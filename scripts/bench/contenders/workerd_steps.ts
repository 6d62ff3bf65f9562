/** Training steps with the npm package in workerd, the runtime of Cloudflare Workers: one run a request. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { Host } from "../../../tests/edge/host.ts";
import { openWorkshop, place } from "../../../tests/edge/workshop.ts";
import { STEPS } from "./package_work.mjs";
import { speak } from "./speak.mjs";

/** Clocks stand still in workerd while it computes: the time is taken by who asks. */
const WORKER = `import * as berth from "@berth/berth/edge";
import kernels from "@berth/berth/kernels_single.wasm";
import tfjs from "@berth/berth/tfjs-backend-wasm-simd.wasm";
import { startWork } from "./package_work.mjs";

let work;

export default {
  async fetch(_request, { BUCKET }) {
    if (work) work.run();
    else {
      await berth.init({ wasm: { tfjs, kernels } });
      const read = (name) => BUCKET.get("berth-tiny/" + name);
      work = await startWork(berth, await berth.readModelFiles(read, { name: "berth-tiny" }));
    }
    return Response.json(work.check);
  },
};`;

const shop = await openWorkshop();
if (!shop) throw new Error("Cannot time workerd: npm cannot be reached");
const folder = new URL("bench/", shop);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("worker.js", folder), WORKER);
cpSync(new URL("package_work.mjs", import.meta.url), new URL("package_work.mjs", folder));
execFileSync(fileURLToPath(new URL("node_modules/.bin/esbuild", shop)), [
  ...["worker.js", "--bundle", "--minify", "--format=esm", "--target=es2022", "--loader:.wasm=copy"],
  ...["--asset-names=[name]", "--outdir=dist", "--log-level=error"],
], { cwd: fileURLToPath(folder) });
const model = fileURLToPath(new URL("../../../src/assets/berth-tiny/", import.meta.url));
const options = {
  folder: fileURLToPath(new URL("dist/", folder)),
  model,
  persist: mkdtempSync(`${tmpdir()}/workerd`),
};
const host = await Host.start("node", [
  fileURLToPath(place(shop, "miniflare_host.js")),
  JSON.stringify(options),
]);

/** One request. */
async function ask(): Promise<number[]> {
  const response = await fetch(host.url);
  if (!response.ok) {
    throw new Error(`Cannot time workerd: it answered ${response.status} ${await response.text()}`);
  }
  return await response.json();
}

await speak(await ask(), async () => {
  const start = performance.now();
  await ask();
  return (performance.now() - start) / STEPS;
});
