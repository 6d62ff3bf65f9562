/**
 * The start in places that have no threads, no files and no compiler: from compiled modules, with a memory limit.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import { hasFileSystem } from "../runtime/files.ts";
import { init as start, type Runtime } from "../runtime/mod.ts";

/** What {@linkcode init} needs. */
export interface EdgeOptions {
  /** The compiled modules. Default: the package's own files, where there are files (Deno, Node). */
  wasm?: {
    /** `@berth/berth/tfjs-backend-wasm-simd.wasm` */
    tfjs: WebAssembly.Module;
    /** `@berth/berth/kernels_single.wasm` */
    kernels: WebAssembly.Module;
  };
  /**
   * Bytes of WASM memory that may be in use; what would take more fails with a MemoryError before anything is allocated.
   * Default 64 MiB: with the program itself and the room that growing memory leaves unused, that is less than 128 MB.
   */
  memoryLimit?: number;
}

const DEFAULT_MEMORY = 64 * 2 ** 20;

/**
 * Starts the backend on one thread; called again, it returns the one that runs. Waits for nothing outside, so that it
 * can be called by every request.
 *
 * @throws {RuntimeError} if a module is missing or another one than is wanted.
 */
export async function init({ wasm, memoryLimit = DEFAULT_MEMORY }: EdgeOptions = {}): Promise<Runtime> {
  for (const name of wasm || !hasFileSystem() ? ["tfjs", "kernels"] as const : []) {
    if (wasm?.[name] instanceof WebAssembly.Module) continue;
    throw new RuntimeError(
      `Cannot start: wasm.${name} is ${describe(wasm?.[name])}, a compiled WebAssembly.Module is wanted`,
    );
  }
  return await start({ threads: 1, profile: "single", wasm, memoryLimit });
}

function describe(value: unknown): string {
  return value === undefined ? "missing" : Object.prototype.toString.call(value).slice(8, -1);
}
