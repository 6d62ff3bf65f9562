/**
 * Runs a Worker in workerd: `node miniflare_host.js '{ folder, model, persist }'`. Prints one line of JSON: its URL. Ends
 * when its input ends.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const { Miniflare } = createRequire(import.meta.url)("miniflare");
const { folder, model, persist } = JSON.parse(process.argv[2]);
const kinds = { js: "ESModule", wasm: "CompiledWasm" };
const files = readdirSync(folder).sort((a, b) => a.endsWith(".js") ? -1 : b.endsWith(".js") ? 1 : 0);
const miniflare = new Miniflare({
  ...{
    compatibilityDate: "2026-01-01",
    r2Buckets: ["BUCKET"],
    r2Persist: persist,
    bindings: { TOKEN: "secret" },
  },
  modules: files.map((name) => ({
    ...{ type: kinds[name.split(".").at(-1)], path: name, contents: readFileSync(`${folder}/${name}`) },
  })),
});
const bucket = await miniflare.getR2Bucket("BUCKET");
for (const name of model ? readdirSync(model) : []) {
  await bucket.put(`berth-tiny/${name}`, new Uint8Array(readFileSync(`${model}/${name}`)).buffer);
}
console.log(JSON.stringify({ url: String(await miniflare.ready) }));
process.stdin.on("end", () => miniflare.dispose().then(() => process.exit()));
process.stdin.resume();
