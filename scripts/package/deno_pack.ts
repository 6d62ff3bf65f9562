/** Emits the package's modules with `deno pack`, in the layout that dnt gives them. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { entryModules, MODULES, type PackageDescription, readDenoJson, ROOT } from "./description.ts";
import { filesBelow } from "./files.ts";

/** What the modules are made of. */
const SOURCES = ["mod.ts", "src", "deno.json", "deno.lock"];

/** What the modules are not made of, and what the finishing step copies. */
const IGNORED = ["deno.lock", "src/assets", "src/kernels/assembly", "src/kernels/generated/*.wasm"];

/** Emits all modules, with types and source maps, into `folder/esm`. */
export function emitModules(description: PackageDescription, folder: URL): void {
  const work = pathToFileURL(`${mkdtempSync(`${tmpdir()}/berth-pack-`)}/`);
  try {
    copySources(description, work);
    const tarball = fileURLToPath(new URL("modules.tgz", work));
    runPack(work, tarball);
    execFileSync("tar", ["-xzf", tarball, "-C", fileURLToPath(work)]);
    rmSync(new URL("package/package.json", work));
    mkdirSync(folder, { recursive: true });
    const modules = new URL(`${MODULES}/`, folder);
    rmSync(modules, { recursive: true, force: true });
    cpSync(new URL("package/", work), modules, { recursive: true });
  } finally {
    rmSync(work, { recursive: true });
  }
  for (const file of filesBelow(new URL(`${MODULES}/`, folder))) {
    if (file.pathname.endsWith(".js")) separateSourceMap(file);
  }
}

/** A project that exports every module that something starts with: `deno pack` leaves others as they are. */
function copySources(description: PackageDescription, work: URL): void {
  for (const source of SOURCES) cpSync(new URL(source, ROOT), new URL(source, work), { recursive: true });
  const { name, version, license, imports, compilerOptions } = readDenoJson();
  const exports = Object.fromEntries(
    entryModules(description).map((path, i) => [i === 0 ? "." : `./${i}`, `./${path}`]),
  );
  writeFileSync(
    new URL("deno.json", work),
    JSON.stringify({ name, version, license, imports, compilerOptions, exports }),
  );
}

/**
 * Packs. Where a module's types cannot be told without inference, `deno pack` leaves all types out and goes on: that is
 * an error here.
 */
function runPack(work: URL, tarball: string): void {
  const ignore = IGNORED.map((path) => `--ignore=${path}`);
  execFileSync(Deno.execPath(), ["pack", "--quiet", "--allow-dirty", ...ignore, "--output", tarball], {
    ...{ cwd: fileURLToPath(work), stdio: ["ignore", "inherit", "pipe"], encoding: "utf8" },
  });
}

const INLINE_MAP =
  /\n?\/\/# sourceMappingURL=data:application\/json;(?:charset=[\w-]+;)?base64,([\w+/=]+)\s*$/;

/** Takes a source map out of its module, into a file beside it. */
function separateSourceMap(file: URL): void {
  const code = readFileSync(file, "utf8"), [, base64] = INLINE_MAP.exec(code) ?? [];
  if (!base64) throw new Error(`Cannot find the source map of ${file.pathname}`);
  const name = file.pathname.slice(file.pathname.lastIndexOf("/") + 1);
  const map = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))));
  const path = file.pathname.slice(file.pathname.indexOf(`/${MODULES}/`) + 1);
  map.file = name;
  map.sources = [path];
  writeFileSync(new URL(`${name}.map`, file), JSON.stringify(map));
  writeFileSync(file, code.replace(INLINE_MAP, `\n//# sourceMappingURL=${name}.map\n`));
}
