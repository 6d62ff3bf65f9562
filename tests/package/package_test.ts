/** The npm package, built and installed once: what is in it, what tools say of it, and that it trains everywhere. */
import * as esbuild from "npm:esbuild@0.28.2";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { BROWSER_MODULES, describePackage, entryModules, ROOT } from "../../scripts/package/description.ts";
import { emitted, packageJson } from "../../scripts/package/manifest.ts";
import { RUNTIMES } from "../../scripts/package/runtimes.ts";
import { FakeHub, sha256 } from "../hub/fake_hub.ts";
import { withRegistry } from "./registry.ts";
import { prepare, readJson, run, type Scratch, tool } from "./scratch.ts";

const prepared = await prepare();
if (typeof prepared === "string") console.warn(`The tests of the npm package are skipped: ${prepared}`);
else addEventListener("unload", () => rmSync(new URL("..", prepared.app), { recursive: true, force: true }));

/** A test that is skipped if npm cannot be reached. */
function test(name: string, body: (scratch: Scratch) => Promise<void> | void): void {
  Deno.test({ name, ignore: typeof prepared === "string", fn: () => body(prepared as Scratch) });
}

const description = describePackage();
const INSTALLED = "node_modules/@berth/berth/";

/** All files of the installed package, as paths. */
function installedFiles({ app }: Scratch): string[] {
  const folder = new URL(INSTALLED, app);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(new URL(path, folder)).isFile());
}

test("the package has modules with types and maps, workers, files that are loaded, documents, and nothing else", (scratch) => {
  const files = installedFiles(scratch), folder = new URL(INSTALLED, scratch.app);
  deepStrictEqual(
    readJson(new URL("package.json", folder)),
    JSON.parse(JSON.stringify(packageJson(description))),
  );
  const wanted = [
    ...entryModules(description).map((module) => emitted(module)),
    ...Object.values(description.entryPoints).map((module) => emitted(module, ".d.ts")),
    ...description.assets.map((path) => `./esm/${path}`),
    ...description.documents.map((path) => `./${path}`),
    ...description.inlinedFiles.map((path) => `./esm/vendor/${path.slice(1)}`),
    "./esm/vendor/LICENSES.txt",
  ];
  deepStrictEqual(wanted.filter((path) => !files.includes(path.slice(2))), []);
  const places = new RegExp(
    `^(${BROWSER_MODULES}/[\\w-]+\\.(js|wasm)|esm/.+\\.(js|js\\.map|d\\.ts|wasm)|${
      [...description.documents, "package.json"].join("|")
    }|` +
      "esm/vendor/LICENSES\\.txt|esm/src/assets/berth-tiny/.+)$",
  );
  deepStrictEqual(files.filter((path) => !places.test(path)), []);
  const own = files.filter((path) =>
    path.endsWith(".js") && path.startsWith("esm/") && !path.startsWith("esm/vendor/")
  );
  deepStrictEqual(own.filter((path) => !files.includes(`${path}.map`)), []);
});

/** Specifiers of static imports, of exports from elsewhere, and of dynamic imports. */
const IMPORTS =
  /(?:^|[;}])\s*(?:import|export)\b(?:[\w\s{},*$]*\bfrom)?\s*"([^"\n]+)"|\bimport\("([^"\n]+)"\)/gm;

test("modules and declarations import only what is there: each other, and tfjs-core", (scratch) => {
  const folder = new URL(INSTALLED, scratch.app), foreign = new Set<string>(), local: [string, string][] = [];
  for (const path of installedFiles(scratch).filter((name) => /\.(js|d\.ts)$/.test(name))) {
    const text = readFileSync(new URL(path, folder), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, first, second] of text.matchAll(IMPORTS)) {
      const name = first ?? second;
      if (name.startsWith(".")) local.push([path, name]);
      else if (name !== description.name) foreign.add(name); // texts that berth writes name it
    }
    for (const [, name] of text.matchAll(/new URL\(\s*"(\.[^"]+)",\s*import\.meta\.url/g)) {
      local.push([path, name]);
    }
  }
  ok(local.length > 400);
  deepStrictEqual(local.filter(([path, name]) => !existsSync(new URL(name, new URL(path, folder)))), []);
  deepStrictEqual([...foreign], Object.keys(description.dependencies));
});

