/** What an exported graph computes, run by an interpreter of its own, against PyTorch's outputs. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  BertConfig,
  BertForSequenceClassification,
  BertModel,
  BertTokenizer,
  ConfigError,
  dispose,
  encodeOnnx,
  exportOnnx,
  init,
  onnxFiles,
  type PreTrainedModel,
} from "../../mod.ts";
import type { NamedTensor } from "../../src/export/layer_graphs.ts";
import { modelGraph } from "../../src/export/model_graph.ts";
import { worstError } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import { caseFolders, readGolden } from "../helpers/golden.ts";
import { runOnnx, type Values } from "./onnx_interpreter.ts";
import { readOnnx } from "./onnx_reader.ts";

const CASES = ["base_model", "odd_sizes", "relu_eps", "sequence_multi_label", "gelu_new"];
const CLASSES = { BertModel, BertForSequenceClassification };

function values(rows: number[][]): Values {
  return { dims: [rows.length, rows[0].length], data: rows.flat() };
}

/** Inputs as a graph takes them. */
function feedsOf(inputs: Record<string, number[][]>): Record<string, Values> {
  const { input_ids, attention_mask, token_type_ids } = inputs;
  return {
    input_ids: values(input_ids),
    attention_mask: values(attention_mask ?? input_ids.map((row) => row.map(() => 1))),
    token_type_ids: values(token_type_ids ?? input_ids.map((row) => row.map(() => 0))),
  };
}

async function withTinyModel(run: (model: PreTrainedModel) => Promise<void> | void): Promise<void> {
  await init({ threads: 1 });
  const model = await BertForSequenceClassification.from_config(
    new BertConfig({
      ...{ vocab_size: 40, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2 },
      ...{ intermediate_size: 48, max_position_embeddings: 16, initializer_range: 0.3 },
    }),
  );
  await run(model);
  model.dispose();
  dispose();
}

