/**
 * What the npm package is: modules, workers, files, dependencies, metadata. Both builds take all of it from here, and
 * this file takes from deno.json what stands there.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** The repository. */
export const ROOT = new URL("../../", import.meta.url);

/** The folder of the package that holds all modules, and the files that they load, as they lie in the repository. */
export const MODULES = "esm";

/** The folder of the package that pages without a bundler load. */
export const BROWSER_MODULES = "browser";

/** Modules that are started by URL and that no other module imports. */
const WORKERS = ["src/runtime/pool_worker.ts", "src/runtime/pthread_worker.ts"];

/** Folders whose files modules load by URL when they need them. */
const ASSETS: readonly [folder: string, names: RegExp][] = [
  ["src/kernels/generated/", /\.wasm$/],
  ["src/assets/berth-tiny/", /./],
];

/** The packages that stay dependencies; all others that the modules import are built into the package. */
const DEPENDENCIES = ["@tensorflow/tfjs-core"];

/** Files of packages that are built in. */
const INLINED_FILES = [
  "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm",
  "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.wasm",
];

/** The command line, by the name of its command; taken in as soon as the module exists. */
const COMMANDS: Readonly<Record<string, string>> = { berth: "src/cli/main.ts" };

/** Files of the repository's root that the package carries. */
const DOCUMENTS = ["README.md", "LICENSE", "CHANGELOG.md"];

const METADATA = {
  description:
    "Fine-tunes BERT in TypeScript wherever JavaScript runs: Deno, Node, Bun, browsers, edge. WASM SIMD, " +
    "threads, Hugging Face checkpoints, PyTorch's numbers.",
  keywords: [
    ...[
      "bert",
      "fine-tuning",
      "training",
      "transformers",
      "nlp",
      "text-classification",
      "tokenizer",
      "wordpiece",
    ],
    ...["safetensors", "tensorflow", "tfjs", "wasm", "simd", "deno", "browser", "edge"],
  ],
  author: "the berth authors",
  repository: { type: "git", url: "git+https://github.com/berth/berth.git" },
  homepage: "https://github.com/berth/berth#readme",
  bugs: "https://github.com/berth/berth/issues",
  /** From these on Node has `process.getBuiltinModule`. */
  engines: { node: "^20.16.0 || >=22.3.0" },
} as const;

interface DenoJson {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
  compilerOptions: Record<string, unknown>;
}

/** The package, in paths relative to the repository. */
export interface PackageDescription {
  name: string;
  version: string;
  license: string;
  metadata: typeof METADATA;
  /** Names of `exports` and their modules. */
  entryPoints: Readonly<Record<string, string>>;
  /** Names of commands and their modules. */
  commands: Readonly<Record<string, string>>;
  workers: readonly string[];
  assets: readonly string[];
  documents: readonly string[];
  /** npm packages that the package depends on, with their versions. */
  dependencies: Readonly<Record<string, string>>;
  /** npm packages that are built in. */
  inlined: readonly string[];
  /** Files of those that modules load by URL. */
  inlinedFiles: readonly string[];
  /** What the type check of the modules needs beyond the dependencies. */
  devDependencies: Readonly<Record<string, string>>;
}

/** deno.json as it stands. */
export function readDenoJson(): DenoJson {
  return JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
}

/** Describes the package that the repository makes now. */
export function describePackage(): PackageDescription {
  const { name, version, license, exports, imports } = readDenoJson();
  const modules = Object.fromEntries(Object.entries(exports).map(([key, path]) => [key, relative(path)]));
  const packages = npmPackages(imports),
    commands = Object.entries(COMMANDS).filter(([, path]) => exists(path));
  const used = importedPackages();
  const isInlined = (name: string) => used.has(name) && !DEPENDENCIES.includes(name);
  const pick = (wanted: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(packages).filter(([name]) => wanted(name)));
  return {
    ...{ name, version, license, metadata: METADATA },
    entryPoints: modules,
    commands: Object.fromEntries(commands),
    workers: WORKERS,
    assets: ASSETS.flatMap(([folder, names]) =>
      readdirSync(new URL(folder, ROOT)).filter((file) => names.test(file)).sort().map((file) =>
        folder + file
      )
    ),
    documents: DOCUMENTS.filter(exists),
    dependencies: pick((name) => used.has(name) && DEPENDENCIES.includes(name)),
    inlined: Object.keys(packages).filter(isInlined),
    inlinedFiles: INLINED_FILES,
    devDependencies: pick((name) => name === "@types/node" || isInlined(name)),
  };
}

/** The modules that a build must emit: what `exports` names, commands, workers. */
export function entryModules({ entryPoints, commands, workers }: PackageDescription): string[] {
  return [...Object.values(entryPoints), ...Object.values(commands), ...workers];
}

function exists(path: string): boolean {
  return existsSync(new URL(path, ROOT));
}

function relative(path: string): string {
  return path.replace(/^\.\//, "");
}

/** The npm packages of an import map, by name, with their versions. */
function npmPackages(imports: Record<string, string>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const specifier of Object.values(imports)) {
    const [, name, version] = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@([^/]+)/.exec(specifier) ?? [];
    if (name) found[name] = version;
  }
  return found;
}

/** The packages that the sources import, by name. */
function importedPackages(): Set<string> {
  const files = readdirSync(new URL("src/", ROOT), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("kernels/assembly/"))
    .map((file) => `src/${file}`);
  const used = new Set<string>();
  for (const file of ["mod.ts", ...files]) {
    const text = readFileSync(new URL(file, ROOT), "utf8");
    for (const [, name] of text.matchAll(/(?:\bfrom|\bimport\(?)\s*"((?:@[\w.-]+\/)?[a-z][\w.-]*)/g)) {
      used.add(name);
    }
  }
  return used;
}
