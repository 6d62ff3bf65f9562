/**
 * The running backend: tfjs's WASM module and our kernels over one memory. There is one at a time, as tfjs has one
 * global engine.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { RuntimeError } from "../errors.ts";
import { type Assets, assetUrl, setAssets } from "./assets.ts";
import { Arena, Heap, MEMORY_LIMIT } from "./heap.ts";
import { canShareMemory, logicalCores, readBytes } from "./platform.ts";
import { type KernelPool, startPool } from "./pool.ts";
import type { Tensor, Variable } from "./tensor.ts";
import { type StartedTfjs, startTfjs } from "./tfjs_backend.ts";

/**
 * Which build of the kernels runs: `relaxed` (threads and fused multiply-add), `simd` (threads, the same bits on every
 * machine), `single` (one thread, no shared memory).
 */
export type Profile = "relaxed" | "simd" | "single";

/** Where a WASM module comes from: compiled, as bytes, or by URL. */
export type WasmSource = WebAssembly.Module | BufferSource | URL | string;

/** Options of {@linkcode init}. */
export interface InitOptions {
  /** Threads, the calling one included. Default: the machine's logical cores. */
  threads?: number;
  /** Forces a profile. Default: the best that the runtime supports; `single` where memory cannot be shared. */
  profile?: Profile;
  /**
   * Where the package's files are (`.wasm`, workers, the carried checkpoint), for pages whose bundler leaves them
   * behind: the folder that has what is in the package's folder `browser`, or a function that tells each one's URL.
   * It holds for all that is loaded afterwards. Default: where the bundler put them, or beside the module.
   */
  assets?: Assets;
  /**
   * Bytes of WASM memory that may be in use, where the platform has a limit of its own: what would take more fails
   * with a MemoryError before anything is allocated. Default: what WASM can address, 4 GiB.
   */
  memoryLimit?: number;
  /** Replacements for the module files; default: those of the package. */
  wasm?: {
    /** Our kernels, of the profile that runs. */
    kernels?: WasmSource;
    /** tfjs's module: `tfjs-backend-wasm-threaded-simd.wasm`, or `tfjs-backend-wasm-simd.wasm` for `single`. */
    tfjs?: WasmSource;
  };
}

/** Pages of 64 KiB that a shared memory has from its start (untouched pages cost nothing). */
const SHARED_PAGES = MEMORY_LIMIT / 65_536;

/** Bytes that tfjs's module takes for itself, and for each thread beyond the first; measured. */
const TFJS_BYTES = 94_016, TFJS_THREAD_BYTES = 65_856;

/** The least scratch memory of a thread: panels of one block of gemm. */
const MIN_SCRATCH_BYTES = 1 << 20;

/** A started backend. */
export class Runtime {
  /** The build of the kernels that runs. */
  readonly profile: Profile;
  /** @ignore */
  readonly heap: Heap;
  /** @ignore */
  readonly pool: KernelPool;
  /** @ignore Buffers of the step that runs; each model puts its own here before it computes. */
  arena: Arena;
  /** Bytes of WASM memory that may be in use. */
  memoryLimit: number = MEMORY_LIMIT;
  /** @ignore Operations of all matrix products so far, two for each multiplication and addition. */
  flops = 0;
  readonly #tfjs: StartedTfjs;
  /** Bytes of tensors that are left of backends before this one. */
  readonly #otherTensors: number = tf.engine().state.numBytes;
  #scratch = 0;
  #ended = false;

  /** @ignore Use {@linkcode init}. */
  constructor(
    profile: Profile,
    tfjs: StartedTfjs,
    pool: KernelPool,
    heap: Heap = new Heap(tfjs.memory, tfjs.module),
  ) {
    this.profile = profile;
    this.#tfjs = tfjs;
    this.pool = pool;
    this.heap = heap;
    this.arena = new Arena(this.heap);
    this.needScratch(MIN_SCRATCH_BYTES);
  }

  /** Threads that kernels run on. */
  get threads(): number {
    return this.pool.threads;
  }

