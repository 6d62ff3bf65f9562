/**
 * Builds the folder that browsers load without a bundler, and from which pages take what their bundler leaves behind:
 * the modules, the workers, the .wasm files and berth-tiny.
 *
 *     deno task build:browser [FOLDER]    default: out/browser/package
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { bundle, stop } from "./browser/bundle.ts";

const ROOT = new URL("../", import.meta.url);

/** The package's entry points, by the names that they have in the folder. */
export const ENTRIES: Readonly<Record<string, URL>> = {
  berth: new URL("mod.ts", ROOT),
  report: new URL("src/report/mod.ts", ROOT),
  tfjs: new URL("src/tfjs/mod.ts", ROOT),
  tokenizer: new URL("src/tokenizer/mod.ts", ROOT),
  weights: new URL("src/weights/mod.ts", ROOT),
  "tfjs-core": new URL("scripts/browser/tfjs_core.ts", ROOT),
};

/** Workers, each in one file. */
const WORKERS: Readonly<Record<string, URL>> = {
  pool_worker: new URL("src/runtime/pool_worker.ts", ROOT),
  pthread_worker: new URL("src/runtime/pthread_worker.ts", ROOT),
};

/**
 * Builds the folder anew.
 *
 * @param out The folder.
 * @param checkpoints Where the folder finds berth-tiny's folder if it is there already; else it is copied.
 */
export async function buildBrowser(out: URL, checkpoints?: string): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const elsewhere: Record<string, string> = checkpoints ? { "berth-tiny/": `${checkpoints}berth-tiny/` } : {};
  await bundle({ entries: ENTRIES, out, elsewhere });
  await bundle({ entries: WORKERS, out, splitting: false });
}

if (import.meta.main) {
  const folder = process.argv[2];
  const out = folder
    ? pathToFileURL(`${folder.replace(/\/?$/, "/")}`)
    : new URL("out/browser/package/", ROOT);
  await buildBrowser(out);
  await stop();
  console.log(`wrote ${readdirSync(out, { recursive: true }).length} files to ${out.pathname}`);
}