/** Bytes, some room above what is there now. */
const BUDGETS = {
  unpacked: 13_000_000,
  tarball: 6_500_000,
  modules: 1_700_000,
  modulesGzip: 620_000,
  vendorGzip: 215_000,
  browserGzip: 500_000,
  wasmGzip: { kernels: 20_000, tfjs: 150_000 },
  bundleGzip: 230_000,
};

test("the package is within its budgets: files, modules, each .wasm", (scratch) => {
  const folder = new URL(INSTALLED, scratch.app), files = installedFiles(scratch);
  const bytes = (path: string) => readFileSync(new URL(path, folder));
  const total = (paths: string[], size = (path: string) => statSync(new URL(path, folder)).size) =>
    paths.reduce((sum, path) => sum + size(path), 0);
  const gzip = (path: string) => gzipSync(bytes(path)).length;
  const modules = files.filter((path) => /^esm\/.*\.js$/.test(path) && !path.includes("/vendor/"));
  const vendor = files.filter((path) => /^esm\/vendor\/.*\.js$/.test(path));
  const browser = files.filter((path) => path.startsWith(`${BROWSER_MODULES}/`) && path.endsWith(".js"));
  const within = (what: string, size: number, budget: number) =>
    ok(size <= budget, `${what}: ${size} > ${budget}`);
  within("unpacked", total(files), BUDGETS.unpacked);
  within("tarball", statSync(scratch.tarball).size, BUDGETS.tarball);
  within("modules", total(modules), BUDGETS.modules);
  within("modules, gzip", total(modules, gzip), BUDGETS.modulesGzip);
  within("built-in packages, gzip", total(vendor, gzip), BUDGETS.vendorGzip);
  within("modules for browsers, gzip", total(browser, gzip), BUDGETS.browserGzip);
  for (const path of files.filter((name) => name.endsWith(".wasm"))) {
    within(`${path}, gzip`, gzip(path), BUDGETS.wasmGzip[path.includes("/kernels") ? "kernels" : "tfjs"]);
  }
});

test("a bundle has neither berth-tiny nor a .wasm in it, and stays within its budget", async ({ app }) => {
  const { outputFiles, metafile } = await esbuild.build({
    ...{ entryPoints: ["esm.mjs"], absWorkingDir: realpathSync(fileURLToPath(app)), outdir: "bundle" },
    ...{ bundle: true, splitting: true, minify: true, format: "esm", platform: "browser", write: false },
    ...{ metafile: true, external: ["node:process"], logLevel: "error" },
  });
  await esbuild.stop();
  deepStrictEqual(Object.keys(metafile.inputs).filter((path) => !/\.m?js$|^\(disabled\)/.test(path)), []);
  const sizes = outputFiles.map(({ contents }) => gzipSync(contents).length);
  ok(Math.max(...sizes) <= BUDGETS.bundleGzip, String(sizes));
});

test("npm ls shows at most 12 packages", async ({ app }) => {
  const lines = (await run("npm", ["ls", "--all", "--parseable"], app)).trim().split("\n").slice(1);
  ok(lines.length >= 2 && lines.length <= 12, lines.join("\n"));
});

test("publint and attw find nothing", async ({ tarball }) => {
  match(await tool("publint", [fileURLToPath(tarball), "--strict"]), /All good!/);
  // Modules only: what CommonJS before require(esm) and TypeScript's node10 cannot do is known.
  await tool("attw", [fileURLToPath(tarball), "--profile", "esm-only"]);
});

for (const [resolution, module] of [["bundler", "esnext"], ["node16", "node16"], ["nodenext", "nodenext"]]) {
  test(`types hold under moduleResolution ${resolution}, strict, libraries checked`, async ({ app }) => {
    const config = new URL(`tsconfig.${resolution}.json`, app);
    const options = {
      ...{ noEmit: true, strict: true, skipLibCheck: false, moduleResolution: resolution, module },
      ...{ target: "es2022", lib: ["es2023", "dom", "dom.iterable"], types: ["long"] }, // tfjs-core's own need
    };
    writeFileSync(config, JSON.stringify({ compilerOptions: options, files: ["types.ts"] }));
    strictEqual(await tool("tsc", ["-p", fileURLToPath(config)], app), "");
  });
}

/** What a program of `programs/` prints. */
async function result(command: string, args: string[], app: URL) {
  const { profile, threads, losses, weights } = JSON.parse(await run(command, args, app));
  return { profile, threads, losses: losses as number[], weights: weights as number };
}

