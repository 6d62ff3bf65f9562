/**
 * A trainable tensor: a tf.Variable for everybody else, a pointer for the kernels, and its gradient.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import { type Runtime, runtime } from "../runtime/mod.ts";
import type { Variable } from "../runtime/tensor.ts";

/** What a parameter knows of the optimizer that changes it. */
export interface ParameterOptimizer {
  /** True if it changes a parameter as soon as its gradient is whole, and does not keep the gradient. */
  readonly fused: boolean;
  /** A parameter can be changed in parts of multiples of so many values. */
  readonly run: number;
  /** Bytes that it has yet to take for a parameter. */
  missingBytes(parameter: Parameter): number;
  /** Fails if it cannot take another backward pass before its `step`; asked only if it is fused. */
  checkBackward(): void;
  /** Changes the parameter by its gradient; called only if it is fused. */
  update(parameter: Parameter, gradient: number): void;
  /**
   * Changes the parameter [O, I] by the gradient dy[n, O]^T x[n, I] without storing that; false if it does not, and is to
   * get the gradient. Called only if it is fused.
   */
  updateByProduct(parameter: Parameter, dy: number, x: number, n: number): boolean;
}

/** A tensor that training changes. Its gradient appears with the first backward pass and adds up until `zero_grad`. */
export class Parameter {
  /** The full name as in the checkpoint; set when the model is made. */
  name = "";
  /** False: no gradient is computed and no optimizer touches it. Default true. */
  requires_grad = true;
  /** @ignore The optimizer that was made for it last. */
  optimizer: ParameterOptimizer | undefined;
  /** @ignore Is told each time that a backward pass has written the gradient. */
  onGradient: (() => void) | undefined;
  readonly #runtime: Runtime;
  #shape: readonly number[];
  #variable: Variable;
  #touched: number;
  /** The version before any value was set. */
  readonly #unset: number;
  #gradient = 0;
  #hasGradient = false;
  /** True if the gradient's memory is somebody else's. */
  #isPlaced = false;

  /**
   * Takes the memory.
   *
   * @param shape Its dimensions; values are undefined until they are set.
   * @param sparseRows True for embeddings: gradients come to single rows.
   */
  constructor(shape: readonly number[], sparseRows = false) {
    this.#runtime = runtime();
    this.#shape = shape;
    this.#variable = this.#runtime.emptyVariable([...shape]);
    this.#touched = sparseRows ? this.#untouched(shape[0]) : 0;
    this.#unset = this.version;
  }

