/**
 * Runs exported models by transformers.js's pipelines, and prints what they say: node run_pipelines.mjs FOLDER PACKAGE. It is copied
 * beside node_modules. FOLDER/pipelines.json has [{ task, model, dtype, calls: [[arguments]] }].
 */
import { readFileSync } from "node:fs";

const [folder, name] = process.argv.slice(2), { env, pipeline } = await import(name);
env.allowRemoteModels = false;
env.localModelPath = folder;
const results = [];
for (const { task, model, dtype, calls } of JSON.parse(readFileSync(`${folder}pipelines.json`, "utf8"))) {
  const run = await pipeline(task, model, { dtype }), said = [];
  for (const call of calls) {
    const found = await run(...call);
    said.push(task === "feature-extraction" ? { dims: found.dims, data: Array.from(found.data) } : found);
  }
  results.push(said);
  await run.dispose();
}
console.log(JSON.stringify(results));
