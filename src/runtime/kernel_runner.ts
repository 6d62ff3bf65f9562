/**
 * One thread's share of a dispatch: reads the dispatch's slot, takes chunks, calls the kernel. Used by the pool's
 * calling thread and by its workers.
 *
 * @module
 */
import { KERNELS } from "../kernels/generated/signatures.gen.ts";

/** Places of the control words that all dispatches share, in an `Int32Array`. */
export const CONTROL = {
  /** The number of the newest dispatch; workers wait on it. */
  generation: 0,
  stop: 1,
  /** Set by a thread on which a kernel trapped. */
  failed: 2,
  /** The dispatch that the caller writes into its slot, or has written. */
  prepared: 3,
  /** From here on, by thread: the dispatch that a worker works on, 0 if none. */
  working: 16,
} as const;

/** Threads at most, the calling one included. */
export const MAX_THREADS = 256;

/** Places within a dispatch's slot. */
export const SLOT = {
  /** The next chunk that nobody has taken. */
  next: 0,
  /** Chunks that are finished. */
  done: 1,
  chunks: 2,
  kernel: 3,
  count: 4,
  grain: 5,
  scratch: 6,
  scratchBytes: 7,
  /** First argument; floats are written through a `Float32Array` over the same words. */
  args: 8,
} as const;

/** Dispatches take turns in this many slots, so that a worker that comes late to one disturbs no other. */
export const SLOTS = 16;
const SLOT_WORDS = 64;

/** Words of the whole control block. */
export const CONTROL_WORDS: number = CONTROL.working + MAX_THREADS + SLOTS * SLOT_WORDS;

/** The first word of a dispatch's slot. */
export function slotOf(generation: number): number {
  return CONTROL.working + MAX_THREADS + (generation % SLOTS) * SLOT_WORDS;
}

/** A kernel as the module exports it. */
type KernelFunction = (...args: number[]) => void;

/** What is called directly, beside the ranged kernels. */
export interface KernelExports {
  attention_scratch_bytes(tokens: number, headSize: number): number;
  gemm_dot_units(n: number, threads: number, widest: number, narrowest: number): number;
  sum_f64(values: number, count: number): number;
}

/** Takes and runs chunks on one thread. */
export class KernelRunner {
  readonly exports: KernelExports;
  readonly #kernels: KernelFunction[];
  readonly #control: Int32Array;
  readonly #floats: Float32Array;
  readonly #arguments: number[][] = KERNELS.map(([, kinds, scratch, fresh]) =>
    new Array(kinds.length + Number(scratch) + Number(fresh) + 2)
  );

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, control: Int32Array) {
    const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
    this.exports = exports as unknown as KernelExports;
    this.#kernels = KERNELS.map(([name]) => exports[name] as KernelFunction);
    this.#control = control;
    this.#floats = new Float32Array(control.buffer);
  }

  /** Works on the dispatch in `slot` until no chunk is left. */
  take(thread: number, slot: number): void {
    const control = this.#control, number = control[slot + SLOT.kernel], chunks = control[slot + SLOT.chunks];
    const count = control[slot + SLOT.count], grain = control[slot + SLOT.grain];
    const [, kinds, scratch, fresh] = KERNELS[number];
    const kernel = this.#kernels[number], args = this.#arguments[number];
    for (let i = 0; i < kinds.length; i++) {
      args[i] = kinds[i] === "f" ? this.#floats[slot + SLOT.args + i] : control[slot + SLOT.args + i];
    }
    let at = kinds.length;
    if (scratch) {
      args[at++] = (control[slot + SLOT.scratch] >>> 0) + thread * control[slot + SLOT.scratchBytes];
    }
    if (fresh) args[at++] = 1;
    for (;;) {
      const chunk = Atomics.add(control, slot + SLOT.next, 1);
      if (chunk >= chunks) return;
      args[at] = chunk * grain;
      args[at + 1] = Math.min(chunk * grain + grain, count);
      try {
        kernel.apply(null, args);
      } catch (error) {
        Atomics.store(control, CONTROL.failed, 1);
        console.error(error);
      }
      if (fresh) args[at - 1] = 0;
      Atomics.add(control, slot + SLOT.done, 1);
    }
  }
}
