/**
 * One thread's share of a dispatch: reads the control words, takes chunks, calls the kernel. Used by the pool's
 * calling thread and by its workers.
 *
 * @module
 */
import { KERNELS } from "../kernels/generated/signatures.gen.ts";

/** Places of the control words, in an `Int32Array`. */
export const CONTROL = {
  /** Bumped by each dispatch; workers wait on it. */
  generation: 0,
  /** Workers that have not finished the current dispatch. */
  pending: 1,
  /** The next unit that nobody has taken. */
  next: 2,
  kernel: 3,
  count: 4,
  grain: 5,
  stop: 6,
  failed: 7,
  scratch: 8,
  scratchBytes: 9,
  /** First argument; floats are written through a `Float32Array` over the same words. */
  args: 16,
} as const;

/** A kernel as the module exports it. */
export type KernelFunction = (...args: number[]) => void;

/** What is called directly, beside the ranged kernels. */
export interface KernelExports {
  attention_scratch_bytes(tokens: number, headSize: number): number;
  sum_f64(values: number, count: number): number;
}

/** Takes and runs chunks on one thread. */
export class KernelRunner {
  readonly exports: KernelExports;
  readonly #kernels: KernelFunction[];
  readonly #control: Int32Array;
  readonly #floats: Float32Array;
  readonly #arguments: number[][] = KERNELS.map(([, kinds, scratch]) => new Array(kinds.length + (scratch ? 3 : 2)));

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, control: Int32Array) {
    const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
    this.exports = exports as unknown as KernelExports;
    this.#kernels = KERNELS.map(([name]) => exports[name] as KernelFunction);
    this.#control = control;
    this.#floats = new Float32Array(control.buffer);
  }

  /** Runs the current dispatch until no unit is left. */
  take(thread: number): void {
    const control = this.#control, number = control[CONTROL.kernel];
    const count = control[CONTROL.count], grain = control[CONTROL.grain];
    const [, kinds, scratch] = KERNELS[number];
    const kernel = this.#kernels[number], args = this.#arguments[number];
    for (let i = 0; i < kinds.length; i++) {
      args[i] = kinds[i] === "f" ? this.#floats[CONTROL.args + i] : control[CONTROL.args + i];
    }
    let at = kinds.length;
    if (scratch) {
      args[at++] = (control[CONTROL.scratch] >>> 0) + thread * control[CONTROL.scratchBytes];
    }
    for (;;) {
      const begin = Atomics.add(control, CONTROL.next, grain);
      if (begin >= count) return;
      args[at] = begin;
      args[at + 1] = Math.min(begin + grain, count);
      kernel.apply(null, args);
    }
  }
}
