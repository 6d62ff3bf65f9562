/**
 * What differs between Deno, Node, browsers and edge runtimes: files, workers, cores. The only place that names them.
 *
 * @module
 */
import type * as NodeCrypto from "node:crypto";
import type * as NodeFs from "node:fs";
import type * as NodeOs from "node:os";
import type NodeProcess from "node:process";
import type * as NodeUrl from "node:url";
import type * as NodeUtil from "node:util";
import type * as NodeWorkerThreads from "node:worker_threads";
import { RuntimeError } from "../errors.ts";

interface BuiltinModules {
  "node:crypto": typeof NodeCrypto;
  "node:fs": typeof NodeFs;
  "node:os": typeof NodeOs;
  "node:process": typeof NodeProcess;
  "node:url": typeof NodeUrl;
  "node:util": typeof NodeUtil;
  "node:worker_threads": typeof NodeWorkerThreads;
}

interface ProcessLike {
  versions?: { node?: string };
  pid?: number;
  env?: Record<string, string | undefined>;
  stdin?: AsyncIterable<Uint8Array>;
  execPath?: string;
  kill?(pid: number, signal: number): void;
  exit?(code: number): void;
  on?(signal: string, listener: () => void): void;
  off?(signal: string, listener: () => void): void;
  getBuiltinModule?(name: string): unknown;
}

const processLike = (globalThis as { process?: ProcessLike }).process;

/** A module of Node's standard library where there is one (Deno, Node, Bun), else `undefined`. */
export function builtin<K extends keyof BuiltinModules>(name: K): BuiltinModules[K] | undefined {
  return processLike?.getBuiltinModule?.(name) as BuiltinModules[K] | undefined;
}

/** The name of this runtime: `"deno 2.9.6"`, `"node 22.3.0"`, `"browser"` or `"other"`. */
export function runtimeName(): string {
  const versions = (globalThis as { Deno?: { version?: { deno: string } } }).Deno?.version;
  if (versions) return `deno ${versions.deno}`;
  if (processLike?.versions?.node) return `node ${processLike.versions.node}`;
  return "document" in globalThis || "WorkerGlobalScope" in globalThis ? "browser" : "other";
}

/** A hash that takes its bytes piece by piece, native code; `undefined` in browsers, which hash only whole buffers. */
export function nativeHash(
  algorithm: "sha1" | "sha256",
): { update(bytes: Uint8Array): void; hex(): string } | undefined {
  const hash = builtin("node:crypto")?.createHash(algorithm);
  return hash && { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

/** An environment variable; `undefined` too where there are none or the program may not read them. */
export function environmentVariable(name: string): string | undefined {
  return permitted(() => processLike?.env?.[name]);
}

/** The user's home folder; `undefined` where there is none or the program may not ask. */
export function homeFolder(): string | undefined {
  return environmentVariable("HOME") ?? environmentVariable("USERPROFILE") ??
    permitted(() => builtin("node:os")?.homedir());
}

/** This process, so that others can tell whether it still runs. The host is empty if the program may not ask. */
export function processIdentity(): { pid: number; host: string } {
  return { pid: processLike?.pid ?? 0, host: permitted(() => builtin("node:os")?.hostname()) ?? "" };
}

/** False if no process of this machine has that id; `undefined` if the program may not ask. */
export function processRuns(pid: number): boolean | undefined {
  try {
    processLike?.kill?.(pid, 0);
    return processLike?.kill ? true : undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "ESRCH" ? false : code === "EPERM" ? true : undefined;
  }
}

/** The path of the program that runs this one: Deno's or Node's binary. */
export function programPath(): string {
  return permitted(() => processLike?.execPath) ?? "deno";
}

/** The flags of an open file descriptor of this process; `"unknown"` where Linux does not tell them. */
export function descriptorFlags(descriptor: number): number | "closed" | "unknown" {
  const fs = builtin("node:fs"), folder = "/proc/self/fdinfo";
  try {
    if (!fs?.existsSync(folder)) return "unknown";
    const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`${folder}/${descriptor}`, "utf8"));
    return flags ? parseInt(flags[1], 8) : "unknown";
  } catch (error) {
    return (error as { code?: string }).code === "ENOENT" ? "closed" : "unknown";
  }
}

/**
 * Ends this process at once.
 *
 * @throws {RuntimeError} where a program cannot end itself (browsers, edge).
 */
export function endProcess(code: number): never {
  processLike?.exit?.(code);
  throw new RuntimeError(`Cannot end the process with code ${code}: this runtime has none`);
}

/**
 * Listens for the signals that ask a process to end (SIGINT, SIGTERM) instead of ending; the second one ends it at once.
 * Does nothing where there are no signals.
 *
 * @returns Ends the listening.
 */
