/** Bundles the sources for browsers with esbuild; files that they name by `new URL("...", import.meta.url)` go along. */
import * as esbuild from "npm:esbuild@0.28.2";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { dependencies, installPackages } from "./packages.ts";

const ROOT = new URL("../../", import.meta.url);

/** Where the sources' files of berth-tiny stand, and their folder in the bundle. */
const FOLDERS: Readonly<Record<string, string>> = { "berth-tiny": "berth-tiny/" };

/** Packages that only pages of the repository use. */
const PAGE_PACKAGES = ["fflate@0.8.3"];

/** Literals that bundlers see; blanks and a comma before the closing bracket are allowed. */
const LITERAL = /new URL\(\s*"([^"]+)",\s*import\.meta\.url,?\s*\)/g;

/** How {@linkcode bundle} works. */
export interface BundleOptions {
  /** Entry points: the file's name in the bundle without extension, and its source. */
  entries: Record<string, URL>;
  /** Where the bundle goes. */
  out: URL;
  /** Splits what several entries share into chunks. Default true. */
  splitting?: boolean;
  /** Default true. */
  minify?: boolean;
  /** Modules that stand for others, by the names that are imported. */
  alias?: Record<string, string>;
  /** Folders of files that are not copied because they stand elsewhere, by the bundle's names: paths from the bundle. */
  elsewhere?: Record<string, string>;
  /** Names that are replaced by expressions. */
  define?: Record<string, string>;
}

/** Bundles; gives the names of all files that were written or copied, with what esbuild knows of them. */
export async function bundle(options: BundleOptions): Promise<esbuild.Metafile> {
  const modules = await installPackages(new URL("out/browser/npm/", ROOT), [
    ...dependencies(),
    ...PAGE_PACKAGES,
  ]);
  const { entries, out, splitting = true, minify = true, alias = {}, define = {}, elsewhere = {} } = options;
  const built = await esbuild.build({
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, url]) => [name, fileURLToPath(url)]),
    ),
    outdir: fileURLToPath(out),
    ...{
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      splitting,
      minify,
      alias,
      define,
    },
    ...{ chunkNames: "chunk-[hash]", legalComments: "none", metafile: true, logLevel: "error" },
    nodePaths: [fileURLToPath(modules)],
    plugins: [
      assets(fileURLToPath(out), modules, elsewhere),
      hubForBrowsers(modules),
      npmSpecifiers(modules),
    ],
  });
  return built.metafile;
}

/** Ends esbuild's process. */
export const stop: () => Promise<void> = esbuild.stop;

/** Copies the files that `new URL` literals of our sources name beside the bundle, and lets the literals follow. */
function assets(out: string, modules: URL, elsewhere: Record<string, string>): esbuild.Plugin {
  return {
    name: "assets",
    setup(build) {
      build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, "utf8").replace(LITERAL, (literal, target: string) => {
          const file = target.startsWith(".")
            ? resolve(dirname(path), target)
            : fileURLToPath(new URL(target, modules));
          const folder = FOLDERS[basename(dirname(file))] ?? "", name = folder + basename(file);
          if (elsewhere[folder]) return `new URL("${elsewhere[folder]}${basename(file)}", import.meta.url)`;
          if (existsSync(file)) {
            mkdirSync(dirname(join(out, name)), { recursive: true });
            copyFileSync(file, join(out, name));
          } else if (!existsSync(file.replace(/\.js$/, ".ts"))) {
            throw new Error(`Cannot bundle ${literal}: there is no ${file}`);
          }
          return `new URL("./${name}", import.meta.url)`;
        });
        return { contents, loader: "ts" };
      });
    },
  };
}

/** The hub client's own build for browsers, which its package.json names only in a way that esbuild does not look for. */
function hubForBrowsers(modules: URL): esbuild.Plugin {
  const path = fileURLToPath(new URL("@huggingface/hub/dist/browser/index.mjs", modules));
  return {
    name: "hub-for-browsers",
    setup: (build) => build.onResolve({ filter: /^@huggingface\/hub$/ }, () => ({ path })),
  };
}

/** Deno's names of npm packages. */
function npmSpecifiers(modules: URL): esbuild.Plugin {
  return {
    name: "npm-specifiers",
    setup: (build) =>
      build.onResolve(
        { filter: /^npm:/ },
        ({ path, kind }) =>
          build.resolve(path.replace(/^npm:(.[^@]*)@.*/, "$1"), { kind, resolveDir: fileURLToPath(modules) }),
      ),
  };
}