  /** A byte a row, all 0. */
  #untouched(rows: number): number {
    const { heap } = this.#runtime, pointer = heap.alloc(rows);
    heap.u8.fill(0, pointer, pointer + rows);
    return pointer;
  }

  /** The dimensions. */
  get shape(): readonly number[] {
    return this.#shape;
  }

  /** The values. Assigning to the variable works; so do all tfjs ops on it. */
  get variable(): Variable {
    return this.#variable;
  }

  /** Pointer to one byte a row: 1 if the row ever had a gradient; 0 for parameters that are no embeddings. */
  get touched(): number {
    return this.#touched;
  }

  /** @ignore Keeps the first rows, or adds some whose values are undefined. The gradient is forgotten. */
  resizeRows(rows: number): void {
    const { heap } = this.#runtime, [before, ...rest] = this.#shape, sparse = this.#touched !== 0;
    const kept = this.values().slice(0, Math.min(rows, before) * this.size / before);
    this.dispose();
    this.#shape = [rows, ...rest];
    this.#variable = this.#runtime.emptyVariable([...this.#shape]);
    this.#touched = sparse ? this.#untouched(rows) : 0;
    heap.f32.set(kept, this.pointer / 4);
    this.markWritten();
  }

  /** The number of values. */
  get size(): number {
    return this.variable.size;
  }

  /** @ignore True if backward passes hand its gradient to a fused optimizer instead of keeping it. */
  get isFused(): boolean {
    return this.touched === 0 && (this.optimizer?.fused ?? false);
  }

  /** @ignore Bytes that the gradient holds. */
  get gradientBytes(): number {
    return this.#gradient === 0 ? 0 : this.size * 4;
  }

  /** Where the values stand in WASM memory. */
  get pointer(): number {
    this.#requireAlive();
    return this.#runtime.pointerOf(this.variable);
  }

  /** Another number each time the values were changed, by assignment or in place ({@linkcode markWritten}). */
  get version(): number {
    this.#requireAlive();
    return this.#runtime.dataIds.get(this.variable.dataId).id;
  }

  /** @ignore False: nobody has set the values yet. */
  get isSet(): boolean {
    return this.version !== this.#unset;
  }

  /** Where the gradient stands, or 0 if there is none (PyTorch's `grad is None`). */
  get gradientPointer(): number {
    return this.#hasGradient ? this.#gradient : 0;
  }

  /** A view of the values; do not keep it over an allocation. */
  values(): Float32Array {
    return this.#runtime.heap.floats(this.pointer, this.size);
  }

  /** A copy of the gradient, or null if there is none. */
  grad(): Float32Array | null {
    return this.#hasGradient ? this.#runtime.heap.floats(this.#gradient, this.size).slice() : null;
  }

  /** One value: `parameter.item(0, 0)` is PyTorch's `parameter[0][0].item()`. */
  item(...indices: number[]): number {
    let at = 0;
    for (let i = 0; i < this.shape.length; i++) {
      const index = indices[i] ?? 0;
      if (!(index >= 0 && index < this.shape[i])) {
        throw new RangeError(`Cannot read ${this.name}[${indices}]: its shape is [${this.shape.join(", ")}]`);
      }
      at = at * this.shape[i] + index;
    }
    return this.#runtime.heap.f32[this.pointer / 4 + at];
  }

  /**
   * Where a backward pass writes, and whether it adds to what is there. Embeddings always add: their rows are zeroed
   * when gradients are. A fused optimizer's gradient stands in the step's arena; the caller releases it after
   * {@linkcode endGradient}.
   *
   * @param dense True if every row gets a gradient, of an embedding that is a Linear's weight too.
   */
  beginGradient(dense = false): { pointer: number; accumulate: boolean } {
    if (this.isFused) return { pointer: this.#runtime.arena.floats(this.size), accumulate: false };
    const accumulate = this.#hasGradient || this.touched !== 0 && !dense;
    if (dense && this.touched !== 0) {
      this.#runtime.heap.u8.fill(1, this.touched, this.touched + this.shape[0]);
    }
    if (this.#gradient === 0) {
      this.#gradient = this.#runtime.heap.alloc(this.size * 4);
      if (this.touched !== 0) {
        this.#runtime.pool.run("zero", Math.ceil(this.size * 4 / 65536), 16, this.#gradient, this.size * 4);
      }
    }
    this.#hasGradient = true;
    return { pointer: this.#gradient, accumulate };
  }

  /**
   * @ignore Puts the gradient at a place that the caller owns, and forgets what it was; 0 gives it memory of its own again.
   * Rows of an embedding must be zero there.
   */
  placeGradient(pointer: number): void {
    if (!this.#isPlaced) this.#runtime.heap.free(this.#gradient);
    this.#gradient = pointer;
    this.#isPlaced = pointer !== 0;
    this.#hasGradient = false;
  }

  /** @ignore Says that there is a gradient where it was placed, which somebody else has written. */
  takeGradient(): void {
    this.#hasGradient = true;
  }

  /** @ignore Makes `values` the gradient. */
  setGradient(values: Float32Array): void {
    const { pointer } = this.beginGradient(true);
    this.#runtime.heap.f32.set(values, pointer / 4);
  }

  /** Says that the gradient is written, and that the backward pass does not need the values any more. */
  endGradient(pointer: number): void {
    if (this.isFused) this.optimizer!.update(this, pointer);
    this.onGradient?.();
  }

  /** Forgets the gradient. */
  zero_grad(): void {
    if (this.#hasGradient && this.touched !== 0) {
      const [rows, width] = this.shape;
      this.#runtime.pool.run("zero_touched_rows", rows, 4096, this.#gradient, this.touched, width);
    }
    this.#hasGradient = false;
  }

  /** Tells tfjs that the values were changed in place. */
  markWritten(): void {
    this.#runtime.markWritten(this.variable);
  }

  #requireAlive(): void {
    if (!this.variable.isDisposed && !this.#runtime.ended) return;
    const state = this.#runtime.ended ? "the backend that it stood on was ended" : "its model was disposed";
    throw new RuntimeError(`Cannot use the parameter "${this.name}": ${state}`);
  }

  /** Frees values and gradient; does nothing if that was done. */
  dispose(): void {
    if (this.variable.isDisposed) return;
    this.variable.dispose();
    this.placeGradient(0);
    this.#runtime.heap.free(this.touched);
  }
}
