/**
 * A second copy of a Linear's weight for inference: in the order in which the kernels read it, or in 8 bits.
 *
 * @module
 */
import {
  int8MatMul,
  int8WeightBytes,
  type MatMul,
  matMul,
  packB,
  packedFloats,
  packInt8,
  type Runtime,
  usesPacked,
} from "../runtime/mod.ts";
import type { Parameter } from "./parameter.ts";

/**
 * What inference multiplies with: `packed`, a copy in the order in which the kernels read it; `int8`, a copy of a quarter
 * of the size, each row in whole numbers from -127 to 127 times a scale; `plain`, the weights as they are.
 */
export type InferenceWeights = "packed" | "int8" | "plain";

/** All of them. */
export const INFERENCE_WEIGHTS: readonly InferenceWeights[] = ["packed", "int8", "plain"];

/** A copy of a weight [O, I], made when it is first used and again after the weight changed. */
export class WeightCopy {
  readonly #weight: Parameter;
  #runtime: Runtime | undefined;
  #pointer = 0;
  #bytes = 0;
  #version = -1;

  constructor(weight: Parameter, readonly form: Exclude<InferenceWeights, "plain">) {
    this.#weight = weight;
  }

  /** Bytes that it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The product with the weight, as `matMul`; its `b` is the weight. */
  multiply(runtime: Runtime, product: MatMul): void {
    if (this.form === "packed" && !usesPacked(product.m)) return matMul(runtime, product);
    if (this.#weight.version !== this.#version) this.#make(runtime, product);
    if (this.form === "packed") matMul(runtime, { ...product, packed: this.#pointer });
    else int8MatMul(runtime, { ...product, b: this.#pointer });
  }

  #make(runtime: Runtime, { b, n, k }: MatMul): void {
    const packed = this.form === "packed";
    this.#runtime = runtime;
    const bytes = packed ? packedFloats(n, k) * 4 : int8WeightBytes(n, k);
    if (bytes !== this.#bytes) this.free();
    if (this.#pointer === 0) this.#pointer = runtime.heap.alloc(this.#bytes = bytes);
    if (packed) packB(runtime, this.#pointer, b, n, k, true);
    else packInt8(runtime, this.#pointer, b, n, k);
    this.#version = this.#weight.version;
  }

  /** Frees the copy. */
  free(): void {
    this.#runtime?.heap.free(this.#pointer);
    this.#pointer = this.#bytes = 0;
    this.#version = -1;
  }
}
