// An exported model in transformers.js, in Node: `transformersjs_inference.mjs MODULES FOLDER JOB RUNTIME`, see
// inference.mjs. By itself it runs onnxruntime-node there, which is native: RUNTIME `native`. With `wasm` it is given the
// onnxruntime-web that it brings for browsers, by the symbol that it looks for.
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { int64Inputs, serveInference } from "./inference.mjs";

const [modules, folder, text, runtime] = process.argv.slice(2), { threads, batches } = JSON.parse(text);
const home = `${modules}/@huggingface/transformers`;
if (runtime === "wasm") {
  const ort = createRequire(`${home}/package.json`)("onnxruntime-web");
  ort.env.wasm.numThreads = threads;
  globalThis[Symbol.for("onnxruntime")] = ort;
}
const { AutoModel, env, Tensor } = await import(pathToFileURL(`${home}/dist/transformers.node.mjs`).href);
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
if (runtime === "wasm") {
  env.useWasmCache = false;
  env.backends.onnx.wasm.wasmPaths = undefined; // the files of the package, not of a server
}
// It knows no devices of a runtime that it is given: "auto" leaves the choice to the session's options.
const [device, provider] = runtime === "wasm" ? ["auto", "wasm"] : ["cpu", "cpu"];
const session_options = { executionProviders: [provider], intraOpNumThreads: threads };
const model = await AutoModel.from_pretrained(basename(folder), { dtype: "fp32", device, session_options });
await serveInference(batches, (ids) => {
  const inputs = int64Inputs(Tensor, ids);
  return async () => (await model(inputs)).last_hidden_state.data;
});
