/** Trains and serves text classifiers with `Deno.serve`; runs stand in Deno KV. */
import { handleRequest, init, readModelFiles, TrainingService } from "@berth/berth/edge";
import { kvStore } from "./kv_store.ts";

const MODEL = new URL(Deno.env.get("MODEL") ?? import.meta.resolve("@berth/berth/berth-tiny/"));

const [tfjs, kernels] = await Promise.all([
  "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm",
  "@berth/berth/kernels_single.wasm",
].map(async (name) => await WebAssembly.compileStreaming(fetch(import.meta.resolve(name)))));
await init({ wasm: { tfjs, kernels }, memoryLimit: 256 * 2 ** 20 });

const kv = await Deno.openKv(Deno.env.get("KV_PATH"));
const files = await readModelFiles((name) => fetch(new URL(name, MODEL)).catch(() => null), { name: MODEL.href });
const service = new TrainingService({ files, store: kvStore(kv) });

const stop = new AbortController();
const port = Number(Deno.env.get("PORT") ?? 8000);
const server = Deno.serve({ port }, (request) => handleRequest(service, request, { signal: stop.signal }));

/** A slice that is under way ends after its current step, is kept and answered; then the program ends. */
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    stop.abort();
    await server.shutdown();
    kv.close();
    Deno.exit();
  });
}
