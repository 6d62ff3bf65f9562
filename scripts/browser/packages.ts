/** Installs the package's npm dependencies, and pinned tools beside them, into a scratch folder that bundlers resolve from. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = new URL("../../", import.meta.url);
const DEPENDENCIES = [
  "@huggingface/hub",
  "@noble/hashes",
  "@tensorflow/tfjs-backend-wasm",
  "@tensorflow/tfjs-core",
  "hyparquet",
  "hyparquet-compressors",
];

/** The npm dependencies of deno.json as `name@version`. */
export function dependencies(): string[] {
  const { imports } = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
  return DEPENDENCIES.map((name) => imports[name].slice("npm:".length));
}

/** Milliseconds between two looks at a folder that another installation has. */
const LOOK_MS = 200;

/**
 * Installs packages unless they are there already. Several may ask for one folder at once: one installs, the others wait.
 *
 * @param folder The scratch folder.
 * @param packages `name@version`, or the path of a package's folder or archive.
 * @returns Its node_modules.
 */
export async function installPackages(folder: URL, packages: readonly string[]): Promise<URL> {
  const stamp = new URL("installed.txt", folder), wanted = packages.join("\n");
  const isThere = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  const modules = new URL("node_modules/", folder);
  if (isThere()) return modules;
  mkdirSync(folder, { recursive: true });
  const release = await lock(new URL("installing/", folder));
  try {
    if (isThere()) return modules;
    writeFileSync(new URL("package.json", folder), JSON.stringify({ private: true, type: "module" }));
    const flags = ["--prefix", fileURLToPath(folder), "--no-audit", "--no-fund", "--no-save"];
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" }; // its GPU libraries
    await promisify(execFile)("npm", ["install", ...flags, ...packages], { env });
    writeFileSync(stamp, wanted);
  } finally {
    release();
  }
  return modules;
}

/** Makes a folder that only one can make, and waits while it belongs to another process, or part of this one, that runs. */
async function lock(folder: URL): Promise<() => void> {
  const owner = new URL("owner.txt", folder);
  for (;;) {
    try {
      mkdirSync(folder);
      writeFileSync(owner, String(process.pid));
      return () => rmSync(folder, { recursive: true });
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    }
    if (existsSync(owner) && !isRunning(Number(readFileSync(owner, "utf8")))) {
      rmSync(folder, { recursive: true, force: true });
    } else await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
