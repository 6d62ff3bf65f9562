/**
 * Runs kernels over ranges on several threads. All threads share one WASM memory and one block of control words;
 * a dispatch writes the kernel's number and arguments into a slot there and raises the generation that the workers
 * watch. Every thread, the caller included, then takes chunks of the range from a shared counter until none is left.
 *
 * The caller waits for the chunks, not for the workers: a worker that the system has put aside costs nothing, and one
 * that comes late finds its slot empty. A slot is not used again while a worker is still in it.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import { type KernelArguments, KERNELS } from "../kernels/generated/signatures.gen.ts";
import type { WorkerHandle } from "./platform.ts";
import { CONTROL, CONTROL_WORDS, type KernelExports, KernelRunner, SLOT, slotOf } from "./kernel_runner.ts";
import { startPoolWorker } from "./workers.ts";

/** Dispatches are counted up to here, then from 1 again. */
const LAST_GENERATION = 2 ** 30;

const numbers = new Map(KERNELS.map(([name], number) => [name, number]));

/** How a pool is made; see {@linkcode startPool}. */
export interface PoolOptions {
  /** The compiled kernels. */
  module: WebAssembly.Module;
  /** The memory that all kernels work on; shared if there are several threads. */
  memory: WebAssembly.Memory;
  /** Threads, the calling one included. */
  threads: number;
}

/** Threads that run kernels; made by {@linkcode startPool}. */
export class KernelPool {
  readonly threads: number;
  readonly #runner: KernelRunner;
  readonly #control: Int32Array;
  readonly #floats: Float32Array;
  readonly #workers: WorkerHandle[];
  #generation = 0;
  #scratch = 0;
  #scratchBytes = 0;

  /** @ignore Use {@linkcode startPool}. */
  constructor(runner: KernelRunner, control: Int32Array, workers: WorkerHandle[]) {
    this.#runner = runner;
    this.#control = control;
    this.#floats = new Float32Array(control.buffer);
    this.#workers = workers;
    this.threads = workers.length + 1;
  }

  /** The kernels' exports on the calling thread, for the few that are called directly. */
  get exports(): KernelExports {
    return this.#runner.exports;
  }

  /** Bytes of scratch memory that each thread has. */
  get scratchBytes(): number {
    return this.#scratchBytes;
  }

  /** Tells where the threads' scratch memory stands: `threads * bytesPerThread` bytes at `pointer`. */
  setScratch(pointer: number, bytesPerThread: number): void {
    this.#scratch = pointer;
    this.#scratchBytes = bytesPerThread;
  }

  /**
   * Runs a kernel over [0, count), `grain` units at a time, and returns when all of it is done.
   *
   * @throws {RuntimeError} if the kernel traps on any thread.
   */
  run<K extends keyof KernelArguments>(
    kernel: K,
    count: number,
    grain: number,
    ...args: KernelArguments[K]
  ): void {
    const control = this.#control, generation = this.#generation = this.#generation % LAST_GENERATION + 1;
    const slot = slotOf(generation);
    const chunks = Math.ceil(count / grain), alone = this.#workers.length === 0 || chunks <= 1;
    Atomics.store(control, CONTROL.prepared, generation);
    this.#waitForSlot(slot);
    const number = numbers.get(kernel)!, kinds = KERNELS[number][1], first = slot + SLOT.args;
    for (let i = 0; i < args.length; i++) {
      if (kinds[i] === "f") this.#floats[first + i] = args[i];
      else control[first + i] = args[i];
    }
    control[slot + SLOT.kernel] = number;
    control[slot + SLOT.count] = count;
    control[slot + SLOT.grain] = grain;
    control[slot + SLOT.chunks] = chunks;
    control[slot + SLOT.scratch] = this.#scratch;
    control[slot + SLOT.scratchBytes] = this.#scratchBytes;
    control[slot + SLOT.done] = 0;
    Atomics.store(control, slot + SLOT.next, 0);
    if (!alone) {
      Atomics.store(control, CONTROL.generation, generation);
      Atomics.notify(control, CONTROL.generation);
    }
    this.#runner.take(0, slot);
    while (Atomics.load(control, slot + SLOT.done) < chunks);
    if (Atomics.load(control, CONTROL.failed) !== 0) {
      Atomics.store(control, CONTROL.failed, 0);
      throw new RuntimeError(`Cannot finish kernel ${kernel}: it trapped`);
    }
  }

  /** Ends all workers. The pool cannot be used afterwards. */
  dispose(): void {
    Atomics.store(this.#control, CONTROL.stop, 1);
    Atomics.add(this.#control, CONTROL.generation, 1);
    Atomics.notify(this.#control, CONTROL.generation);
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
  }

  /** Waits for workers that are still in a slot of 16 dispatches ago. */
  #waitForSlot(slot: number): void {
    for (let thread = 1; thread < this.threads; thread++) {
      for (;;) {
        const working = Atomics.load(this.#control, CONTROL.working + thread);
        if (working === 0 || slotOf(working) !== slot) break;
      }
    }
  }
}

/**
 * Starts a pool; resolves when every worker is ready.
 *
 * @throws {RuntimeError} if a worker cannot start.
 */
export async function startPool({ module, memory, threads }: PoolOptions): Promise<KernelPool> {
  const buffer = new (threads > 1 ? SharedArrayBuffer : ArrayBuffer)(CONTROL_WORDS * 4);
  const control = new Int32Array(buffer);
  const workers: WorkerHandle[] = [];
  try {
    const ready: Promise<void>[] = [];
    for (let thread = 1; thread < threads; thread++) {
      const worker = startPoolWorker();
      workers.push(worker);
      ready.push(
        new Promise((resolve, reject) => {
          worker.onMessage(() => resolve());
          worker.onError((error) =>
            reject(new RuntimeError(`Cannot start kernel thread ${thread}: ${error.message}`))
          );
        }),
      );
      worker.postMessage({ module, memory, control, thread });
    }
    await Promise.all(ready);
    for (const worker of workers) worker.unref();
  } catch (error) {
    for (const worker of workers) worker.terminate();
    throw error;
  }
  return new KernelPool(new KernelRunner(module, memory, control), control, workers);
}
