/** Puts arrays into WASM memory and reads them back, for tests of single kernels. */
import { Random } from "../../src/random.ts";
import type { Runtime } from "../../src/runtime/mod.ts";

export function randomFloats(count: number, seed: number, scale = 1): Float32Array {
  const source = new Random(seed);
  return Float32Array.from({ length: count }, () => (source.uniform() * 2 - 1) * scale);
}

/** Memory that a test uses and frees together. */
export class Memory {
  readonly #blocks: number[] = [];

  constructor(readonly runtime: Runtime) {}

  floats(values: Float32Array | number): number {
    const count = typeof values === "number" ? values : values.length, pointer = this.#alloc(count);
    if (typeof values !== "number") this.runtime.heap.f32.set(values, pointer / 4);
    return pointer;
  }

  integers(values: ArrayLike<number>): number {
    const pointer = this.#alloc(values.length);
    this.runtime.heap.i32.set(values, pointer / 4);
    return pointer;
  }

  read(pointer: number, count: number): Float32Array {
    return this.runtime.heap.floats(pointer, count).slice();
  }

  free(): void {
    for (const pointer of this.#blocks.splice(0)) this.runtime.heap.free(pointer);
  }

  #alloc(count: number): number {
    const pointer = this.runtime.heap.alloc(Math.max(16, count * 4 + 16));
    this.#blocks.push(pointer);
    return pointer;
  }
}
