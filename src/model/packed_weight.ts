/**
 * A Linear's weight in the order in which the kernels read it: what a training step packs anew each time, inference
 * packs once.
 *
 * @module
 */
import { packB, packedFloats, type Runtime } from "../runtime/mod.ts";
import type { Parameter } from "./parameter.ts";

/** A copy of a weight [O, I] in strips, made when it is first asked for and again after the weight changed. */
export class PackedWeight {
  readonly #weight: Parameter;
  #runtime: Runtime | undefined;
  #pointer = 0;
  #version = -1;

  constructor(weight: Parameter) {
    this.#weight = weight;
  }

  /** The strips of the weight's present values. */
  pointer(runtime: Runtime): number {
    const { version, shape: [outputs, inputs], pointer } = this.#weight;
    if (version !== this.#version) {
      this.#runtime = runtime;
      if (this.#pointer === 0) this.#pointer = runtime.heap.alloc(packedFloats(outputs, inputs) * 4);
      packB(runtime, this.#pointer, pointer, outputs, inputs, true);
      this.#version = version;
    }
    return this.#pointer;
  }

  /** Frees the copy. */
  free(): void {
    this.#runtime?.heap.free(this.#pointer);
    this.#pointer = 0;
    this.#version = -1;
  }
}
