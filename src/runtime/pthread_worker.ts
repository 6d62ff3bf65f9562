/**
 * A thread of tfjs's own WASM module: answers emscripten's worker protocol (`load`, `run`, `cancel`,
 * `processProxyingQueue`) with the factory imported as a module, so that nothing is evaluated from text.
 *
 * @module
 */
import factory from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js";
import { parentPort } from "./platform.ts";

interface ThreadModule {
  __emscripten_thread_init(pointer: number, isMain: number, isRuntime: number, canBlock: number): void;
  __emscripten_thread_exit(status: number): void;
  establishStackSpace(): void;
  PThread: { receiveObjectTransfer(message: unknown): void; threadInitTLS(): void };
  invokeEntryPoint(routine: number, argument: number): void;
  executeNotifiedProxyingQueue(queue: number): void;
  keepRuntimeAlive(): boolean;
  ExitStatus: new () => { status: number };
  _pthread_self(): number;
}

interface Message {
  cmd: string;
  wasmModule: WebAssembly.Module;
  wasmMemory: WebAssembly.Memory;
  pthread_ptr: number;
  start_routine: number;
  arg: number;
  queue: number;
}

const port = parentPort();
let module: ThreadModule;
let running = false;
const waitingQueues: number[] = [];

function load(message: Message): void {
  Object.assign(globalThis, {
    startWorker: (instance: ThreadModule) => {
      module = instance;
      port.postMessage({ cmd: "loaded" });
    },
    postMessage: (data: unknown) => port.postMessage(data),
  });
  const start = factory as unknown as (options: Record<string, unknown>) => Promise<unknown>;
  void start({
    wasmMemory: message.wasmMemory,
    buffer: message.wasmMemory.buffer,
    ENVIRONMENT_IS_PTHREAD: true,
    instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
      const instance = new WebAssembly.Instance(message.wasmModule, imports);
      done(instance);
      return instance.exports;
    },
  });
}

function run(message: Message): void {
  module.__emscripten_thread_init(message.pthread_ptr, 0, 0, 1);
  module.establishStackSpace();
  module.PThread.receiveObjectTransfer(message);
  module.PThread.threadInitTLS();
  if (!running) {
    for (const queue of waitingQueues.splice(0)) module.executeNotifiedProxyingQueue(queue);
    running = true;
  }
  try {
    module.invokeEntryPoint(message.start_routine, message.arg);
  } catch (error) {
    if (error === "unwind") return;
    if (!(error instanceof module.ExitStatus)) throw error;
    if (!module.keepRuntimeAlive()) module.__emscripten_thread_exit((error as { status: number }).status);
  }
}

port.onMessage((data) => {
  const message = data as Message;
  if (message.cmd === "load") load(message);
  else if (message.cmd === "run") run(message);
  else if (message.cmd === "cancel") {
    if (module._pthread_self()) module.__emscripten_thread_exit(-1);
  } else if (message.cmd === "processProxyingQueue") {
    if (running) module.executeNotifiedProxyingQueue(message.queue);
    else waitingQueues.push(message.queue);
  }
});
