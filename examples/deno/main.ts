/// <reference lib="deno.unstable" />
/** Trains and serves text classifiers with `Deno.serve`; runs stand in Deno KV. */
import { openModelFiles } from "@berth/berth";
import { handleRequest, init, readModelFiles, TrainingService } from "@berth/berth/edge";
import { kvStore } from "./kv_store.ts";

await init({ memoryLimit: 256 * 2 ** 20 });
const model = await openModelFiles(Deno.env.get("MODEL") ?? "berth-tiny");
const kv = await Deno.openKv(Deno.env.get("KV_PATH"));
const service = new TrainingService({ files: await readModelFiles(model.read), store: kvStore(kv) });

const stop = new AbortController();
const port = Number(Deno.env.get("PORT") ?? 8000);
const onListen = ({ port }: Deno.NetAddr) => console.log(`http://localhost:${port}/`);
const server = Deno.serve(
  { port, onListen },
  (request) => handleRequest(service, request, { signal: stop.signal }),
);

/** A slice that is under way ends after its current step, is kept and answered; then the program ends. */
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    stop.abort();
    await server.shutdown();
    kv.close();
    Deno.exit();
  });
}
