/**
 * What a forward pass gives. Tensors are made when they are asked for and belong to the model: its next forward pass
 * (or `dispose`) frees them, so that a training loop leaks nothing. `tensor.clone()` keeps one.
 *
 * @module
 */
import type { Runtime } from "../runtime/mod.ts";
import type { Tensor } from "../runtime/tensor.ts";
import type { Result } from "./results.ts";

/** Makes tensors of one forward pass from the arena, and frees them with the next. */
export class OutputTensors {
  readonly #runtime: Runtime;
  readonly #made = new Map<string, Tensor>();
  #valid = true;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** A result as a tensor, copied at first use. */
  tensor({ name, shape, fill }: Result): Tensor {
    const made = this.#made.get(name);
    if (made && !made.isDisposed) return made;
    if (!this.#valid) {
      throw new ReferenceError(
        `Cannot read ${name}: a later forward pass has replaced it; read it before, or keep a clone()`,
      );
    }
    const { tensor, pointer } = this.#runtime.emptyTensor([...shape]);
    this.#made.set(name, tensor);
    fill(pointer);
    return tensor;
  }

  /** Frees the tensors; later requests fail. */
  release(): void {
    this.#valid = false;
    for (const tensor of this.#made.values()) if (!tensor.isDisposed) tensor.dispose();
    this.#made.clear();
  }
}
