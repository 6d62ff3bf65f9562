/** What both builds do after the modules are emitted: files that modules load, documents, package.json, the tarball. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { buildBrowser } from "../build_browser.ts";
import { BROWSER_MODULES, MODULES, type PackageDescription, ROOT } from "./description.ts";
import { filesBelow } from "./files.ts";
import { inlinePackages } from "./inline.ts";
import { emitted, packageJson, WASM_TYPES } from "./manifest.ts";

const SHEBANG = "#!/usr/bin/env node\n";

/** Completes the package in `folder`, in whose folder {@linkcode MODULES} the emitted modules lie. */
export async function finishPackage(description: PackageDescription, folder: URL): Promise<void> {
  pruneDeclarations(description, folder);
  await inlinePackages(description, folder);
  await buildBrowser(new URL(`${BROWSER_MODULES}/`, folder), `../${MODULES}/src/assets/`);
  writeFileSync(new URL(WASM_TYPES.path, folder), WASM_TYPES.text);
  for (const asset of description.assets) copy(asset, new URL(`${MODULES}/${asset}`, folder));
  for (const document of description.documents) copy(document, new URL(document, folder));
  for (const module of Object.values(description.commands)) makeExecutable(new URL(emitted(module), folder));
  for (const file of filesBelow(new URL(`${MODULES}/`, folder))) {
    if (file.pathname.endsWith(".js.map")) nameSource(file);
  }
  // What dnt leaves beside the modules; `files` keeps the rest of it out.
  rmSync(new URL(`${MODULES}/package.json`, folder), { force: true });
  rmSync(new URL(".npmignore", folder), { force: true });
  writeFileSync(
    new URL("package.json", folder),
    JSON.stringify(packageJson(description), null, 2) + "\n",
  );
}

const RELATIVE_IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.[^"]+)"/g;

/** Removes the declarations that nothing which `exports` names needs. */
function pruneDeclarations({ entryPoints }: PackageDescription, folder: URL): void {
  const open = Object.values(entryPoints).map((module) => new URL(emitted(module, ".d.ts"), folder).href);
  const needed = new Set<string>();
  for (let file = open.pop(); file; file = open.pop()) {
    if (needed.has(file)) continue;
    if (!existsSync(new URL(file))) {
      throw new Error(`Cannot find the declarations ${file}: were types inferred?`);
    }
    needed.add(file);
    for (const [, path] of readFileSync(new URL(file), "utf8").matchAll(RELATIVE_IMPORT)) {
      open.push(new URL(path.replace(/\.(js|ts)$/, ".d.ts"), file).href);
    }
  }
  for (const file of filesBelow(new URL(`${MODULES}/`, folder))) {
    if (file.pathname.endsWith(".d.ts") && !needed.has(file.href)) rmSync(file);
  }
}

/** Calls a map's source, whose text the map holds, as the module beside it. */
function nameSource(file: URL): void {
  const map = JSON.parse(readFileSync(file, "utf8"));
  const module = file.pathname.slice(file.pathname.lastIndexOf("/") + 1, -".map".length);
  const { version, names, mappings, sourcesContent } = map;
  const sources = [module.replace(/\.js$/, ".ts")];
  writeFileSync(file, JSON.stringify({ version, file: module, sources, sourcesContent, names, mappings }));
}

/** Packs the package in `folder` with npm and puts the tarball there, as `package.tgz`, or at another place. */
export function packTarball(folder: URL, tarball: URL): void {
  const target = fileURLToPath(new URL(".", tarball));
  mkdirSync(target, { recursive: true });
  const output = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", target], {
    ...{ cwd: fileURLToPath(folder), encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  });
  const [{ filename }] = JSON.parse(output) as { filename: string }[];
  renameSync(new URL(filename, tarball), tarball);
}

function copy(path: string, target: URL): void {
  mkdirSync(new URL(".", target), { recursive: true });
  copyFileSync(new URL(path, ROOT), target);
}

function makeExecutable(file: URL): void {
  const code = readFileSync(file, "utf8");
  if (!code.startsWith("#!")) writeFileSync(file, SHEBANG + code);
  chmodSync(file, 0o755);
}
