/**
 * The same as run_onnx.py, by onnxruntime-node or onnxruntime-web: node run_onnx.mjs FOLDER PACKAGE FILE,FILE,... It is
 * copied beside node_modules.
 */
import { readdirSync, readFileSync, writeSync } from "node:fs";

const [folder, name, wanted] = process.argv.slice(2), { InferenceSession, Tensor, env } = await import(name);
if (name === "onnxruntime-web") env.wasm.numThreads = 1;
const result = {};
for (const [model, batches] of Object.entries(JSON.parse(readFileSync(`${folder}batches.json`, "utf8")))) {
  result[model] = {};
  const files = readdirSync(`${folder}${model}/onnx`);
  for (const file of wanted.split(",")) {
    const path = `${folder}${model}/onnx/${file}`;
    const externalData = files.includes(`${file}_data`)
      ? [{ path: `${file}_data`, data: readFileSync(`${path}_data`) }]
      : [];
    const session = name === "onnxruntime-web"
      ? await InferenceSession.create(readFileSync(path), { externalData })
      : await InferenceSession.create(path, { logSeverityLevel: 3 });
    result[model][file] = [];
    for (const batch of batches) {
      const feeds = session.inputNames.map((key) => {
        const { dims, data } = batch[key];
        return [key, new Tensor("int64", BigInt64Array.from(data, BigInt), dims)];
      });
      const outputs = await session.run(Object.fromEntries(feeds));
      const read = Object.entries(outputs).map((
        [key, { dims, data }],
      ) => [key, { dims, data: Array.from(data) }]);
      result[model][file].push(Object.fromEntries(read));
    }
    await session.release();
  }
}
for (let text = Buffer.from(JSON.stringify(result)); text.length > 0;) {
  text = text.subarray(writeSync(1, text));
}
