/** The Worker of examples/cloudflare with its runs in the isolate's own memory, so that no bucket's memory is measured. */
import { handleRequest, init, memoryStore, readModelFiles, TrainingService } from "@berth/berth/edge";
import kernels from "@berth/berth/kernels_single.wasm";
import tfjs from "@berth/berth/tfjs-backend-wasm-simd.wasm";

let service;

export default {
  async fetch(request, { BUCKET }) {
    await init({ wasm: { tfjs, kernels } });
    service ??= new TrainingService({
      files: await readModelFiles((name) => BUCKET.get(`berth-tiny/${name}`)),
      store: memoryStore(),
    });
    return await handleRequest(service, request);
  },
};
