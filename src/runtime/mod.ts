/**
 * Starts and ends the backend, and gives the model layers memory and kernels.
 *
 * @module
 */
export { Arena, Heap } from "./heap.ts";
export { KernelPool } from "./pool.ts";
export {
  dispose,
  init,
  type InitOptions,
  type Profile,
  Runtime,
  runtime,
  type WasmSource,
} from "./runtime.ts";
export { int8MatMul, int8WeightBytes, packInt8 } from "./int8.ts";
export { ACTIVATIONS, type MatMul, matMul, packB, packedFloats } from "./matmul.ts";
