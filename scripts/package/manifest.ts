/** The package.json of the package; the same for both builds. */
import { MODULES, type PackageDescription } from "./description.ts";

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
    exports: { ...exports, "./package.json": "./package.json" },
    ...Object.keys(bin).length > 0 && { bin },
    files: [MODULES, ...documents],
    sideEffects: [
      ...[...Object.values(commands), ...workers].map((module) => emitted(module)),
      `./${MODULES}/vendor/**`,
    ],
    dependencies: description.dependencies,
  };
}
