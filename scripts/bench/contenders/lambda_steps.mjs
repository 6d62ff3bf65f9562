// Training steps in a function as AWS Lambda calls it, in Node: the edge build, a handler, one run a call. Copied beside the
// installed package.
import { existsSync, readFileSync } from "node:fs";
import * as berth from "@berth/berth/edge";
import { startWork, STEPS } from "./package_work.mjs";
import { speak } from "./speak.mjs";

const packaged = (name) => new URL(import.meta.resolve(`@berth/berth/${name}`));
const compiled = (name) => new WebAssembly.Module(readFileSync(packaged(name)));
let work;

/** Starts in its first call, makes the steps of one run in each later one. */
async function handler() {
  if (work) work.run();
  else {
    const wasm = { tfjs: compiled("tfjs-backend-wasm-simd.wasm"), kernels: compiled("kernels_single.wasm") };
    await berth.init({ wasm });
    const read = (name) => {
      const file = packaged(`berth-tiny/${name}`);
      return existsSync(file) ? new Uint8Array(readFileSync(file)) : null;
    };
    work = await startWork(berth, await berth.readModelFiles(read, { name: "berth-tiny" }));
  }
  return work.check;
}

await speak(await handler(), async () => {
  const start = performance.now();
  await handler();
  return (performance.now() - start) / STEPS;
});
