/**
 * Puts our kernels under tfjs's ops and takes them away again.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { RuntimeError } from "../errors.ts";
import { init, type InitOptions, type Runtime } from "../runtime/mod.ts";
import { einsum, einsumGradient } from "./einsum.ts";
import { erf, exp, identity, softmax, tanh } from "./elementwise.ts";
import { CORE_GRADIENTS } from "./gradients.ts";
import { type Call, type Kernel, Kernels } from "./kernel.ts";
import { batchMatMul, batchMatMulGradient, fusedMatMul } from "./mat_mul.ts";
import { gather, mean, sum, unsortedSegmentSum } from "./rows.ts";
import { tile, transpose } from "./transpose.ts";

const KERNELS: readonly Kernel[] = [
  ...[batchMatMul, fusedMatMul, einsum, softmax, exp, erf, tanh, identity],
  ...[gather, unsortedSegmentSum, sum, mean, transpose, tile],
];
const GRADIENTS: readonly tf.GradConfig[] = [batchMatMulGradient, einsumGradient];

/** What {@linkcode registerKernels} gives back. */
export interface Registration {
  /** The backend that runs: its threads and profile. */
  readonly runtime: Runtime;
  /** tfjs's names of the kernels that are ours now. */
  readonly kernels: readonly string[];
  /** Puts tfjs's own kernels and gradients back; the backend runs on. `dispose()` does this too. */
  unregister(): void;
}

let current: Registration | undefined;

/**
 * Starts the backend "wasm" with threads, and puts our kernels under tfjs's ops: `tf.matMul`, `tf.fused.matMul`,
 * `tf.einsum`, `tf.softmax`, `tf.exp`, `tf.erf`, `tf.tanh`, `tf.gather`, `tf.unsortedSegmentSum`, `tf.sum`, `tf.mean`,
 * `tf.transpose`, `tf.tile`, `tf.clone`. They take float32 (those that only move values, and unsortedSegmentSum, also int32); all
 * other calls run tfjs's own kernels as before. Einsum gets a gradient, tf.matMul's works for batches that broadcast, and
 * where no gradients are registered (a program that imports tfjs-core alone), those of the ops that language models use
 * are. Called again, it returns what is registered.
 *
 * Call it before the first tensor on tfjs's own WASM backend, which ends; tensors of other backends move as ever.
 * Outputs are ordinary tensors: `tf.memory()` and `tf.tidy` know all of them. Between ops the kernels hold scratch
 * memory, at most a packed copy of the largest matrix that was multiplied; `unregister()` frees it.
 *
 * @param options As of `init`.
 * @throws {RuntimeError} if the backend cannot start, or runs already with other options.
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { dispose } from "@berth/berth";
 * import { registerKernels } from "@berth/berth/tfjs";
 * await registerKernels();
 * const q = tf.randomNormal([2, 4, 3, 8]), k = tf.randomNormal([2, 5, 3, 8]);
 * console.log(tf.einsum("bthd,bshd->bhts", q, k).shape); // [2, 3, 4, 5]
 * dispose();
 * ```
 */
export async function registerKernels(options: InitOptions = {}): Promise<Registration> {
  const runtime = await init(options);
  return current ??= register(runtime);
}

function register(runtime: Runtime): Registration {
  const kernels = new Kernels(runtime);
  const undo = [
    ...KERNELS.map((kernel) => replaceKernel(kernel, kernels, () => registration.unregister())),
    ...GRADIENTS.map(replaceGradient),
    ...CORE_GRADIENTS.filter(({ kernelName }) => !tf.getGradient(kernelName)).map(replaceGradient),
  ];
  const registration: Registration = {
    runtime,
    kernels: KERNELS.map(({ name }) => name),
    unregister() {
      for (const restore of undo.splice(0)) restore();
      kernels.dispose();
      if (current === registration) current = undefined;
    },
  };
  return registration;
}

/** Registers one kernel, with tfjs's own behind it, and returns how to undo that. */
function replaceKernel(kernel: Kernel, kernels: Kernels, ended: () => void): () => void {
  const stock = tf.getKernel(kernel.name, "wasm") as tf.KernelConfig | undefined;
  if (stock) tf.unregisterKernel(kernel.name, "wasm");
  tf.registerKernel({
    kernelName: kernel.name,
    backendName: "wasm",
    setupFunc: stock?.setupFunc,
    disposeFunc: (backend) => {
      stock?.disposeFunc?.(backend);
      ended();
    },
    kernelFunc: (params) => {
      const call = { ...params, kernels } as unknown as Call;
      if (kernel.accepts(call)) return kernels.within(() => kernel.run(call));
      if (stock) return stock.kernelFunc(params);
      const dtypes = Object.values(params.inputs).map((input) => input?.dtype).join(", ");
      throw new RuntimeError(`Cannot run ${kernel.name} on ${dtypes}: float32 or int32 is wanted`);
    },
  });
  return () => {
    tf.unregisterKernel(kernel.name, "wasm");
    if (stock) tf.registerKernel(stock);
  };
}

function replaceGradient(gradient: tf.GradConfig): () => void {
  const { kernelName } = gradient, stock = tf.getGradient(kernelName) as tf.GradConfig | undefined;
  tf.registerGradient(gradient);
  return () => {
    if (tf.getGradient(kernelName) !== gradient) return; // somebody registered another one since
    if (stock) tf.registerGradient(stock);
    else tf.unregisterGradient(kernelName);
  };
}
