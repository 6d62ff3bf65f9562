/** Both builds make the package from one description, and that follows deno.json. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import {
  BROWSER_MODULES,
  describePackage,
  entryModules,
  readDenoJson,
  ROOT,
} from "../../scripts/package/description.ts";
import { FILES, packageJson } from "../../scripts/package/manifest.ts";

const BUILDS = ["scripts/build_npm.ts", "scripts/build_npm_offline.ts"];
const description = describePackage(), json = packageJson(description);

/** The program's text without its comments. */
function code(file: string): string {
  return readFileSync(new URL(file, ROOT), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

for (const build of BUILDS) {
  Deno.test(`${build} takes modules, files, dependencies and metadata from the description alone`, () => {
    const text = code(build);
    match(text, /import \{ describePackage[^}]*\} from "\.\/package\/description\.ts"/);
    match(text, /description = describePackage\(\)/);
    match(text, /finishPackage\(description, out\)/);
    const own = [
      ...entryModules(description),
      ...description.assets,
      ...description.documents,
      ...description.inlined,
      ...Object.keys(description.dependencies),
      ...description.metadata.keywords.map((word) => `"${word}"`),
    ];
    deepStrictEqual(own.filter((name) => text.includes(name)), []);
  });
}

Deno.test("exports are those of deno.json, each with types and a condition that require() finds too", () => {
  const exports = json.exports as Record<string, Record<string, string>>;
  deepStrictEqual(Object.keys(exports), [
    ...Object.keys(readDenoJson().exports),
    ...Object.keys(FILES),
    `./${BROWSER_MODULES}/*`,
    "./package.json",
  ]);
  for (const [name, module] of Object.entries(readDenoJson().exports)) {
    const path = module.replace("./", "./esm/");
    deepStrictEqual(Object.entries(exports[name]), [
      ["types", path.replace(".ts", ".d.ts")],
      ["default", path.replace(".ts", ".js")],
    ]);
  }
});

Deno.test("every npm package that the sources import is a dependency or built in, and none other", () => {
  deepStrictEqual(Object.keys(description.dependencies), ["@tensorflow/tfjs-core"]);
  deepStrictEqual(description.inlined.toSorted(), [
    "@huggingface/hub",
    "@noble/hashes",
    "@tensorflow/tfjs-backend-wasm",
    "hyparquet",
    "hyparquet-compressors",
  ]);
});

Deno.test("everything that is described is there", () => {
  const paths = [...entryModules(description), ...description.assets, ...description.documents];
  deepStrictEqual(paths.filter((path) => !existsSync(new URL(path, ROOT))), []);
  ok(description.assets.some((path) => path.endsWith("berth-tiny/model.safetensors")));
  strictEqual(description.assets.filter((path) => path.endsWith(".wasm")).length, 3);
});

const CLI = "src/cli/main.ts", isThere = existsSync(new URL(CLI, ROOT));

Deno.test(`the command "berth" is ${isThere ? "" : "not "}in the package, as ${CLI} ${isThere ? "exists" : "does not exist yet"}`, () => {
  deepStrictEqual(json.bin, isThere ? { berth: "./esm/src/cli/main.js" } : undefined);
  const { bin } = packageJson({ ...description, commands: { berth: CLI } });
  deepStrictEqual(bin, { berth: "./esm/src/cli/main.js" });
});