const TINY_INPUTS = {
  input_ids: [[2, 30, 7, 9, 3], [2, 5, 3, 0, 0]],
  attention_mask: [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
};

const folders = caseFolders();
for (const name of CASES) {
  const folder = folders.get(name);
  Deno.test({
    name: `${name}: the fp32 graph's outputs are within 1e-5 of PyTorch's`,
    ignore: !folder, // the shared reference folder is absent and the repository does not carry this case
    fn: async () => {
      await init({ threads: 1 });
      const golden = await readGolden(name, folder!);
      const Class = CLASSES[golden.json.class_ as keyof typeof CLASSES];
      const model = await (Class as typeof BertModel).from_pretrained(folder!);
      const graph = readOnnx(encodeOnnx(model));
      strictEqual(graph.opset, 17);
      const outputs = runOnnx(graph, feedsOf(golden.inputs as Record<string, number[][]>));
      for (const [key, { data }] of outputs) {
        const error = worstError(data, golden.outputs.get(key)!.values);
        ok(error <= 1e-5, `${key} differs by ${error}`);
      }
      model.dispose();
      dispose();
    },
  });
}

for (const dtype of ["q8", "uint8"] as const) {
  Deno.test(`${dtype}: weights are off by half a step at most, a step for each row; outputs follow`, () =>
    withTinyModel((model) => {
      const graph = readOnnx(encodeOnnx(model, { dtype })), zero = dtype === "uint8" ? 128 : 0;
      let quantized = 0;
      for (const [name, { dims, data, type }] of graph.initializers) {
        if (!name.endsWith(".quantized")) continue;
        quantized++;
        strictEqual(type, dtype === "uint8" ? 2 : 3);
        const source = name.replace(/\.quantized$/, ""), parameter = model.get_parameter(source);
        const scales = graph.initializers.get(`${source}.scale`)!.data, [rows, columns] = parameter.shape;
        const isTable = source.includes("embeddings");
        deepStrictEqual(dims, isTable ? [rows, columns] : [columns, rows]);
        parameter.values().forEach((value, i) => {
          const row = Math.floor(i / columns), at = isTable ? i : (i % columns) * rows + row;
          ok(Math.abs((data[at] - zero) * scales[row] - value) <= scales[row] * 0.5001, `${source}[${i}]`);
          ok(Math.abs(data[at] - zero) <= 127);
        });
      }
      strictEqual(quantized, 3 + 2 * 6 + 2); // embeddings, two layers, pooler and classifier
      const exact = runOnnx(readOnnx(encodeOnnx(model)), feedsOf(TINY_INPUTS)).get("logits")!;
      const error = worstError(runOnnx(graph, feedsOf(TINY_INPUTS)).get("logits")!.data, exact.data);
      ok(error > 1e-6 && error < 0.1, `logits differ by ${error}`);
    }));
}

Deno.test("inputs and outputs are named and sized as optimum's", () =>
  withTinyModel((model) => {
    const { inputs, outputs } = readOnnx(encodeOnnx(model));
    deepStrictEqual(
      [...inputs],
      ["input_ids", "attention_mask", "token_type_ids"].map((
        name,
      ) => [name, ["batch_size", "sequence_length"]]),
    );
    deepStrictEqual([...outputs], [["logits", ["batch_size", 2]]]);
  }));

Deno.test("exportOnnx writes transformers.js's layout; progress ends at the total", () =>
  withTinyModel((model) =>
    withFolder(async (folder) => {
      const tokenizer = await BertTokenizer.from_pretrained("berth-tiny"), seen: [number, number][] = [];
      const onProgress = (done: number, total: number) => void seen.push([done, total]);
      await exportOnnx(model, folder, { tokenizer, dtype: ["fp32", "q8", "int8", "uint8"], onProgress });
      const read = (name: string) => readFileSync(new URL(name, folder));
      const config = JSON.parse(String(read("config.json")));
      deepStrictEqual([config.model_type, config.architectures], ["bert", ["BertForSequenceClassification"]]);
      ok(read("tokenizer.json").length > 0 && read("tokenizer_config.json").length > 0);
      const fp32 = read("onnx/model.onnx");
      deepStrictEqual(new Uint8Array(fp32), encodeOnnx(model));
      for (const name of ["model_quantized", "model_int8", "model_uint8"]) {
        ok(read(`onnx/${name}.onnx`).length < fp32.length, name);
      }
      const [done, total] = seen.at(-1)!;
      strictEqual(done, total);
      ok(seen.every(([at], i) => i === 0 || at > seen[i - 1][0]));
    })
  ));

Deno.test("weights in a file of their own: the same numbers, at whole pages, and config.json says so", () =>
  withTinyModel((model) => {
    const [config, file, data] = onnxFiles(model, { dtype: "q8", external_data: true })
      .map(({ name, byteLength, chunks }) => {
        const bytes = new Uint8Array([...chunks()].flatMap((chunk) => [...chunk]));
        strictEqual(bytes.length, byteLength, name);
        return { name, bytes };
      });
    deepStrictEqual([file.name, data.name], ["onnx/model_quantized.onnx", "onnx/model_quantized.onnx_data"]);
    const { use_external_data_format } =
      JSON.parse(new TextDecoder().decode(config.bytes))["transformers.js_config"];
    deepStrictEqual(use_external_data_format, { "model_quantized.onnx": 1 });
    const whole = readOnnx(encodeOnnx(model, { dtype: "q8" })), split = readOnnx(file.bytes, data.bytes);
    deepStrictEqual(split.initializers, whole.initializers);
    deepStrictEqual(split.nodes, whole.nodes);
  }));

Deno.test("what cannot be exported is refused, and says what can", () =>
  withTinyModel(async (model) => {
    throws(() => encodeOnnx(model, { dtype: "fp16" as never }), /dtype "fp16": one of fp32, q8, int8, uint8/);
    const { config } = model, tensors = new Map<string, NamedTensor>();
    for (const [name, { shape }] of model.named_parameters()) {
      tensors.set(name, {
        shape,
        values: () => new Float32Array(),
      });
    }
    const refused = (typeName: string, message: RegExp) =>
      throws(
        () => modelGraph(typeName, config, tensors, "float32"),
        (error: Error) => error instanceof ConfigError && message.test(error.message),
      );
    refused("BertLMHeadModel", /BertLMHeadModel to ONNX: one of BertModel/);
    refused("BertForQuestionAnswering", /no weight "qa_outputs.weight"/);
    tensors.set("lora_A.weight", { shape: [1, 1], values: () => new Float32Array() });
    refused("BertForSequenceClassification", /the weight "lora_A.weight", which none of its layers reads/);
    await rejects(exportOnnx(model, "/proc/none"), /Cannot write/);
  }));
