/** The house rules that a machine can check: layers, purity, file sizes, nothing foreign in the text. */
import { deepStrictEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** The rows of the design: a file imports from lower rows, or from its own folder. */
const ROWS: [prefix: string, row: number][] = [
  ["src/errors.ts", 0],
  ["src/random.ts", 0],
  ["src/version.ts", 0],
  ["src/tokenizer/", 1],
  ["src/weights/", 1],
  ["src/metrics/", 1],
  ["src/data/", 1.5],
  ["src/kernels/", 2],
  ["src/runtime/", 2.25],
  ["src/hub/", 2.5],
  ["src/datasets/", 2.75],
  ["src/model/", 3],
  ["src/tfjs/", 3],
  ["src/distributed/", 3.5],
  ["src/train/", 4],
  ["src/export/", 4],
  ["src/pipelines/", 4],
  ["src/report/", 5],
  ["src/tensorboard/", 5],
  ["src/edge/", 5],
  ["src/cli/", 6],
];
const PURE = ["src/tokenizer/", "src/weights/", "src/data/", "src/metrics/"];
/** What hub may take from the runtime: files and the platform, no kernels. */
const HUB_MAY = ["src/runtime/platform.ts", "src/runtime/files.ts", "src/runtime/assets.ts"];

interface Dependency {
  code?: { specifier?: string };
  type?: { specifier?: string };
}

function rowOf(file: string): number {
  return ROWS.find(([prefix]) => file.startsWith(prefix))?.[1] ?? 7;
}

function folderOf(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

/** Every local file that mod.ts, the pure modules and the workers reach, with what it imports. */
function importGraph(): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  const entries = [
    "mod.ts",
    "src/report/mod.ts",
    "src/tfjs/mod.ts",
    "src/edge/mod.ts",
    "src/distributed/mod.ts",
    "src/cli/main.ts",
    "src/runtime/pool_worker.ts",
    "src/runtime/pthread_worker.ts",
  ];
  for (const entry of [...entries, "src/tokenizer/mod.ts", "src/weights/mod.ts"]) {
    const json = execFileSync(Deno.execPath(), ["info", "--json", fileURLToPath(new URL(entry, ROOT))], {
      ...{ cwd: fileURLToPath(ROOT), encoding: "utf8", maxBuffer: 2 ** 28 },
    });
    for (const module of JSON.parse(json).modules as { specifier: string; dependencies?: Dependency[] }[]) {
      if (!module.specifier.startsWith(ROOT.href)) continue;
      const local = (module.dependencies ?? [])
        .flatMap((d) => [d.code?.specifier, d.type?.specifier])
        .filter((s): s is string => s?.startsWith(ROOT.href) ?? false);
      graph.set(module.specifier.slice(ROOT.href.length), [
        ...new Set(local.map((s) => s.slice(ROOT.href.length))),
      ]);
    }
  }
  return graph;
}

function sources(folder = "src/"): string[] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.ts$/.test(name)).map((name) => folder + name);
}

const graph = importGraph();

Deno.test("imports go only downward", () => {
  const climbs: string[] = [];
  for (const [file, imports] of graph) {
    for (const target of imports) {
      if (folderOf(file) === folderOf(target)) continue;
      const allowed = rowOf(target) < rowOf(file) &&
        !(file.startsWith("src/hub/") && target.startsWith("src/runtime/") && !HUB_MAY.includes(target));
      if (!allowed) climbs.push(`${file} imports ${target}`);
    }
  }
  deepStrictEqual(climbs, []);
});

Deno.test("no file is reached from its own imports", () => {
  const cycles: string[] = [], state = new Map<string, "open" | "done">();
  const visit = (file: string, path: string[]) => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      return void cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    }
    state.set(file, "open");
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, "done");
  };
  for (const file of graph.keys()) visit(file, []);
  deepStrictEqual(cycles, []);
});

const COMMENTS = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;

/** Code without comments and strings. */
function bareCode(file: string): string {
  return readFileSync(new URL(file, ROOT), "utf8")
    .replace(COMMENTS, "").replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}

Deno.test("pure folders name no runtime, no clock, no network and no package", () => {
  const found: string[] = [];
  for (const file of sources().filter((f) => PURE.some((p) => f.startsWith(p)))) {
    const names =
      bareCode(file).match(/\b(Deno|process|navigator|fetch|Date|performance|setTimeout|document)\b/g) ?? [];
    const foreign =
      readFileSync(new URL(file, ROOT), "utf8").replace(COMMENTS, "").match(/from "(?!\.)[^"]+"/g) ?? [];
    if (names.length + foreign.length > 0) found.push(`${file}: ${[...names, ...foreign].join(", ")}`);
  }
  deepStrictEqual(found, []);
});

Deno.test("only the runtime names Deno, node: modules or navigator", () => {
  const found = sources().filter((f) => !f.startsWith("src/runtime/") && !f.startsWith("src/cli/"))
    .filter((f) =>
      /\b(Deno|navigator)\b/.test(bareCode(f)) ||
      /from "node:/.test(readFileSync(new URL(f, ROOT), "utf8").replace(COMMENTS, ""))
    );
  deepStrictEqual(found, []);
});

Deno.test("no file has more than 400 lines, generated ones aside", () => {
  const files = [...sources(), ...sources("tests/"), ...sources("scripts/"), "mod.ts"];
  const long = files.filter((f) => !f.endsWith(".gen.ts"))
    .filter((f) => readFileSync(new URL(f, ROOT), "utf8").split("\n").length > 401);
  deepStrictEqual(long, []);
});

Deno.test("kernels keep no data of their own: no data segment, no heap", () => {
  for (const profile of ["relaxed", "simd", "single"]) {
    const bytes = readFileSync(new URL(`src/kernels/generated/kernels_${profile}.wasm`, ROOT));
    const sections: number[] = [];
    for (let at = 8; at < bytes.length;) {
      sections.push(bytes[at++]);
      let size = 0, shift = 0, byte;
      do {
        byte = bytes[at++];
        size |= (byte & 0x7f) << shift;
        shift += 7;
      } while (byte & 0x80);
      at += size;
    }
    deepStrictEqual(sections.filter((id) => id === 11 || id === 12), [], profile);
  }
});
