/** The package.json of the package; the same for both builds. */
import { BROWSER_MODULES, MODULES, type PackageDescription } from "./description.ts";

/** Files that programs for the edge bundle, by the names under which they import them. */
export const FILES: Readonly<Record<string, string>> = {
  "./kernels_single.wasm": "src/kernels/generated/kernels_single.wasm",
  "./tfjs-backend-wasm-simd.wasm": "vendor/tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm",
  "./berth-tiny/*": "src/assets/berth-tiny/*",
};

/** The declaration of what a bundler for the edge makes of a `.wasm` file, and where it stands in the package. */
export const WASM_TYPES = {
  path: `./${MODULES}/wasm.d.ts`,
  text: "declare const module: WebAssembly.Module;\nexport default module;\n",
} as const;

/** Modules that do something when they are loaded: hub's tells the models how they are found by name. */
const WITH_EFFECTS = ["mod.ts", "src/hub/mod.ts"];

/** Where an emitted module stands in the package. */
export function emitted(module: string, extension = ".js"): string {
  return `./${MODULES}/${module.replace(/\.ts$/, extension)}`;
}

/** What package.json says. */
export function packageJson(description: PackageDescription): Record<string, unknown> {
  const { name, version, license, metadata, entryPoints, commands, workers, documents } = description;
  const exports = Object.fromEntries(
    Object.entries(entryPoints).map(([key, module]) => [
      key,
      { types: emitted(module, ".d.ts"), default: emitted(module) },
    ]),
  );
  const files = Object.fromEntries(
    Object.entries(FILES).map(([key, path]) => {
      const file = `./${MODULES}/${path}`;
      return [key, path.endsWith(".wasm") ? { types: WASM_TYPES.path, default: file } : file];
    }),
  );
  const bin = Object.fromEntries(Object.entries(commands).map(([key, module]) => [key, emitted(module)]));
  return {
    ...{ name, version },
    description: metadata.description,
    keywords: metadata.keywords,
    ...{ license, author: metadata.author },
    repository: metadata.repository,
    homepage: metadata.homepage,
    bugs: metadata.bugs,
    type: "module",
    engines: metadata.engines,
    main: emitted(entryPoints["."]),
    types: emitted(entryPoints["."], ".d.ts"),
    exports: {
      ...exports,
      ...files,
      [`./${BROWSER_MODULES}/*`]: `./${BROWSER_MODULES}/*`,
      "./package.json": "./package.json",
    },
    ...Object.keys(bin).length > 0 && { bin },
    files: [MODULES, BROWSER_MODULES, ...documents],
    sideEffects: [
      ...[...Object.values(commands), ...workers, ...WITH_EFFECTS].map((module) => emitted(module)),
      `./${MODULES}/vendor/**`,
      `./${BROWSER_MODULES}/*.js`,
    ],
    dependencies: description.dependencies,
  };
}
