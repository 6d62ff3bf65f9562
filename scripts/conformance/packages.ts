/**
 * A copy of tfjs-core and its tests that Deno can import: the npm package has ES modules with specifiers that only
 * bundlers resolve. Berth and the WASM backend use the same copy, by an import map.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** jasmine runs the tests; it is no dependency of the package. */
const JASMINE = "npm:/jasmine-core@5.12.0/";

/** Where the packages' files are, or an error that says what is missing. */
function packageFolder(name: string, imports: Record<string, string>): string {
  const file = fileURLToPath(import.meta.resolve(`${imports[name]}/package.json`));
  if (!existsSync(file)) throw new Error(`Cannot find ${name}: ${file} is missing`);
  return dirname(file);
}

/** Completes the relative specifiers of a module. */
function completeSpecifiers(code: string, folder: string): string {
  return code.replace(/((?:from|import) ')(\.[^']*)(')/g, (whole, before, specifier, after) => {
    const target = join(folder, specifier);
    if (existsSync(`${target}.js`)) return `${before}${specifier}.js${after}`;
    return existsSync(join(target, "index.js")) ? `${before}${specifier}/index.js${after}` : whole;
  });
}

function copyModules(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from)) {
    const path = join(from, entry), target = join(to, entry);
    if (statSync(path).isDirectory()) copyModules(path, target);
    else if (entry.endsWith(".js") && !entry.startsWith("tf-core.")) {
      writeFileSync(target, completeSpecifiers(readFileSync(path, "utf8"), from));
    }
  }
}

/**
 * Makes the copy in a folder, with a deno.json to run programs by.
 *
 * @throws {Error} if a package's files are not to be had.
 */
export function preparePackages(folder: string): { config: string; tests: string[] } {
  const { imports } = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8")) as {
    imports: Record<string, string>;
  };
  const core = packageFolder("@tensorflow/tfjs-core", imports);
  const wasm = packageFolder("@tensorflow/tfjs-backend-wasm", imports);
  copyModules(join(core, "dist"), join(folder, "core"));
  cpSync(join(wasm, "dist/tf-backend-wasm.fesm.js"), join(folder, "wasm.js"));
  const config = join(folder, "deno.json");
  writeFileSync(
    config,
    JSON.stringify({
      imports: {
        ...imports,
        "@tensorflow/tfjs-core": "./core/index.js",
        "@tensorflow/tfjs-backend-wasm": "./wasm.js",
        "jasmine-core/": JASMINE,
        "seedrandom": "npm:seedrandom@3.0.5",
        "long": "npm:long@4.0.0",
      },
    }),
  );
  const tests = readFileSync(join(folder, "core/tests.js"), "utf8").matchAll(/import '\.\/(.*?)(?:\.js)?'/g);
  return { config, tests: [...tests].map(([, name]) => name) };
}
