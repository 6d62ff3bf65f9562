/**
 * Our kernels under an ordinary tfjs program: its ops get faster, and all of them trainable, without another change.
 *
 * @module
 */
export { adamw, type AdamWOptimizer, type AdamWOptimizerOptions, type Optimizer } from "./adamw.ts";
export { registerKernels, type Registration } from "./register.ts";
export { dispose, type InitOptions, type Profile, Runtime, type WasmSource } from "../runtime/mod.ts";
export type { Tensor } from "../runtime/tensor.ts";
