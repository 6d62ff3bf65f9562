/**
 * Starts and ends the backend, and gives the model layers memory and kernels.
 *
 * @module
 */
export type { AssetName, Assets } from "./assets.ts";
export { Arena, formatMemory, Heap, MEMORY_LIMIT } from "./heap.ts";
export { PaperRuntime } from "./paper.ts";
export { KernelPool } from "./pool.ts";
export {
  dispose,
  init,
  type InitOptions,
  type Profile,
  Runtime,
  runtime,
  startedRuntime,
  type WasmSource,
  withRuntime,
} from "./runtime.ts";
export { int8MatMul, int8WeightBytes, packInt8 } from "./int8.ts";
export {
  ACTIVATIONS,
  isShallow,
  type MatMul,
  matMul,
  matMulUpdate,
  packB,
  packedFloats,
  usesPacked,
} from "./matmul.ts";
