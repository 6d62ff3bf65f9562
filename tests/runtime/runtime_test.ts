/** Starting and ending the backend: profiles, threads, globals as before, scripts that end by themselves. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { dispose, init, type Profile, runtime } from "../../src/runtime/mod.ts";

const run = promisify(execFile);

for (
  const [profile, threads] of [["relaxed", 1], ["relaxed", 2], ["relaxed", 3], ["simd", 2], [
    "single",
    1,
  ]] as [Profile, number][]
) {
  Deno.test(`profile ${profile} with ${threads} threads: tfjs and our kernels compute on one memory`, async () => {
    const started = await init({ profile, threads });
    deepStrictEqual([started.profile, started.threads, tf.getBackend()], [profile, threads, "wasm"]);
    const a = tf.randomUniform([70, 90]), b = tf.randomUniform([90, 50]), c = tf.matMul(a, b);
    const want =
      tf.sum(tf.mul(tf.slice(a, [3, 0], [1, 90]), tf.transpose(tf.slice(b, [0, 7], [90, 1])))).dataSync()[0];
    ok(Math.abs((c.arraySync() as number[][])[3][7] - want) < 1e-4);
    const { tensor, pointer } = started.emptyTensor([1000]);
    started.heap.floats(pointer, 1000).fill(2);
    started.pool.run("multiply", 1, 1, pointer, pointer, pointer, 1000);
    strictEqual(tf.sum(tensor).dataSync()[0], 4000);
    dispose();
  });
}

Deno.test("nothing global is left changed, and the stock backend is back after dispose", async () => {
  const before = {
    worker: Object.getOwnPropertyDescriptor(globalThis, "Worker"),
    listeners: ["uncaughtException", "unhandledRejection"].map((e) => process.listenerCount(e)),
    flag: await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT"),
    factory: tf.findBackendFactory("wasm"),
  };
  await init({ threads: 2 });
  const check = async () => {
    deepStrictEqual(Object.getOwnPropertyDescriptor(globalThis, "Worker"), before.worker);
    deepStrictEqual(
      ["uncaughtException", "unhandledRejection"].map((e) => process.listenerCount(e)),
      before.listeners,
    );
    strictEqual(await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT"), before.flag);
  };
  await check();
  dispose();
  await check();
  strictEqual(tf.findBackendFactory("wasm"), before.factory);
});

Deno.test("init takes modules, bytes and URLs; a second init returns the first or says what runs", async () => {
  const file = new URL("../../src/kernels/generated/kernels_simd.wasm", import.meta.url),
    bytes = readFileSync(file);
  for (const kernels of [file, bytes, new WebAssembly.Module(bytes)]) {
    strictEqual((await init({ profile: "simd", threads: 2, wasm: { kernels } })).profile, "simd");
    strictEqual(await init(), runtime());
    await rejects(init({ threads: 5 }), /2 threads \(simd\) run already; call dispose\(\) first/);
    dispose();
  }
});

Deno.test("errors say what to do: no init, wrong threads, a broken module", async () => {
  throws(() => runtime(), /await init\(\) first/);
  await rejects(init({ threads: 0 }), /a whole number from 1 to 256/);
  await rejects(
    init({ threads: 2, wasm: { kernels: new Uint8Array([1, 2, 3]) } }),
    /Cannot compile a WASM module/,
  );
  await init({ threads: 2 }); // a failed start leaves nothing behind
  throws(() => runtime().heap.alloc(5e9), /Cannot allocate 5000000000 bytes/);
  throws(() => runtime().heap.free(12), /no allocated block/);
  dispose();
  dispose();
});

Deno.test("two workers that come late or never do not change a result: 20,000 small dispatches", async () => {
  const { pool, heap } = await init({ threads: 3 }), n = 4096, x = heap.alloc(n * 4), y = heap.alloc(n * 4);
  heap.floats(x, n).fill(1.5);
  for (let i = 0; i < 20_000; i++) {
    const chunks = i % 5;
    heap.floats(y, n).fill(0);
    pool.run("multiply", chunks, 1, y, x, x, n);
    const got = heap.floats(y, n);
    if (
      !(chunks === 0
        ? got[0] === 0
        : got[chunks * 1024 - 1] === 2.25 && got[Math.min(n - 1, chunks * 1024)] !== 1)
    ) {
      throw new Error(`dispatch ${i} is wrong`);
    }
  }
  dispose();
});

for (const end of ["dispose();", ""]) {
  Deno.test(`a script that trained ends by itself within a second ${end ? "after dispose()" : "even without dispose()"}`, async () => {
    const script = new URL("./train_and_end.ts", import.meta.url),
      config = new URL("../../deno.json", import.meta.url);
    const { stdout } = await run(Deno.execPath(), [
      "run",
      "-A",
      "--no-check",
      "-c",
      config.pathname,
      script.pathname,
      end,
    ]);
    const endedMs = Date.now() - Number(stdout.trim());
    ok(endedMs < 1000, `it took ${endedMs} ms`);
  });
}