export function onStopSignal(listener: (signal: string) => void): () => void {
  const listeners = ["SIGINT", "SIGTERM"].map((signal) => {
    const own = () => {
      stop();
      listener(signal);
    };
    return [signal, own] as const;
  });
  const stop = () => listeners.forEach(([signal, own]) => processLike?.off?.(signal, own));
  listeners.forEach(([signal, own]) => processLike?.on?.(signal, own));
  return stop;
}

/** What a question to the system gives, `undefined` if Deno's permissions forbid to ask. */
function permitted<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (["NotCapable", "PermissionDenied"].includes((error as Error).name)) return undefined;
    throw error;
  }
}

/** Bytes of memory that this process had at its peak; `undefined` where that cannot be known. */
export function peakMemoryBytes(): number | undefined {
  const kibibytes = permitted(() => builtin("node:process")?.resourceUsage().maxRSS);
  return kibibytes && kibibytes * 1024;
}

/** Logical cores of this machine, 1 if unknown. */
export function logicalCores(): number {
  const cores = globalThis.navigator?.hardwareConcurrency ?? builtin("node:os")?.availableParallelism();
  return Math.max(1, Math.floor(cores ?? 1));
}

/** True if several threads can share memory and be started here. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  if ((globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false && !processLike) {
    return false;
  }
  return builtin("node:worker_threads") !== undefined || typeof globalThis.Worker === "function";
}

/** A worker of either kind (web or `node:worker_threads`) behind one interface. */
export interface WorkerHandle {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  onMessage(listener: (message: unknown) => void): void;
  onError(listener: (error: Error) => void): void;
  terminate(): void;
  /** Lets the process end although this worker runs, where that exists. */
  unref(): void;
}

/**
 * Starts a module worker.
 *
 * @param url The worker's module.
 * @param inBrowser Makes the worker where it is a web worker.
 * @throws {RuntimeError} where there are no workers.
 */
export function startWorker(
  url: URL,
  inBrowser: () => Worker = () => new Worker(url, { type: "module" }),
): WorkerHandle {
  const threads = builtin("node:worker_threads");
  if (threads && url.protocol === "file:") {
    const worker = new threads.Worker(url);
    return {
      postMessage: (message, transfer) =>
        worker.postMessage(message, transfer as NodeWorkerThreads.TransferListItem[] | undefined),
      onMessage: (listener) => worker.on("message", listener),
      onError: (listener) => worker.on("error", listener),
      terminate: () => void worker.terminate(),
      unref: () => worker.unref(),
    };
  }
  if (typeof globalThis.Worker !== "function") {
    throw new RuntimeError("Cannot start a worker: this runtime has none; use init({ threads: 1 })");
  }
  const worker = inBrowser();
  return {
    postMessage: (message, transfer) => worker.postMessage(message, (transfer ?? []) as Transferable[]),
    onMessage: (listener) => worker.addEventListener("message", (event) => listener(event.data)),
    onError: (listener) => worker.addEventListener("error", (event) => listener(new Error(event.message))),
    terminate: () => worker.terminate(),
    unref: () => {},
  };
}

/** The other end of {@linkcode startWorker}: how a worker's module talks to its parent. */
export function parentPort(): {
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
} {
  const port = builtin("node:worker_threads")?.parentPort;
  if (port) {
    return {
      postMessage: (message) => port.postMessage(message),
      onMessage: (listener) => port.on("message", listener),
      close: () => (port as { close?(): void }).close?.(), // Deno's has none; the parent terminates it
    };
  }
  const scope = globalThis as unknown as {
    postMessage(message: unknown): void;
    addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
    close(): void;
  };
  const post = scope.postMessage.bind(scope); // emscripten's threads put another in its place
  return {
    postMessage: (message) => post(message),
    onMessage: (listener) => scope.addEventListener("message", (event) => listener(event.data)),
    close: () => scope.close(),
  };
}

/**
 * What is written to this program's standard input.
 *
 * @throws {RuntimeError} where there is none.
 */
export function standardInput(): AsyncIterable<Uint8Array> {
  if (processLike?.stdin) return processLike.stdin;
  throw new RuntimeError("Cannot read the standard input: this runtime has none");
}

/**
 * Reads a file or URL whole.
 *
 * @throws {RuntimeError} if it cannot be read.
 */
export async function readBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const fs = builtin("node:fs");
  try {
    if (url.protocol === "file:" && fs) return new Uint8Array(await fs.promises.readFile(url));
    if (url.protocol === "data:") return decodeDataUrl(url);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new RuntimeError(`Cannot read ${url}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** The bytes of a `data:` URL, which bundlers make of small files; pages may not fetch them. */
function decodeDataUrl(url: URL): Uint8Array<ArrayBuffer> {
  const [head, ...rest] = url.href.split(","), text = decodeURIComponent(rest.join(","));
  if (!head.endsWith(";base64")) return new TextEncoder().encode(text);
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
