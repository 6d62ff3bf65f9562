/** Makes dist/, the function's code: one script, the two WASM modules and the model. Zip it and upload it. */
import { copyFileSync, cpSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const packaged = (name) => fileURLToPath(import.meta.resolve(`@berth/berth/${name}`));

mkdirSync("dist", { recursive: true });
for (const name of ["kernels_single.wasm", "tfjs-backend-wasm-simd.wasm"]) {
  copyFileSync(packaged(name), `dist/${name}`);
}
cpSync(packaged("berth-tiny/config.json").replace(/config\.json$/, ""), "dist/berth-tiny", {
  recursive: true,
});
await build({
  ...{ entryPoints: ["handler.js"], outfile: "dist/index.cjs", bundle: true, minify: true },
  ...{ platform: "node", target: "node20", format: "cjs", logLevel: "error" },
});
