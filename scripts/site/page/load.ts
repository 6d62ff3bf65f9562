/** Loads all that the page needs, in one go, with progress. Afterwards nothing is loaded any more. */
import type { Files, Start } from "./messages.ts";

/** Bytes of the files that were built, by name. */
export type Sizes = Readonly<Record<string, number>>;

/** A shared memory must be reserved whole. */
const SHARED_PAGES = 65_535;

/** Threads where the page may share memory and the device has the address space, else one. */
function profileHere(): Start["profile"] {
  if (!crossOriginIsolated) return "single";
  try {
    new WebAssembly.Memory({ initial: SHARED_PAGES, maximum: SHARED_PAGES, shared: true });
    return "simd";
  } catch {
    return "single";
  }
}

/** What came. */
export interface Loaded {
  profile: Start["profile"];
  files: Files;
}

/** Loads the files whose names the profile needs. */
export async function loadFiles(
  sizes: Sizes,
  onProgress: (done: number, total: number) => void,
): Promise<Loaded> {
  const profile = profileHere();
  const needed = Object.keys(sizes).filter((name) => {
    if (!name.endsWith(".wasm")) return true;
    return profile === "single" ? /single|backend-wasm-simd/.test(name) : /kernels_simd|threaded/.test(name);
  });
  const total = needed.reduce((sum, name) => sum + sizes[name], 0);
  let done = 0;
  const entries = await Promise.all(needed.map(async (name) => {
    const bytes = await loadFile(name, sizes[name], (count) => onProgress(done += count, total));
    return [name, bytes] as const;
  }));
  return { profile, files: new Map(entries) };
}

async function loadFile(
  name: string,
  size: number,
  onBytes: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(name, document.baseURI));
  if (!response.ok || !response.body) {
    throw new Error(`${name} could not be loaded (HTTP ${response.status}).`);
  }
  const bytes = new Uint8Array(size), reader = response.body.getReader();
  let at = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (at + part.value.length > size) {
      throw new Error(`${name} is longer than it was when the page was built.`);
    }
    bytes.set(part.value, at);
    at += part.value.length;
    onBytes(part.value.length);
  }
  if (at < size) throw new Error(`${name} is shorter than it was when the page was built.`);
  return bytes;
}

/** What the worker starts with. */
export async function prepareStart({ profile, files }: Loaded): Promise<Start> {
  const compile = (pattern: RegExp) =>
    WebAssembly.compile(files.get([...files.keys()].find((name) => pattern.test(name))!)!);
  const [kernels, tfjs] = await Promise.all([compile(/kernels_.*\.wasm$/), compile(/tfjs-.*\.wasm$/)]);
  const scripts = Object.fromEntries(
    ["pool_worker.js", "pthread_worker.js"].map((name) => [name, scriptUrl(files.get(name)!)]),
  );
  const folder = "berth-tiny/";
  const model = new Map(
    [...files].filter(([name]) => name.startsWith(folder))
      .map(([name, bytes]) => [name.slice(folder.length), bytes]),
  );
  return { profile, kernels, tfjs, scripts, model };
}

/** A script of the page's own, as a blob. */
export function scriptUrl(bytes: Uint8Array<ArrayBuffer>): string {
  return URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
}