const FROM_SOURCES = fileURLToPath(new URL("programs/esm.mjs", import.meta.url));
const sources = typeof prepared === "string"
  ? undefined
  : await result(Deno.execPath(), ["run", "-A", FROM_SOURCES, "simd", "2", "dispose"], ROOT);

for (const { name, command: start, best } of RUNTIMES) {
  test(`${name}: the package trains with the bits of the sources, with and without threads, and the program ends`, async ({ app }) => {
    const [command, ...before] = await start(), { losses, weights } = sources!;
    const train = (program: string, ...args: string[]) => result(command, [...before, program, ...args], app);
    const same = { losses, weights };
    deepStrictEqual(await train("esm.mjs", "simd", "2", "dispose"), { profile: "simd", threads: 2, ...same });
    deepStrictEqual(await train("esm.mjs", "simd", "1", "dispose"), { profile: "simd", threads: 1, ...same });
    deepStrictEqual(await train("esm.mjs", "single", "1"), { profile: "single", threads: 1, ...same });
    deepStrictEqual(await train("commonjs.cjs", "simd", "2"), { profile: "simd", threads: 2, ...same });
    const automatic = await train("esm.mjs", "auto", "2");
    deepStrictEqual([automatic.profile, automatic.threads], [best, 2]);
    ok(automatic.losses.every((loss, i) => Math.abs(loss - losses[i]) < 1e-5));
  });
}

test("the losses fall", () =>
  ok(sources!.losses.at(-1)! < 0.8 * sources!.losses[0], String(sources!.losses)));

test("require() finds the modules in Node 22 and 24", async ({ app }) => {
  for (const { name, command } of RUNTIMES.filter(({ name }) => /^Node 2[24]/.test(name))) {
    strictEqual(await run((await command())[0], ["require.cjs"], app), "function function\n", name);
  }
});

test("Deno: the package trains as npm:@berth/berth from a registry, with the bits of the sources", ({ app, folder, tarball }) =>
  withRegistry(folder, tarball, async (registry, project) => {
    const code = readFileSync(new URL("esm.mjs", app), "utf8").replace(
      "@berth/berth",
      `npm:${registry.specifier}`,
    );
    writeFileSync(new URL("esm.mjs", project), code);
    writeFileSync(new URL("train.mjs", project), readFileSync(new URL("train.mjs", app)));
    const output = await run(
      Deno.execPath(),
      ["run", "-A", "esm.mjs", "simd", "2", "dispose"],
      project,
      registry.env,
    );
    const { losses, weights } = JSON.parse(output);
    deepStrictEqual({ losses, weights }, { losses: sources!.losses, weights: sources!.weights });
  }));

test("the hub client that is built in downloads and uploads in Node", async ({ app }) => {
  const hub = await FakeHub.start(), encoder = new TextEncoder();
  try {
    hub.add("own/model", {
      "vocab.txt": encoder.encode("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb"),
      "tokenizer_config.json": encoder.encode('{"do_lower_case":true}'),
    });
    const { ids, commit } = JSON.parse(
      await run((await RUNTIMES[0].command())[0], ["hub.mjs", hub.url], app),
    );
    deepStrictEqual({ ids, commit }, { ids: [2, 5, 6, 3], commit: "c".repeat(40) });
    deepStrictEqual(hub.uploads.get(sha256(new Uint8Array(50_000).fill(7)))?.length, 50_000);
  } finally {
    await hub.close();
  }
});

test("npx berth trains, and every runtime runs the command to the same bits", async ({ app }) => {
  const data = fileURLToPath(new URL("scripts/demo/data/train.tsv", ROOT));
  const train = (
    out: string,
  ) => ["train", "--train", data, "--max-steps", "3", "--profile", "simd", "--out", out, "-q"];
  match(await run("npx", ["--no-install", "berth", ...train("run npx")], app), /^train_runtime /);
  const receipt = (out: string) => readJson(new URL(`${out}/receipt.json`, app));
  const { losses, weights, global_step } = receipt("run npx");
  deepStrictEqual([losses.length, global_step], [3, 3]);
  for (const { name, command: start } of RUNTIMES) {
    const [command, ...before] = await start(), out = `run ${name}`;
    await run(command, [...before, `${INSTALLED}esm/src/cli/main.js`, ...train(out)], app);
    const own = receipt(out);
    deepStrictEqual([own.losses, own.weights], [losses, weights], name);
  }
});
