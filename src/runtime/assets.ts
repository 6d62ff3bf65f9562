/**
 * The files that the package loads when it needs them: kernels, tfjs's modules, the carried checkpoint, and (in
 * workers.ts) workers. Each is named by a literal that bundlers find; `init({ assets })` says where they are when a
 * bundler leaves them behind.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import { builtin } from "./platform.ts";

/** Files that the package carries, by the names that they have in its folder `browser`. */
export type AssetName =
  | "kernels_relaxed.wasm"
  | "kernels_simd.wasm"
  | "kernels_single.wasm"
  | "tfjs-backend-wasm-simd.wasm"
  | "tfjs-backend-wasm-threaded-simd.wasm"
  | "pool_worker.js"
  | "pthread_worker.js"
  | `berth-tiny/${"config.json" | "model.safetensors" | "tokenizer_config.json" | "vocab.txt"}`;

/** Where the package's files are: the folder that has them all, or a function that tells each one's place. */
export type Assets = string | URL | ((name: AssetName) => string | URL);

const BESIDE: Readonly<Record<Exclude<AssetName, `${string}_worker.js`>, () => URL>> = {
  "kernels_relaxed.wasm": () => new URL("../kernels/generated/kernels_relaxed.wasm", import.meta.url),
  "kernels_simd.wasm": () => new URL("../kernels/generated/kernels_simd.wasm", import.meta.url),
  "kernels_single.wasm": () => new URL("../kernels/generated/kernels_single.wasm", import.meta.url),
  "tfjs-backend-wasm-simd.wasm": () =>
    resolved("tfjs-backend-wasm-simd.wasm") ??
      new URL("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm", import.meta.url),
  "tfjs-backend-wasm-threaded-simd.wasm": () =>
    resolved("tfjs-backend-wasm-threaded-simd.wasm") ??
      new URL("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.wasm", import.meta.url),
  "berth-tiny/config.json": () => new URL("../assets/berth-tiny/config.json", import.meta.url),
  "berth-tiny/model.safetensors": () => new URL("../assets/berth-tiny/model.safetensors", import.meta.url),
  "berth-tiny/tokenizer_config.json": () =>
    new URL("../assets/berth-tiny/tokenizer_config.json", import.meta.url),
  "berth-tiny/vocab.txt": () => new URL("../assets/berth-tiny/vocab.txt", import.meta.url),
};

let given: Assets | undefined;

/** Says where the files are; `undefined` for beside the module. */
export function setAssets(assets: Assets | undefined): void {
  given = assets;
}

/** Where the caller of {@linkcode setAssets} says that a file is. */
export function givenUrl(name: AssetName): URL | undefined {
  if (given === undefined) return undefined;
  const base = (globalThis as { location?: { href: string } }).location?.href;
  try {
    if (typeof given === "function") return new URL(given(name), base);
    return new URL(name, new URL(String(given).replace(/\/?$/, "/"), base));
  } catch (cause) {
    throw new RuntimeError(`Cannot find ${name}: init({ assets }) gives no URL for it`, { cause });
  }
}

/** Where a file is. */
export function assetUrl(name: keyof typeof BESIDE): URL {
  return givenUrl(name) ?? BESIDE[name]();
}

/** The files of a checkpoint that the package carries, by their names in its folder; `undefined` if it carries none. */
export function carriedCheckpoint(name: string): ReadonlyMap<string, () => URL> | undefined {
  const names = (Object.keys(BESIDE) as (keyof typeof BESIDE)[]).filter((file) =>
    file.startsWith(`${name}/`)
  );
  if (names.length === 0) return undefined;
  return new Map(names.map((file) => [file.slice(name.length + 1), () => assetUrl(file)]));
}

/** A file of tfjs's package, where the runtime has its packages on disk. */
function resolved(file: string): URL | undefined {
  if (!builtin("node:fs")) return undefined;
  return new URL(import.meta.resolve(`@tensorflow/tfjs-backend-wasm/wasm-out/${file}`));
}
