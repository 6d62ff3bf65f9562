// An exported model on onnxruntime-web's wasm, in Node: `ort_inference.mjs MODULES FOLDER JOB`, see inference.mjs.
import process from "node:process";
import { pathToFileURL } from "node:url";
import { int64Inputs, serveInference } from "./inference.mjs";

const [modules, folder, text] = process.argv.slice(2), { threads, batches } = JSON.parse(text);
const ort = await import(pathToFileURL(`${modules}/onnxruntime-web/dist/ort.node.min.mjs`).href);
ort.env.wasm.numThreads = threads;
const session = await ort.InferenceSession.create(`${folder}/onnx/model.onnx`, {
  executionProviders: ["wasm"],
  graphOptimizationLevel: "all",
});
await serveInference(batches, (ids) => {
  const inputs = int64Inputs(ort.Tensor, ids);
  return async () => (await session.run(inputs)).last_hidden_state.data;
});
