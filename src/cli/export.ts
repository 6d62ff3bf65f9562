/**
 * `berth export`: a model as ONNX.
 *
 * @module
 */
import { exportOnnx, type OnnxDtype } from "../export/mod.ts";
import { BertTokenizer } from "../hub/mod.ts";
import { dispose } from "../runtime/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS } from "./command.ts";
import { hubOptions, modelClass, readConfig, required } from "./models.ts";
import { Progress } from "./progress.ts";

export const command: Command = defineCommand({
  usage: "MODEL --out FOLDER [--dtype fp32]",
  about:
    "Writes a folder that onnxruntime, optimum and transformers.js run: onnx/model.onnx, config.json, the tokenizer.",
  words: [1, 1],
  flags: {
    out: { kind: "text", value: "FOLDER", short: "o", help: "where to" },
    dtype: {
      ...{ kind: "names", choices: ["fp32", "q8", "int8", "uint8"] },
      help: "fp32, or 8 bits: q8, int8, uint8, or several with commas between them",
    },
    revision: MODEL_FLAGS.revision,
    cache_dir: MODEL_FLAGS.cache_dir,
    local_files_only: MODEL_FLAGS.local_files_only,
  },
  examples: [
    ["berth export out/run/model --out out/onnx", "32-bit floats"],
    [
      "berth export out/run/model --out out/onnx --dtype fp32,q8",
      "and a quarter of the size, in 8 bits",
    ],
  ],
  async run({ values, positionals: [name], terminal, json }) {
    const out = required(values.out, "--out FOLDER"), hub = hubOptions(values, terminal);
    const dtype = (values.dtype ?? ["fp32"]) as OnnxDtype[],
      { ModelClass } = modelClass(await readConfig(name, hub));
    try {
      const tokenizer = await BertTokenizer.from_pretrained(name, hub);
      const model = await ModelClass.from_pretrained(name, {
        ...hub,
        on_report: (report) => report.newlyInitialized.length > 0 && terminal.note(String(report)),
      });
      const progress = new Progress(terminal, "write", "MB");
      await exportOnnx(model, out, {
        dtype,
        tokenizer,
        onProgress: (done, total) => progress.update(Math.ceil(done / 1e6), Math.ceil(total / 1e6)),
      });
      const result = { out, class: model.typeName, dtype };
      await terminal.out(
        json ? JSON.stringify(result) + "\n" : `${out}: ${model.typeName} as ${dtype.join(", ")}\n`,
      );
    } finally {
      dispose();
    }
  },
});
