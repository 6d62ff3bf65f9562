/** Makes dist/: one file of code, the two WASM modules and the model; zip it and upload it. */
import { copyFileSync, cpSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

await build({
  ...{ entryPoints: ["handler.js"], outfile: "dist/index.cjs", bundle: true, minify: true },
  ...{ platform: "node", target: "node20", format: "cjs" },
});
