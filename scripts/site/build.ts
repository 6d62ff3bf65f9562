/** Builds the page into a folder that any static server can serve. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundle } from "../browser/bundle.ts";
import { LABELS, readExamples } from "../demo/data.ts";

const ROOT = new URL("../../", import.meta.url), PAGE = new URL("page/", import.meta.url);

/** Sentences of the example. */
const EXAMPLE_SENTENCES = 300;

/** Modules by their names in the page's sources. */
const ALIAS = {
  "@berth/berth": fileURLToPath(new URL("mod.ts", ROOT)),
  "@berth/berth/weights": fileURLToPath(new URL("src/weights/mod.ts", ROOT)),
};

/** Files that the page loads while it starts. */
const LOADED = /^(worker\.js|pool_worker\.js|pthread_worker\.js|.*\.wasm|example\.csv|berth-tiny\/.*)$/;

/** Builds the page anew. */
export async function buildSite(out: URL): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const workers = {
    worker: new URL("worker.ts", PAGE),
    pool_worker: new URL("src/runtime/pool_worker.ts", ROOT),
    pthread_worker: new URL("src/runtime/pthread_worker.ts", ROOT),
  };
  await bundle({ entries: workers, out, splitting: false, alias: ALIAS });
  rmSync(new URL("kernels_relaxed.wasm", out)); // the page takes what gives the same bits on every machine
  writeFileSync(new URL("example.csv", out), exampleCsv());
  for (const name of ["index.html", "style.css", "icon.svg"]) {
    copyFileSync(new URL(name, PAGE), new URL(name, out));
  }
  const names = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => LOADED.test(name));
  const files = names.filter((name) => statSync(new URL(name, out)).isFile()).sort();
  const sizes = Object.fromEntries(files.map((name) => [name, statSync(new URL(name, out)).size]));
  const define = { FILES: JSON.stringify(sizes) };
  await bundle({ entries: { app: new URL("app.ts", PAGE) }, out, splitting: false, alias: ALIAS, define });
}

function exampleCsv(): string {
  const lines = readExamples("train").slice(0, EXAMPLE_SENTENCES)
    .map(({ text, label }) => `"${text.replaceAll('"', '""')}",${LABELS[label]}`);
  return ["text,label", ...lines].join("\n") + "\n";
}

/** The page's files in a folder, with their bytes. */
export function siteFiles(out: URL): Map<string, number> {
  const names = readdirSync(out, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(new URL(name, out)).isFile());
  return new Map(names.map((name) => [name, readFileSync(new URL(name, out)).length]));
}
