/**
 * What a forward pass gives. Tensors are made when they are asked for and belong to the model: its next forward pass
 * (or `dispose`) frees them, so that a training loop leaks nothing. `tensor.clone()` keeps one.
 *
 * @module
 */
import type { Runtime } from "../runtime/mod.ts";
import type { RaggedBatch } from "./batch.ts";
import type { Tensor } from "../runtime/tensor.ts";

/** Makes tensors of one forward pass from the arena, and frees them with the next. */
export class OutputTensors {
  readonly #made = new Map<string, Tensor>();
  #valid = true;

  constructor(readonly runtime: Runtime, readonly batch: RaggedBatch) {}

  /** A tensor over values in the arena, copied at first use. */
  dense(name: string, pointer: number, shape: number[]): Tensor {
    return this.#make(name, shape, (target) => {
      const { u8 } = this.runtime.heap, bytes = shape.reduce((a, b) => a * b, 4);
      u8.copyWithin(target, pointer, pointer + bytes);
    });
  }

  /** [rows, h] in the arena as [B, T, h], zero where nothing was computed. */
  padded(name: string, pointer: number, h: number): Tensor {
    const { size, width, rows, places } = this.batch;
    return this.filled(name, [size, width, h], rows < size * width, (target) => {
      this.runtime.pool.run("scatter_rows", rows, 16, target, pointer, places, h);
    });
  }

  /** A tensor that `fill` writes, over zeros if `zeroed`. */
  filled(name: string, shape: number[], zeroed: boolean, fill: (target: number) => void): Tensor {
    return this.#make(name, shape, (target) => {
      const bytes = shape.reduce((a, b) => a * b, 4);
      if (zeroed) this.runtime.pool.run("zero", Math.ceil(bytes / 65536), 16, target, bytes);
      fill(target);
    });
  }

  /** Frees the tensors; later requests fail. */
  release(): void {
    this.#valid = false;
    for (const tensor of this.#made.values()) if (!tensor.isDisposed) tensor.dispose();
    this.#made.clear();
  }

  #make(name: string, shape: number[], fill: (pointer: number) => void): Tensor {
    const made = this.#made.get(name);
    if (made && !made.isDisposed) return made;
    if (!this.#valid) {
      throw new ReferenceError(
        `Cannot read ${name}: a later forward pass has replaced it; read it before, or keep a clone()`,
      );
    }
    const { tensor, pointer } = this.runtime.emptyTensor(shape);
    fill(pointer);
    this.#made.set(name, tensor);
    return tensor;
  }
}
