/**
 * berth for edge and serverless functions: starts from compiled modules, reads models from bytes, and trains in slices
 * of one request each. Needs no threads, no files, no `eval`, no timers and no network, and does nothing when it is
 * loaded.
 *
 * A Cloudflare Worker; examples/ in the repository has all of it, and the same for Deno and AWS Lambda:
 *
 * ```js ignore
 * import { handleRequest, init, r2Store, readModelFiles, TrainingService } from "@berth/berth/edge";
 * import kernels from "@berth/berth/kernels_single.wasm";
 * import tfjs from "@berth/berth/tfjs-backend-wasm-simd.wasm";
 *
 * export default {
 *   async fetch(request, { BUCKET }) {
 *     await init({ wasm: { tfjs, kernels } });
 *     const files = await readModelFiles((name) => BUCKET.get(`berth-tiny/${name}`));
 *     return await handleRequest(new TrainingService({ files, store: r2Store(BUCKET) }), request);
 *   },
 * };
 * ```
 *
 * Models and tokenizers are loaded as everywhere, from files instead of names:
 * `BertForSequenceClassification.from_pretrained(files, { num_labels: 2 })`.
 *
 * @module
 */
export * from "../errors.ts";
export {
  type AssetName,
  type Assets,
  dispose,
  type InitOptions,
  type Profile,
  Runtime,
  runtime,
  type WasmSource,
} from "../runtime/mod.ts";
export type { Random } from "../random.ts";
export type { Tensor, Tensor2D, Tensor3D, Tensor4D, Variable } from "../runtime/tensor.ts";
export { BertTokenizer } from "../hub/tokenizer.ts";
export type { DownloadProgress, HubOptions, Patience } from "../hub/mod.ts";
export type { BertTokenizer as PureBertTokenizer } from "../tokenizer/mod.ts";
export * from "../tokenizer/mod.ts";
export type { ByteSource, ModelFiles } from "../weights/mod.ts";
export * from "../metrics/mod.ts";
export * from "../model/mod.ts";
export * from "../train/mod.ts";
export { type HandleOptions, handleRequest, httpStatus, readJson } from "./http.ts";
export { type EdgeOptions, init } from "./init.ts";
export { SERVICE_LIMITS, type ServiceLimits } from "./limits.ts";
export { type FileBody, type FileReader, readModelFiles, type ReadOptions } from "./model_files.ts";
export type { RunDescription, RunRequest, TrainedPart } from "./run_description.ts";
export { memoryStore, type R2BucketLike, r2Store, type StateStore, type StoredState } from "./store.ts";
export {
  type RunStatus,
  type SliceOptions,
  type SliceResult,
  TrainingService,
  type TrainingServiceOptions,
} from "./training_service.ts";
