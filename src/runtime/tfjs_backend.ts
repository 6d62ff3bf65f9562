/**
 * Starts tfjs's WASM backend from its own emscripten factory, with as many threads as asked for, in Deno, Node and
 * browsers. Everything global that the factory touches (`Worker`, process listeners) is put back; one thread needs
 * neither workers nor files nor `process`, and is started without them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { RuntimeError } from "../errors.ts";
import { CACHE_LINE } from "./heap.ts";
import { LazyWorker } from "./lazy_worker.ts";

/** The parts of emscripten's module that are used here. */
export interface TfjsModule {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  cwrap(name: string, returns: string | null, args: string[]): (...args: number[]) => number;
  PThread?: {
    unusedWorkers: unknown[];
    allocateUnusedWorker(): void;
    loadWasmModuleToWorker(worker: unknown, loaded: () => void): void;
    terminateAllThreads(): void;
  };
  tfjs: Record<string, (...args: number[]) => number>;
}

type Factory = (options: Record<string, unknown>) => Promise<TfjsModule>;

/** Bytes of a page, and of blocks that are worth whole ones. */
const PAGE = 4096, LARGE = 65_536;

/** Workers that emscripten makes ahead, needed or not. */
const EMSCRIPTEN_POOL = 8;

/** The parts of tfjs's backend that are used here, of which some are private there. */
export interface WasmBackend {
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  /** Where each tensor stands in memory. */
  readonly dataIdMap: { get(dataId: object): { id: number; memoryOffset: number } };
  /** The number that the next tensor gets. */
  dataIdNextNumber: number;
}

/** What {@linkcode startTfjs} gives. */
export interface StartedTfjs {
  backend: WasmBackend;
  module: TfjsModule;
  memory: WebAssembly.Memory;
  /** Takes the backend out of tfjs again and ends its threads. */
  dispose(): void;
}

/**
 * Registers and selects the backend "wasm".
 *
 * @param wasm tfjs's compiled module: the threaded SIMD one if `memory` is given, else the single-threaded SIMD one.
 * @param threads Threads for tfjs's own kernels, the calling one included.
 * @param memory The shared memory to use; without it the module brings its own.
 */
export async function startTfjs(
  wasm: WebAssembly.Module,
  threads: number,
  memory: WebAssembly.Memory | undefined,
): Promise<StartedTfjs> {
  const { module, memory: used } = await runFactory(wasm, threads, memory);
  alignBlocks(module);
  const initWithThreadsCount = module.cwrap("init_with_threads_count", null, ["number"]);
  module.tfjs = {
    init: module.cwrap("init", null, []),
    // BackendWasm passes the count of tfjs's own global setting, which is left alone.
    initWithThreadsCount: () => initWithThreadsCount(threads),
    getThreadsCount: module.cwrap("get_threads_count", "number", []),
    registerTensor: module.cwrap("register_tensor", null, ["number", "number", "number"]),
    disposeData: module.cwrap("dispose_data", null, ["number"]),
    dispose: module.cwrap("dispose", null, []),
  };
  const stockFactory = tf.findBackendFactory("wasm") as ReturnType<typeof tf.findBackendFactory> | undefined;
  const previous = tf.engine().backendName;
  if (stockFactory) tf.removeBackend("wasm");
  const backend = new BackendWasm(module as unknown as ConstructorParameters<typeof BackendWasm>[0]);
  tf.registerBackend("wasm", () => backend, 3);
  if (!await tf.setBackend("wasm")) {
    throw new RuntimeError("Cannot start tfjs's WASM backend: it refused to initialise");
  }
  return {
    backend: backend as unknown as WasmBackend,
    module,
    memory: used,
    dispose: () => {
      tf.removeBackend("wasm");
      if (stockFactory) tf.registerBackend("wasm", stockFactory, 2);
      if (previous && previous !== "wasm") tf.setBackend(previous);
    },
  };
}

/**
 * Makes blocks begin with a cache line, large ones with a page: the C heap aligns to 8 bytes, and vectors of weights, which are
 * tfjs's tensors, would lie across lines and pages.
 */
function alignBlocks(module: TfjsModule): void {
  module._free(module._malloc(1)); // the first calls put the real functions in place of others
  const { _malloc, _free } = module, unaligned = new Map<number, number>();
  module._malloc = (bytes) => {
    const alignment = bytes < LARGE ? CACHE_LINE : PAGE;
    const block = bytes < 2 ** 32 - alignment ? _malloc(bytes + alignment) >>> 0 : 0;
    const pointer = Math.ceil(block / alignment) * alignment;
    if (pointer !== block) unaligned.set(pointer, block);
    return pointer;
  };
  module._free = (pointer) => {
    _free(unaligned.get(pointer) ?? pointer); // kernels of tfjs also allocate by themselves
    unaligned.delete(pointer);
  };
}

