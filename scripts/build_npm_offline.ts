/**
 * Builds the npm package with what is at hand without JSR: `deno pack` emits the modules, and the steps that
 * build_npm.ts has too add the rest. Gives the same files and the same package.json.
 *
 *     deno task build:npm:offline [--out npm]
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { folderUrl } from "../src/runtime/files.ts";
import { emitModules } from "./package/deno_pack.ts";
import { describePackage } from "./package/description.ts";
import { finishPackage, packTarball } from "./package/finish.ts";

const { values: flags } = parseArgs({ options: { out: { type: "string", default: "npm" } } });
const out = folderUrl(flags.out), description = describePackage();
rmSync(out, { recursive: true, force: true });
emitModules(description, out);
await finishPackage(description, out);
packTarball(out, new URL("package.tgz", out));
console.log(`${description.name}@${description.version}: ${flags.out}/package.tgz`);
