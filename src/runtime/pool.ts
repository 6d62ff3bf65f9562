/**
 * Runs kernels over ranges on several threads. All threads share one WASM memory and one block of control words;
 * a dispatch writes the kernel's number and arguments there and bumps a generation that the workers watch. Every
 * thread, the caller included, then takes chunks of the range from a shared counter until none is left.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import { type KernelArguments, KERNELS } from "../kernels/generated/signatures.gen.ts";
import { startWorker, type WorkerHandle } from "./platform.ts";
import { CONTROL, type KernelExports, KernelRunner } from "./kernel_runner.ts";

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
  run<K extends keyof KernelArguments>(kernel: K, count: number, grain: number, ...args: KernelArguments[K]): void {
    const number = numbers.get(kernel)!, control = this.#control;
    const kinds = KERNELS[number][1];
    for (let i = 0; i < args.length; i++) {
      if (kinds[i] === "f") this.#floats[CONTROL.args + i] = args[i];
      else control[CONTROL.args + i] = args[i];
    }
    control[CONTROL.kernel] = number;
    control[CONTROL.count] = count;
    control[CONTROL.grain] = grain;
    control[CONTROL.next] = 0;
    control[CONTROL.scratch] = this.#scratch;
    control[CONTROL.scratchBytes] = this.#scratchBytes;
    if (this.#workers.length === 0 || count <= grain) {
      this.#runner.take(0);
      return;
    }
    Atomics.store(control, CONTROL.pending, this.#workers.length);
    Atomics.add(control, CONTROL.generation, 1);
    Atomics.notify(control, CONTROL.generation);
    this.#runner.take(0);
    while (Atomics.load(control, CONTROL.pending) > 0);
    if (Atomics.load(control, CONTROL.failed) !== 0) {
      Atomics.store(control, CONTROL.failed, 0);
      throw new RuntimeError(`Cannot finish kernel ${kernel}: it trapped on a worker thread`);
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
}

/**
 * Starts a pool; resolves when every worker is ready.
 *
 * @throws {RuntimeError} if a worker cannot start.
 */
export async function startPool({ module, memory, threads }: PoolOptions): Promise<KernelPool> {
  const words = CONTROL.args + 40;
  const buffer = threads > 1 ? new SharedArrayBuffer(words * 4) : new ArrayBuffer(words * 4);
  const control = new Int32Array(buffer);
  const workers: WorkerHandle[] = [];
  try {
    const url = new URL(import.meta.url.endsWith(".ts") ? "./pool_worker.ts" : "./pool_worker.js", import.meta.url);
    const ready: Promise<void>[] = [];
    for (let thread = 1; thread < threads; thread++) {
      const worker = startWorker(url);
      workers.push(worker);
      ready.push(
        new Promise((resolve, reject) => {
          worker.onMessage(() => resolve());
          worker.onError((error) => reject(new RuntimeError(`Cannot start kernel thread ${thread}: ${error.message}`)));
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
