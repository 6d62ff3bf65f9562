/**
 * What a kernel of ours is, seen from tfjs: the inputs that it takes, and how it computes one output.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { RuntimeError } from "../errors.ts";
import { Arena, type Runtime } from "../runtime/mod.ts";

/** A tensor as kernels see it: where its data is, its shape and its type. */
export type TensorInfo = tf.TensorInfo;

/** The parts of tfjs's WASM backend that kernels use. */
export interface Backend {
  makeOutput(shape: number[], dtype: "float32" | "int32"): TensorInfo;
  disposeData(dataId: object): boolean;
  incRef(dataId: object): void;
}

/** One call of a kernel. */
export interface Call {
  readonly kernels: Kernels;
  readonly backend: Backend;
  readonly inputs: Record<string, TensorInfo>;
  // deno-lint-ignore no-explicit-any
  readonly attrs: any;
}

/** A kernel that stands in for tfjs's, or adds one that tfjs's backend lacks. */
export interface Kernel {
  /** tfjs's name of it. */
  readonly name: string;
  /** Whether the call is ours; all others go to tfjs's own kernel. */
  accepts(call: Call): boolean;
  /** Computes the output. */
  run(call: Call): TensorInfo;
}

/** Memory and threads for the kernels, and the way from one kernel to another. */
export class Kernels {
  readonly runtime: Runtime;
  readonly #arena: Arena;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.#arena = new Arena(runtime.heap);
  }

  /** Runs with scratch buffers of our own, not those of a model's step that may be under way. */
  within<T>(run: () => T): T {
    const { runtime } = this, before = runtime.arena;
    runtime.arena = this.#arena;
    const mark = this.#arena.mark();
    try {
      return run();
    } finally {
      // A kernel may call another one: only the outermost gives everything back.
      if (mark === 0) this.#arena.reset();
      else this.#arena.release(mark);
      runtime.arena = before;
    }
  }

  /** A new tensor and the address of its values, which are undefined. */
  output(
    backend: Backend,
    shape: number[],
    dtype: "float32" | "int32" = "float32",
  ): { info: TensorInfo; pointer: number } {
    const info = backend.makeOutput(shape, dtype), pointer = this.pointerOf(info);
    if (pointer === 0) {
      backend.disposeData(info.dataId);
      throw new RuntimeError(
        `Cannot allocate a tensor of shape [${shape.join(", ")}]: WASM memory is exhausted`,
      );
    }
    return { info, pointer };
  }

  /** The address of a tensor's values. */
  pointerOf(info: TensorInfo): number {
    return this.runtime.dataIds.get(info.dataId).memoryOffset;
  }

  /** Runs whatever kernel is registered under a name. */
  call(name: string, backend: Backend, inputs: Record<string, TensorInfo>, attrs: object = {}): TensorInfo {
    const config = tf.getKernel(name, "wasm");
    return config.kernelFunc({ inputs, backend, attrs: attrs as tf.NamedAttrMap }) as TensorInfo;
  }

  /** Frees the scratch buffers. */
  dispose(): void {
    this.#arena.free();
  }
}

/** The number of values of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Whether all inputs are float32. */
export function allFloats({ inputs }: Call): boolean {
  return Object.values(inputs).every((input) => input == null || input.dtype === "float32");
}