/** Runs emscripten's factory with a worker class of ours and puts the globals back. */
async function runFactory(
  wasm: WebAssembly.Module,
  threads: number,
  memory: WebAssembly.Memory | undefined,
): Promise<{ module: TfjsModule; memory: WebAssembly.Memory }> {
  let used = memory, fail: (error: unknown) => void;
  const failure = new Promise<never>((_, reject) => fail = reject);
  const options: Record<string, unknown> = {
    locateFile: (path: string) => path,
    // A page's own thread spins until tfjs's threads have started, which emscripten says of any wait.
    printErr: (text: string) => /^Blocking on the main thread/.test(text) || console.warn(text),
    instantiateWasm: (
      imports: WebAssembly.Imports,
      done: (i: WebAssembly.Instance, m: WebAssembly.Module) => void,
    ) => {
      // tfjs caps its threads at half of this number.
      imports.env.emscripten_num_logical_cores = () => 2 * threads;
      WebAssembly.instantiate(wasm, imports).then((instance) => {
        used ??= Object.values(instance.exports).find((e) => e instanceof WebAssembly.Memory);
        done(instance, wasm);
      }).catch((cause) =>
        fail(new RuntimeError(`Cannot start tfjs's WASM backend: ${cause.message}`, { cause }))
      );
      return {};
    },
  };
  if (!memory) {
    const factory = asFactory(await import("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js"));
    const module = await Promise.race([withoutProcess(() => factory(options)), failure]);
    return { module, memory: memoryOf(used) };
  }
  const factory = asFactory(
    await import("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js"),
  );
  options.wasmMemory = memory;
  options.mainScriptUrlOrBlob = "unused";
  const restore = borrowGlobals(threads);
  let starting: Promise<TfjsModule>;
  try {
    starting = factory(options);
  } finally {
    restore.listeners();
  }
  try {
    const module = await Promise.race([starting, failure]);
    if (module.PThread) await addWorkers(module.PThread, threads);
    return { module, memory };
  } finally {
    restore.worker();
  }
}

/** The memory that the module brought. */
function memoryOf(found: WebAssembly.Memory | undefined): WebAssembly.Memory {
  if (!found) throw new RuntimeError("Cannot start tfjs's WASM backend: its module has no memory");
  return found;
}

/**
 * Calls `body` while there is no global `process`: the factory then takes this for no particular runtime, and neither
 * requires Node's modules, which bundles and edge runtimes do not have, nor listens to the process.
 */
function withoutProcess<T>(body: () => T): T {
  const process = Object.getOwnPropertyDescriptor(globalThis, "process");
  if (!process?.configurable) return body();
  Object.defineProperty(globalThis, "process", { value: undefined, configurable: true });
  try {
    return body();
  } finally {
    Object.defineProperty(globalThis, "process", process);
  }
}

function asFactory(imported: unknown): Factory {
  return (imported as { default: Factory }).default;
}

/** Emscripten makes eight workers ahead; more threads than that need their workers loaded before the pool starts. */
async function addWorkers(pthread: NonNullable<TfjsModule["PThread"]>, threads: number): Promise<void> {
  while (pthread.unusedWorkers.length < threads - 1) {
    pthread.allocateUnusedWorker();
    await new Promise<void>((loaded) => pthread.loadWasmModuleToWorker(pthread.unusedWorkers.at(-1), loaded));
  }
}

/**
 * Puts {@linkcode LazyWorker} in place of the global `Worker`, which the factory would overwrite in Deno and Node, and
 * remembers the process listeners that it adds.
 */
function borrowGlobals(threads: number): { worker(): void; listeners(): void } {
  const original = Object.getOwnPropertyDescriptor(globalThis, "Worker"), { Worker } = globalThis;
  LazyWorker.begin(EMSCRIPTEN_POOL, threads - 1);
  const get = () => LazyWorker.isStarting ? Worker : LazyWorker;
  Object.defineProperty(globalThis, "Worker", { configurable: true, get, set: () => {} });
  const process = (globalThis as { process?: NodeJS.Process }).process;
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => process?.listeners?.(event as "uncaughtException") ?? []);
  return {
    worker: () => {
      if (original) Object.defineProperty(globalThis, "Worker", original);
      else delete (globalThis as { Worker?: unknown }).Worker;
    },
    listeners: () => {
      events.forEach((event, i) => {
        for (const listener of process?.listeners?.(event as "uncaughtException") ?? []) {
          if (!before[i].includes(listener)) process!.removeListener(event, listener);
        }
      });
    },
  };
}
