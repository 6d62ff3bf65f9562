/**
 * The worker class that emscripten's pthreads get. Emscripten always makes eight; only those that will be needed are
 * started at once, the others when a thread is really put on them.
 *
 * @module
 */
import type { WorkerHandle } from "./platform.ts";
import { startPthreadWorker } from "./workers.ts";

interface Message {
  cmd?: string;
}

/** Looks like `node:worker_threads`' Worker and a browser's Worker, as far as emscripten's glue cares. */
export class LazyWorker {
  static #made = 0;
  static #ahead = 0;
  static #needed = 0;
  static #starting = false;

  /** True while a real worker is being made. */
  static get isStarting(): boolean {
    return LazyWorker.#starting;
  }

  /** Emscripten's glue in browsers listens here. */
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;

  #worker: WorkerHandle | undefined;
  #held: Message | undefined;
  readonly #eager: boolean;
  readonly #listeners = new Map<string, ((data: unknown) => void)[]>();

  constructor() {
    // Emscripten takes workers from the end of its list.
    const index = LazyWorker.#made++;
    this.#eager = index >= LazyWorker.#ahead - LazyWorker.#needed;
  }

  /** Starts the count anew: `ahead` workers will be made, of which the last `needed` will run. */
  static begin(ahead: number, needed: number): void {
    LazyWorker.#made = 0;
    LazyWorker.#ahead = ahead;
    LazyWorker.#needed = needed;
  }

  postMessage(message: Message, transfer?: readonly unknown[]): void {
    if (!this.#worker && !this.#eager && message.cmd === "load") {
      this.#held = message;
      queueMicrotask(() => this.#receive({ cmd: "loaded" }));
      return;
    }
    if (!this.#worker) {
      this.#start();
      if (this.#held) this.#worker!.postMessage(this.#held);
    }
    this.#worker!.postMessage(message, transfer);
  }

  on(event: string, listener: (data: unknown) => void): this {
    this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener]);
    return this;
  }

  terminate(): void {
    this.#worker?.terminate();
  }

  /** Ignored: no thread keeps the process alive once it is loaded. */
  ref(): void {}

  /** Emscripten calls this when the thread is loaded. */
  unref(): void {
    this.#worker?.unref();
  }

  #start(): void {
    LazyWorker.#starting = true;
    try {
      this.#worker = startPthreadWorker();
    } finally {
      LazyWorker.#starting = false;
    }
    this.#worker.onMessage((data) => this.#receive(data));
    this.#worker.onError((error) => {
      for (const listener of this.#listeners.get("error") ?? []) listener(error);
      if (!this.#listeners.has("error")) this.onerror?.(error);
    });
  }

  #receive(data: unknown): void {
    const listeners = this.#listeners.get("message");
    if (listeners) { for (const listener of listeners) listener(data); }
    else this.onmessage?.({ data });
  }
}
