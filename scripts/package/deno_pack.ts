/** Emits the package's modules with `deno pack`, in the layout that dnt gives them. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { entryModules, MODULES, type PackageDescription, readDenoJson, ROOT } from "./description.ts";
import { filesBelow } from "./files.ts";

/** What the modules are made of. */
const SOURCES = ["mod.ts", "src", "deno.json", "deno.lock"];

/** What the modules are not made of, and what the finishing step copies. */
const IGNORED = ["deno.lock", "src/assets", "src/kernels/assembly", "src/kernels/generated/*.wasm"];

/** Emits all modules with their declarations and source maps into `folder/esm`. */
export function emitModules(description: PackageDescription, folder: URL): void {
  emit(description, folder, /\.(js|d\.ts)$/);
  for (const file of filesBelow(new URL(`${MODULES}/`, folder))) {
    if (file.pathname.endsWith(".js")) separateSourceMap(file);
  }
}

/**
 * Emits the declarations alone. They hold only what `exports` lets one reach, and both builds have them, so that what
 * the tests check is what is published.
 */
export function emitDeclarations(description: PackageDescription, folder: URL): void {
  emit(description, folder, /\.d\.ts$/);
}

function emit(description: PackageDescription, folder: URL, wanted: RegExp): void {
  const work = pathToFileURL(`${mkdtempSync(`${tmpdir()}/berth-pack-`)}/`);
  try {
    copySources(description, work);
    const tarball = fileURLToPath(new URL("modules.tgz", work));
    runPack(work, tarball);
    execFileSync("tar", ["-xzf", tarball, "-C", fileURLToPath(work)]);
    const emitted = new URL("package/", work);
    for (const file of filesBelow(emitted).filter(({ pathname }) => wanted.test(pathname))) {
      const target = new URL(MODULES + "/" + file.href.slice(emitted.href.length), folder);
      mkdirSync(new URL(".", target), { recursive: true });
      cpSync(file, target);
    }
  } finally {
    rmSync(work, { recursive: true });
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
 * Packs. Where a type of what is exported cannot be told without inference, `deno pack` says so, leaves all types out
 * and goes on: that is an error here.
 */
function runPack(work: URL, tarball: string): void {
  const ignore = IGNORED.map((path) => `--ignore=${path}`);
  const { status, stderr } = spawnSync(Deno.execPath(), [
    "pack",
    "--allow-dirty",
    ...ignore,
    "--output",
    tarball,
  ], {
    ...{ cwd: fileURLToPath(work), encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
  });
  const error = stderr.search(/^error\b/m);
  if (status !== 0 || error >= 0) {
    throw new Error(
      `Cannot pack the modules with their types: ${stderr.slice(Math.max(0, error)).slice(0, 2000)}`,
    );
  }
}

const INLINE_MAP =
  /\n?\/\/# sourceMappingURL=data:application\/json;(?:charset=[\w-]+;)?base64,([\w+/=]+)\s*$/;

/** Takes a source map out of its module, into a file beside it. */
function separateSourceMap(file: URL): void {
  const code = readFileSync(file, "utf8"), [, base64] = INLINE_MAP.exec(code) ?? [];
  if (!base64) throw new Error(`Cannot find the source map of ${file.pathname}`);
  const name = file.pathname.slice(file.pathname.lastIndexOf("/") + 1);
  writeFileSync(new URL(`${name}.map`, file), Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  writeFileSync(file, code.replace(INLINE_MAP, `\n//# sourceMappingURL=${name}.map\n`));
}
