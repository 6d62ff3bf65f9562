/** The examples as their users have them: the npm package and the tools installed, built by their own scripts. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { installPackages } from "../../scripts/browser/packages.ts";

const ROOT = new URL("../../", import.meta.url);
const TOOLS = ["esbuild@0.28.2", "miniflare@4.20260426.0", "@tensorflow/tfjs-core@4.22.0"];

/** Installs the tools and the package; null, with a word on it, where npm reaches no registry. */
export async function openWorkshop(): Promise<URL | null> {
  const shop = new URL("out/edge/", ROOT);
  try {
    await installPackages(shop, TOOLS);
  } catch (error) {
    console.warn(
      `npm installs nothing here, so workerd and Lambda are not tested: ${(error as Error).message}`,
    );
    return null;
  }
  const berth = new URL("node_modules/@berth/berth/", shop);
  rmSync(berth, { recursive: true, force: true });
  run(ROOT, Deno.execPath(), ["run", "-A", "scripts/build_npm_offline.ts", "--out", fileURLToPath(berth)]);
  return shop;
}

/** Copies an example into the workshop, its files changed by `change`, and builds it. */
export function buildExample(
  shop: URL,
  name: string,
  change: (file: string, text: string) => string = (_, text) => text,
): URL {
  const folder = new URL(`${name}/`, shop), source = new URL(`examples/${name}/`, ROOT);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const file of readdirSync(source)) {
    writeFileSync(new URL(file, folder), change(file, readFileSync(new URL(file, source), "utf8")));
  }
  run(folder, "npm", ["run", "build"]);
  return folder;
}

/** Copies a file of the tests into the workshop, where it finds the packages. */
export function place(shop: URL, file: string, as: string = file): URL {
  const target = new URL(as, shop);
  cpSync(new URL(`tests/edge/${file}`, ROOT), target);
  return target;
}

/** Runs a program that is to succeed. */
function run(folder: URL, program: string, args: string[]): void {
  execFileSync(program, args, { cwd: fileURLToPath(folder), stdio: ["ignore", "ignore", "inherit"] });
}
