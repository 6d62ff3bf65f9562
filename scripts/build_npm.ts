/**
 * Builds the npm package with dnt, type check included. What the package is stands in scripts/package/description.ts.
 * `deno task build:npm:offline` builds the same without JSR.
 *
 *     deno task build:npm [--out npm]
 */
import { build, emptyDir } from "@deno/dnt";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { folderUrl } from "../src/runtime/files.ts";
import { emitDeclarations } from "./package/deno_pack.ts";
import { describePackage, entryModules } from "./package/description.ts";
import { finishPackage, packTarball } from "./package/finish.ts";

const { values: flags } = parseArgs({ options: { out: { type: "string", default: "npm" } } });
const out = folderUrl(flags.out), outDir = fileURLToPath(out), description = describePackage();
const { name, version, dependencies, devDependencies } = description;

await emptyDir(outDir);
await build({
  entryPoints: entryModules(description).map((path, i) => ({
    name: i === 0 ? "." : `./${i}`,
    path: `./${path}`,
  })),
  outDir,
  shims: {},
  package: { name, version, dependencies, devDependencies },
  // Workers and files are found by `new URL("...", import.meta.url)`, which the polyfill would take apart.
  polyfills: false,
  scriptModule: false,
  skipSourceOutput: true,
  test: false, // tests/package runs the package in every runtime
  compilerOptions: {
    target: "ES2023",
    lib: ["ESNext", "DOM", "DOM.Iterable"],
    sourceMap: true,
    inlineSources: true,
  },
  declaration: false,
  postBuild: async () => {
    emitDeclarations(description, out);
    await finishPackage(description, out);
  },
});
packTarball(out, new URL("package.tgz", out));
console.log(`${name}@${version}: ${flags.out}/package.tgz`);
