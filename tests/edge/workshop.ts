/** The examples as their users have them: the npm package and the tools installed, built by their own scripts. */
import { execFile, execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { installPackages } from "../../scripts/browser/packages.ts";

const ROOT = new URL("../../", import.meta.url);
const TOOLS = ["esbuild@0.28.2", "miniflare@4.20260426.0", "@tensorflow/tfjs-core@4.22.0"];

/** The folder that has the examples, built; null, with a word on it, where npm reaches no registry. */
export async function buildExamples(): Promise<URL | null> {
  const shop = new URL("out/edge/", ROOT);
  try {
    await installPackages(shop, TOOLS);
  } catch (error) {
    console.warn(`npm installs nothing here, so workerd and Lambda are not tested: ${(error as Error).message}`);
    return null;
  }
  const modules = new URL("node_modules/@berth/berth/", shop);
  rmSync(modules, { recursive: true, force: true });
  execFileSync(Deno.execPath(), ["run", "-A", "scripts/build_npm_offline.ts", "--out", fileURLToPath(modules)], {
    ...{ cwd: fileURLToPath(ROOT), stdio: ["ignore", "ignore", "inherit"] },
  });
  for (const name of ["cloudflare", "lambda"]) {
    const folder = new URL(`${name}/`, shop);
    rmSync(folder, { recursive: true, force: true });
    cpSync(new URL(`examples/${name}/`, ROOT), folder, { recursive: true });
    await promisify(execFile)("npm", ["run", "build"], { cwd: fileURLToPath(folder) });
  }
  for (const host of ["miniflare_host.js", "lambda_host.js"]) {
    cpSync(new URL(`tests/edge/${host}`, ROOT), new URL(host, shop));
  }
  cpSync(new URL("tests/edge/idle_worker.js", ROOT), new URL("idle/worker.js", shop));
  return shop;
}
