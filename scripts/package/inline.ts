/**
 * Builds packages into ours. tfjs-core is one program-wide engine, which the user's program and berth must share: it
 * stays a dependency. All others are bundled with esbuild into the folder `vendor`, a file for each module that is
 * imported, so that no tree of packages comes with berth and bundlers find tfjs's .wasm as they find ours.
 */
import * as esbuild from "npm:esbuild@0.28.2";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { MODULES, type PackageDescription, readDenoJson, ROOT } from "./description.ts";
import { filesBelow } from "./files.ts";

/** The folder of bundled modules in the folder of modules. */
const VENDOR = "vendor";

/** A specifier where a module is imported or a file's place is asked for. */
const SPECIFIERS = [
  /(\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"()/g,
  /(\bimport\.meta\.resolve\()(?:"([^"]+)"|`([^`]+)`)\)/g,
  /(\bnew URL\(\s*)"(@[^"]+)"()(?=\s*,\s*import\.meta\.url)/g,
];

/** Where a specifier's module or file stands below {@linkcode VENDOR}. */
function vendored(specifier: string): string {
  const path = specifier.replace(/^@/, "");
  return /\.(js|wasm)$/.test(path) ? path : `${path}.js`;
}

/**
 * Bundles what the modules in `folder` import of the packages that are to be inlined, and lets them import that.
 *
 * @throws {Error} if declarations mention such a package: their readers do not have it.
 */
export async function inlinePackages(description: PackageDescription, folder: URL): Promise<void> {
  const modules = new URL(`${MODULES}/`, folder), wanted = new Set<string>();
  const isInlined = (specifier: string) =>
    description.inlined.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  for (const file of filesBelow(modules)) {
    if (file.pathname.endsWith(".js")) rewrite(file, modules, isInlined, (found) => wanted.add(found));
    if (!file.pathname.endsWith(".d.ts")) continue;
    const foreign = [...readFileSync(file, "utf8").matchAll(SPECIFIERS[0])].find(([, , name]) =>
      isInlined(name)
    );
    if (foreign) throw new Error(`Cannot inline ${foreign[2]}: ${file.pathname} needs its types`);
  }
  const packages = installPackages();
  try {
    await bundle([...wanted].sort(), description, packages, new URL(`${VENDOR}/`, modules));
  } finally {
    rmSync(packages, { recursive: true });
  }
}

/** Lets one module import from {@linkcode VENDOR}. */
function rewrite(
  file: URL,
  modules: URL,
  isInlined: (name: string) => boolean,
  found: (name: string) => void,
): void {
  const above = "../".repeat(file.pathname.slice(modules.pathname.length).split("/").length - 1) || "./";
  const code = readFileSync(file, "utf8");
  const place = (path: string) => `${above}${VENDOR}/${path}`;
  const [imports, resolves, urls] = SPECIFIERS;
  const changed = code
    .replace(imports, (all, before, specifier) => {
      if (!isInlined(specifier)) return all;
      found(specifier);
      return `${before}"${place(vendored(specifier))}"`;
    })
    .replace(resolves, (all, _before, literal, template) => {
      if (!isInlined(literal ?? template)) return all;
      const text = literal ? `"${place(vendored(literal))}"` : `\`${place(template.replace(/^@/, ""))}\``;
      return `import.meta.resolve(${text})`;
    })
    .replace(
      urls,
      (all, before, specifier) => isInlined(specifier) ? `${before}"${place(vendored(specifier))}"` : all,
    );
  if (changed !== code) writeFileSync(file, changed);
}

/** A folder with the npm packages of deno.json, in the versions of deno.lock. */
function installPackages(): URL {
  const folder = pathToFileURL(`${mkdtempSync(`${tmpdir()}/berth-packages-`)}/`);
  const imports = Object.entries(readDenoJson().imports).filter(([, specifier]) =>
    specifier.startsWith("npm:")
  );
  copyFileSync(new URL("deno.lock", ROOT), new URL("deno.lock", folder));
  writeFileSync(
    new URL("deno.json", folder),
    JSON.stringify({ imports: Object.fromEntries(imports), nodeModulesDir: "auto" }),
  );
  execFileSync(Deno.execPath(), ["install", "--quiet"], {
    ...{ cwd: fileURLToPath(folder), stdio: ["ignore", "inherit", "inherit"] },
  });
  return folder;
}

async function bundle(
  specifiers: string[],
  description: PackageDescription,
  packages: URL,
  target: URL,
): Promise<void> {
  const { metafile } = await esbuild.build({
    entryPoints: Object.fromEntries(specifiers.map((name) => [vendored(name).replace(/\.js$/, ""), name])),
    absWorkingDir: realpathSync(fileURLToPath(packages)),
    outdir: fileURLToPath(target),
    external: Object.keys(description.dependencies),
    ...{ bundle: true, splitting: true, format: "esm", platform: "neutral", target: "es2022" },
    mainFields: ["module", "main"],
    chunkNames: "shared/[name]-[hash]",
    // emscripten's glue asks for these in Node; it is told everything that it would look for there.
    define: { __dirname: '""', __filename: '""', global: "globalThis" },
    ...{ minify: true, legalComments: "none", metafile: true, logLevel: "warning" },
    plugins: [nodeModulesWhereThereAreAny],
  });
  await esbuild.stop();
  for (const file of description.inlinedFiles) {
    mkdirSync(new URL(".", new URL(vendored(file), target)), { recursive: true });
    copyFileSync(new URL(`node_modules/${file}`, packages), new URL(vendored(file), target));
  }
  const names = new Set(Object.keys(metafile.inputs).flatMap((path) => packageFolder(path) ?? []));
  writeFileSync(new URL("LICENSES.txt", target), licences([...names].sort(), packages));
}

/** Node's modules are asked for when they are used, so that what is bundled loads in browsers too. */
const nodeModulesWhereThereAreAny: esbuild.Plugin = {
  name: "node modules where there are any",
  setup(build) {
    build.onResolve(
      { filter: /^[a-z]/ },
      ({ path }) => isBuiltin(path) ? { path, namespace: "node" } : undefined,
    );
    build.onLoad({ filter: /./, namespace: "node" }, ({ path }) => ({
      contents: `module.exports = globalThis.process?.getBuiltinModule?.("${path}") ?? {};`,
      loader: "js",
    }));
  },
};

/** The folder of the package that a bundled file is from. */
function packageFolder(path: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

const APACHE = new URL("./apache-2.0.txt", import.meta.url);

/** What is bundled, under which licences. */
function licences(folders: string[], packages: URL): string {
  const parts = folders.map((path) => {
    const folder = new URL(`${path}/`, packages);
    const { name, version, license, author } = JSON.parse(
      readFileSync(new URL("package.json", folder), "utf8"),
    );
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file
      ? readFileSync(new URL(file, folder), "utf8")
      : license === "Apache-2.0"
      ? "The text of the Apache License, version 2.0, is at the end of this file.\n"
      : `The package states its licence as ${license}${
        author ? `, its author as ${author.name ?? author}` : ""
      }.\n`;
    return `${name} ${version} (${license})\n\n${text}`;
  });
  const line = `\n${"-".repeat(80)}\n\n`;
  return ["Packages that are built into this one:\n", ...parts, readFileSync(APACHE, "utf8")].join(line);
}
