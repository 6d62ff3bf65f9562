/** Installs the package's npm dependencies, and pinned tools beside them, into a scratch folder that bundlers resolve from. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = new URL("../../", import.meta.url);
const DEPENDENCIES = [
  "@huggingface/hub",
  "@noble/hashes",
  "@tensorflow/tfjs-backend-wasm",
  "@tensorflow/tfjs-core",
];

/** The npm dependencies of deno.json as `name@version`. */
export function dependencies(): string[] {
  const { imports } = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
  return DEPENDENCIES.map((name) => imports[name].slice("npm:".length));
}

/**
 * Installs packages unless they are there already.
 *
 * @param folder The scratch folder.
 * @param packages `name@version`, or the path of a package's folder or archive.
 * @returns Its node_modules.
 */
export async function installPackages(folder: URL, packages: readonly string[]): Promise<URL> {
  const stamp = new URL("installed.txt", folder), wanted = packages.join("\n");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(new URL("package.json", folder), JSON.stringify({ private: true, type: "module" }));
    const flags = ["--prefix", fileURLToPath(folder), "--no-audit", "--no-fund", "--no-save"];
    await promisify(execFile)("npm", ["install", ...flags, ...packages]);
    writeFileSync(stamp, wanted);
  }
  return new URL("node_modules/", folder);
}
