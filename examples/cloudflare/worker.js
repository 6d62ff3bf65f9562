/** Trains and serves text classifiers in a Cloudflare Worker; the model and the runs stand in a bucket of R2. */
import { handleRequest, init, r2Store, readModelFiles, TrainingService } from "@berth/berth/edge";
import kernels from "@berth/berth/kernels_single.wasm";
import tfjs from "@berth/berth/tfjs-backend-wasm-simd.wasm";

/** Made by the first request, kept as long as the isolate lives. */
let service;

export default {
  async fetch(request, { BUCKET, TOKEN }) {
    if (!TOKEN || request.headers.get("authorization") !== `Bearer ${TOKEN}`) {
      return Response.json({ error: "A bearer token is wanted" }, { status: 401 });
    }
    await init({ wasm: { tfjs, kernels } });
    service ??= new TrainingService({
      files: await readModelFiles((name) => BUCKET.get(`berth-tiny/${name}`), { name: "berth-tiny" }),
      store: r2Store(BUCKET),
    });
    return await handleRequest(service, request);
  },
};