  /** Bytes that tfjs's module takes for itself. */
  get tfjsBytes(): number {
    return TFJS_BYTES + TFJS_THREAD_BYTES * (this.threads - 1);
  }

  /** Bytes of WASM memory that are not in use: what weights, gradients and buffers may still take. */
  get freeBytes(): number {
    const tensors = tf.engine().state.numBytes - this.#otherTensors;
    return this.memoryLimit - this.tfjsBytes - this.heap.bytesInUse - tensors;
  }

  /** The table of tfjs's tensors: where each stands in memory. */
  get dataIds(): { get(dataId: object): { id: number; memoryOffset: number } } {
    return this.#tfjs.backend.dataIdMap;
  }

  /** Sees to it that every thread has this much scratch memory. */
  needScratch(bytes: number): void {
    if (bytes <= this.pool.scratchBytes) return;
    const rounded = Math.ceil(bytes / 4096) * 4096;
    this.heap.free(this.#scratch);
    this.#scratch = this.heap.alloc(rounded * this.threads);
    this.pool.setScratch(this.#scratch, rounded);
  }

  /** The address of a tensor's values. */
  pointerOf(tensor: Tensor): number {
    return this.dataIds.get(tensor.dataId).memoryOffset;
  }

  /** A new tensor, and the address of its values, which are undefined. */
  emptyTensor(
    shape: number[],
    dtype: "float32" | "int32" = "float32",
  ): { tensor: Tensor; pointer: number } {
    const info = this.#tfjs.backend.makeOutput(shape, dtype);
    const tensor = tf.engine().makeTensorFromTensorInfo(info);
    return { tensor, pointer: this.pointerOf(tensor) };
  }

  /** A new variable; its values are undefined. */
  emptyVariable(shape: number[]): Variable {
    const { tensor } = this.emptyTensor(shape), variable = tf.variable(tensor);
    tensor.dispose();
    return variable;
  }

  /**
   * Tells tfjs that a tensor's memory was written in place: XNNPACK keeps packed copies by the tensor's number, so the
   * tensor gets a new one.
   */
  markWritten(tensor: Tensor): void {
    const data = this.dataIds.get(tensor.dataId), { tfjs } = this.#tfjs.module;
    tfjs.disposeData(data.id);
    data.id = this.#tfjs.backend.dataIdNextNumber++;
    tfjs.registerTensor(data.id, tensor.size, data.memoryOffset);
  }

  /** True after `dispose()`: nothing can be computed any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @ignore Use the module's `dispose()`. */
  end(): void {
    this.#ended = true;
    this.pool.dispose();
    this.#tfjs.dispose();
  }
}

let current: Promise<Runtime> | undefined;
let started: Runtime | undefined;

/**
 * Starts the backend; called again, it returns the one that runs (and fails if other threads are asked for).
 * Models start it by themselves with the defaults.
 *
 * @throws {RuntimeError} if the runtime lacks WASM SIMD, or a worker or module cannot be loaded.
 * @example
 * ```ts
 * import { dispose, init } from "@berth/berth";
 * const runtime = await init({ threads: 2 });
 * console.log(runtime.threads, runtime.profile);
 * dispose();
 * ```
 */
export async function init(options: InitOptions = {}): Promise<Runtime> {
  if (typeof options !== "object" || options === null) {
    throw new RangeError(`Cannot start with ${options}: options in an object are wanted`);
  }
  if (current) {
    const runtime = await current;
    const { threads = runtime.threads, profile = runtime.profile } = options;
    if (threads !== runtime.threads || profile !== runtime.profile) {
      throw new RuntimeError(
        `Cannot start with ${threads} threads (${profile}): ${runtime.threads} threads (${runtime.profile}) run already; ` +
          "call dispose() first",
      );
    }
    return runtime;
  }
  const { memoryLimit = MEMORY_LIMIT } = options;
  if (!(memoryLimit > 0 && memoryLimit <= MEMORY_LIMIT)) {
    throw new RangeError(
      `Cannot start with a memory limit of ${memoryLimit} bytes: at most ${MEMORY_LIMIT} are wanted`,
    );
  }
  current = start(options);
  try {
    started = await current;
    started.memoryLimit = memoryLimit;
    return started;
  } catch (error) {
    current = undefined;
    throw error;
  }
}

/**
 * The backend that runs.
 *
 * @throws {RuntimeError} if {@linkcode init} was not awaited.
 */
export function runtime(): Runtime {
  if (!started) throw new RuntimeError("Cannot compute: the backend is not started; await init() first");
  return started;
}

/** @ignore Runs `body`, which must not wait for anything, with another backend in place of the one that runs. */
export function withRuntime<T>(other: Runtime, body: () => T): T {
  const before = started;
  started = other;
  try {
    return body();
  } finally {
    started = before;
  }
}

/** @ignore The backend that runs, if one does. */
export function startedRuntime(): Runtime | undefined {
  return started;
}

/** Ends the backend and all its workers; models made on it can no longer be used. Does nothing if none runs. */
export function dispose(): void {
  started?.end();
  started = current = undefined;
}

const PROFILES: readonly Profile[] = ["relaxed", "simd", "single"];

async function start(options: InitOptions): Promise<Runtime> {
  if (options.assets !== undefined) setAssets(options.assets);
  const threads = options.threads ?? logicalCores();
  if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
    throw new RangeError(`Cannot start ${threads} threads: a whole number from 1 to 256 is wanted`);
  }
  const profile = options.profile ?? bestProfile();
  if (!PROFILES.includes(profile)) {
    throw new RangeError(`Cannot start with the profile ${profile}: one of ${PROFILES.join(", ")} is wanted`);
  }
  const memory = profile === "single" ? undefined : sharedMemory();
  if (profile === "single" || (!memory && !options.profile)) return await startSingle(options);
  if (!memory) {
    throw new RuntimeError(
      'Cannot reserve 4 GiB of address space for shared WASM memory; use init({ profile: "single" })',
    );
  }
  const [tfjsModule, kernels] = await Promise.all([
    compile(options.wasm?.tfjs ?? assetUrl("tfjs-backend-wasm-threaded-simd.wasm")),
    compile(options.wasm?.kernels ?? assetUrl(`kernels_${profile}.wasm`)),
  ]);
  const pool = await startPool({ module: kernels, memory, threads });
  try {
    return new Runtime(profile, await startTfjs(tfjsModule, threads, memory), pool);
  } catch (error) {
    pool.dispose();
    throw error;
  }
}

/** Starts without shared memory, which has one thread. */
async function startSingle({ wasm }: InitOptions): Promise<Runtime> {
  const tfjsModule = await compile(wasm?.tfjs ?? assetUrl("tfjs-backend-wasm-simd.wasm"));
  const kernels = await compile(wasm?.kernels ?? assetUrl("kernels_single.wasm"));
  const tfjs = await startTfjs(tfjsModule, 1, undefined);
  return new Runtime("single", tfjs, await startPool({ module: kernels, memory: tfjs.memory, threads: 1 }));
}

/** The memory of several threads; `undefined` where a device has not so much address space, as some phones. */
function sharedMemory(): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: SHARED_PAGES, maximum: SHARED_PAGES, shared: true });
  } catch {
    return undefined;
  }
}

/** The smallest modules that use v128, and `f32x4.relaxed_madd`. */
const SIMD_PROBE = [
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  8,
  1,
  6,
  0,
  65,
  0,
  253,
  15,
  11,
];
const RELAXED_PROBE = [
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
];

function bestProfile(): Profile {
  if (!WebAssembly.validate(new Uint8Array(SIMD_PROBE))) {
    throw new RuntimeError("Cannot compute: this runtime has no WASM SIMD");
  }
  if (!canShareMemory()) return "single";
  return WebAssembly.validate(new Uint8Array(RELAXED_PROBE)) ? "relaxed" : "simd";
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  const bytes = typeof source === "string" || source instanceof URL
    ? await readBytes(new URL(source))
    : source;
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new RuntimeError(`Cannot compile a WASM module: ${(error as Error).message}`, { cause: error });
  }
}
