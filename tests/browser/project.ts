/** A project that has the npm package, and three ways of getting it into a page: Vite, esbuild, no bundler. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installPackages } from "../../scripts/browser/packages.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGES = Object.fromEntries(
  ["job.ts", "main.ts", "options.ts", "worker.ts"].map((
    name,
  ) => [name, new URL(`pages/${name}`, import.meta.url)]),
);
const PROJECT = new URL("out/browser/project/", ROOT);

/** Pinned, so that a failure can be made again. */
const TOOLS = ["esbuild@0.28.2", "vite@8.3.8"];

/** A way of getting the package into a page. */
export interface Built {
  name: "Vite" | "esbuild" | "no bundler";
  /** What is served. */
  folder: URL;
  /** What the page's address says besides. */
  query: string;
  /** What its policy allows besides its own scripts. */
  scripts: string;
}

/**
 * Builds the npm package, installs it, and builds the pages in each way.
 *
 * @param pages The sources by their names in the pages, main.ts and worker.ts among them. Default: those of the tests.
 */
export async function buildProject(pages: Readonly<Record<string, URL>> = PAGES): Promise<Built[]> {
  const modules = await installPackages(PROJECT, [buildPackage(), ...TOOLS]);
  const source = new URL("src/", PROJECT), page = `<script type="module" src="./main.js"></script>`;
  rmSync(source, { recursive: true, force: true });
  mkdirSync(source, { recursive: true });
  for (const [name, page] of Object.entries(pages)) copyFileSync(page, new URL(name, source));
  const berth = new URL("@berth/berth/", modules);
  return [
    withVite(modules, source),
    withEsbuild(modules, source, berth, page),
    plain(modules, source, berth, page),
  ];
}

/** The package's archive, under a name that changes with its contents. */
function buildPackage(): string {
  const out = new URL("out/browser/npm-package/", ROOT);
  run(Deno.execPath(), ["run", "-A", "scripts/build_npm_offline.ts", "--out", fileURLToPath(out)], ROOT);
  const archive = readFileSync(new URL("package.tgz", out)), names = readdirSync(new URL("browser/", out));
  const hash = createHash("sha256").update(archive).update(names.join()).digest("hex").slice(0, 12);
  const named = new URL(`package-${hash}.tgz`, out);
  writeFileSync(named, archive);
  return fileURLToPath(named);
}

function run(command: string, args: string[], cwd: URL): void {
  execFileSync(command, args, {
    cwd: fileURLToPath(cwd),
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
}

function runTool(modules: URL, tool: string, args: string[]): void {
  run(fileURLToPath(new URL(`.bin/${tool}`, modules)), args, PROJECT);
}

function freshFolder(name: string): URL {
  const folder = new URL(`${name}/`, PROJECT);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Vite finds workers and files by itself; workers that import dynamically want the format "es". */
function withVite(modules: URL, source: URL): Built {
  const folder = freshFolder("dist-vite");
  writeFileSync(new URL("index.html", source), document(`<script type="module" src="./main.ts"></script>`));
  const config = {
    root: fileURLToPath(source),
    build: { outDir: fileURLToPath(folder) },
    worker: { format: "es" },
  };
  writeFileSync(new URL("vite.config.js", PROJECT), `export default ${JSON.stringify(config)};`);
  runTool(modules, "vite", ["build", "--config", "vite.config.js", "--logLevel", "warn"]);
  return { name: "Vite", folder, query: "", scripts: "" };
}

/** esbuild leaves files behind: the package's are copied beside the bundle, and the page says where. */
function withEsbuild(modules: URL, source: URL, berth: URL, page: string): Built {
  const folder = freshFolder("dist-esbuild"),
    entries = ["main.ts", "worker.ts"].map((name) => pathIn(source, name));
  runTool(modules, "esbuild", [
    ...entries,
    ...["--bundle", "--splitting", "--format=esm", "--minify", `--outdir=${fileURLToPath(folder)}`],
  ]);
  cpSync(new URL("browser/", berth), new URL("berth/", folder), { recursive: true });
  cpSync(new URL("esm/src/assets/", berth), new URL("berth/", folder), { recursive: true });
  writeFileSync(new URL("index.html", folder), document(page));
  return { name: "esbuild", folder, query: "&assets=/berth/", scripts: "" };
}

/** An import map names the package's own modules for browsers; workers, which have no import map, name the file. */
function plain(modules: URL, source: URL, berth: URL, page: string): Built {
  const folder = freshFolder("dist-plain"), map = `{"imports":{"@berth/berth":"/berth/browser/berth.js"}}`;
  const external = (name: string, ...flags: string[]) =>
    runTool(modules, "esbuild", [
      pathIn(source, name),
      ...["--bundle", "--format=esm", `--outdir=${fileURLToPath(folder)}`, ...flags],
    ]);
  external("main.ts", "--external:@berth/berth");
  external("worker.ts", "--alias:@berth/berth=/berth/browser/berth.js", "--external:/berth/*");
  cpSync(berth, new URL("berth/", folder), { recursive: true });
  writeFileSync(new URL("index.html", folder), document(`<script type="importmap">${map}</script>${page}`));
  const hash = createHash("sha256").update(map).digest("base64");
  return { name: "no bundler", folder, query: "", scripts: `'sha256-${hash}'` };
}

function pathIn(folder: URL, name: string): string {
  return fileURLToPath(new URL(name, folder));
}

function document(scripts: string): string {
  return `<!doctype html><title>berth</title><link rel="icon" href="data:,">${scripts}`;
}

/** True where npm can install, which the bundlers need. */
export function hasNpm(): boolean {
  try {
    execFileSync("npm", ["--version"], { stdio: "ignore", env: process.env });
    return true;
  } catch {
    return false;
  }
}
