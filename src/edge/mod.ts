/**
 * berth for edge and serverless functions: starts from compiled modules, reads models from bytes, and trains in slices
 * of one request each. Needs no threads, no files, no `eval`, no timers and no network, and does nothing when it is
 * loaded.
 *
 * ```ts
 * import { BertForSequenceClassification, BertTokenizer, init, predict, readModelFiles } from "@berth/berth/edge";
 *
 * const read = (path: string) => Deno.readFileSync(new URL(import.meta.resolve(path)));
 * const kernels = new WebAssembly.Module(read("@berth/berth/kernels_single.wasm"));
 * ```
 *
 * @module
 */
export * from "../errors.ts";
export { BertTokenizer } from "../hub/tokenizer.ts";
export { BertConfig, BertForSequenceClassification, BertModel, predict, type Prediction } from "../model/mod.ts";
export { dispose } from "../runtime/mod.ts";
export { AdamW, plan, Trainer, type TrainingArguments } from "../train/mod.ts";
export type { ModelFiles } from "../weights/mod.ts";
export { handleRequest, type HandleOptions, httpStatus, readJson } from "./http.ts";
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
