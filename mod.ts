/**
 * berth fine-tunes BERT wherever JavaScript runs.
 *
 * @module
 */
export * from "./src/errors.ts";
export { Random } from "./src/random.ts";
export {
  type AssetName,
  type Assets,
  dispose,
  init,
  type InitOptions,
  type Profile,
  Runtime,
  runtime,
  type WasmSource,
} from "./src/runtime/mod.ts";
export { BertTokenizer } from "./src/hub/mod.ts";
export type { BertTokenizer as PureBertTokenizer } from "./src/tokenizer/mod.ts";
export * from "./src/hub/mod.ts";
export * from "./src/tokenizer/mod.ts";
export * from "./src/data/mod.ts";
export * from "./src/datasets/mod.ts";
export * from "./src/metrics/mod.ts";
export * from "./src/model/mod.ts";
export {
  alone,
  type CommunicationTimes,
  type Communicator,
  type CommunicatorOptions,
  openCommunicator,
  type Pending,
  type Reducible,
  type Reduction,
} from "./src/distributed/mod.ts";
export * from "./src/train/mod.ts";
export * from "./src/export/mod.ts";
export * from "./src/pipelines/mod.ts";
export * from "./src/tensorboard/mod.ts";
export type { Scalar, Tensor, Tensor2D, Tensor3D, Tensor4D, Variable } from "./src/runtime/tensor.ts";
