/**
 * Weights of models as files and back: safetensors (read, write, shards, streams), PyTorch's `.bin`
 * (read, without executing anything), config.json, and the names that checkpoints use.
 *
 * ```ts
 * import { encodeSafetensors, filesFromMap, openCheckpoint } from "@berth/berth/weights";
 *
 * const file = encodeSafetensors([{ name: "x", dtype: "F32", shape: [2], data: new Float32Array([1, 2]) }]);
 * const checkpoint = await openCheckpoint(filesFromMap("memory", new Map([["model.safetensors", file]])));
 * const x = new Float32Array(2);
 * await checkpoint.readFloat32("x", x);
 * checkpoint.close();
 * ```
 *
 * @module
 */

export type { Checkpoint } from "./checkpoint.ts";
export { type ConfigObject, type ConfigValue, parseConfigJson } from "./config.ts";
export { type Float32Target, tensorValues, toFloat32 } from "./convert.ts";
export { type DType, elementBytes, type TensorData, type TensorInfo, type TensorValues } from "./dtype.ts";
export { matchNames, type NameMatch, type NameSource } from "./names.ts";
export { openCheckpoint } from "./open.ts";
export { openSafetensors, type StreamedTensor, streamTensors } from "./safetensors_read.ts";
export {
  type AwaitedTensor,
  encodeSafetensors,
  safetensorsChunks,
  safetensorsChunksAsync,
  type SafetensorsMetadata,
  type TensorToWrite,
} from "./safetensors_write.ts";
export { type FileToWrite, type ShardOptions, shardSafetensors } from "./shards_write.ts";
export { type ByteSource, filesFromMap, type ModelFiles, sourceFromBytes } from "./source.ts";
export { openTorch } from "./torch_read.ts";
