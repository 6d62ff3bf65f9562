/**
 * Trained models as ONNX files, in the layout that transformers.js and optimum read.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { BertTokenizer } from "../hub/mod.ts";
import type { PreTrainedModel } from "../model/mod.ts";
import { savedConfig } from "../model/pretrained.ts";
import { folderUrl, writeFileWhole } from "../runtime/files.ts";
import type { WeightType } from "./layer_graphs.ts";
import { modelGraph } from "./model_graph.ts";
import { onnxStreams } from "./onnx_file.ts";
import type { ByteStream } from "./protobuf.ts";

/**
 * The form of the weights, with transformers.js's names: `fp32`, 32-bit floats; `q8`, 8 bits; `int8` and `uint8`, 8 bits
 * with or without a sign. All but `fp32` quantize activations as they come.
 */
export type OnnxDtype = "fp32" | "q8" | "int8" | "uint8";

/** The file and the weights of each form. */
const FORMS: Readonly<Record<OnnxDtype, { file: string; type: WeightType }>> = {
  fp32: { file: "onnx/model.onnx", type: "float32" },
  q8: { file: "onnx/model_quantized.onnx", type: "int8" },
  int8: { file: "onnx/model_int8.onnx", type: "int8" },
  uint8: { file: "onnx/model_uint8.onnx", type: "uint8" },
};

/** One file of an export, not written yet. */
export interface OnnxFile extends ByteStream {
  /** Its path in the model's folder. */
  readonly name: string;
}

/** Options of {@linkcode onnxFiles}. */
export interface OnnxFilesOptions {
  /** The form, or forms, of the weights. Default `"fp32"`. */
  dtype?: OnnxDtype | readonly OnnxDtype[];
  /** Puts the weights into a file of their own. Default: only above 2 GB, which one ONNX file cannot have. */
  external_data?: boolean;
}

/** Options of {@linkcode exportOnnx}. */
export interface ExportOnnxOptions extends OnnxFilesOptions {
  /** Its files are written too: `pipeline` of transformers.js needs them. */
  tokenizer?: Pick<BertTokenizer, "save_pretrained">;
  /** Called as the files grow. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * The files of an export as streams: config.json and an ONNX file for each form, with the weights' own file where there
 * is one. They read the model when their chunks are asked for, a weight at a time.
 *
 * @param model The model; it stays as it is.
 * @throws {ConfigError} if there is no graph for the model's class, or it has weights that the graph does not.
 */
export function onnxFiles(model: PreTrainedModel, options: OnnxFilesOptions = {}): OnnxFile[] {
  if (typeof model?.named_parameters !== "function") {
    throw new ConfigError(`Cannot export ${model}: a model is wanted`);
  }
  const { dtype = "fp32", external_data } = options,
    files: OnnxFile[] = [],
    external: Record<string, number> = {};
  const tensors = new Map(
    Array.from(model.named_parameters(), ([name, p]) => [name, { shape: p.shape, values: () => p.values() }]),
  );
  for (const form of [dtype].flat()) {
    const { file, type } = formOf(form);
    const graph = modelGraph(model.typeName, model.config, tensors, type), name = file.split("/").at(-1)!;
    const streams = onnxStreams(graph, `${name}_data`, external_data);
    files.push({ name: file, ...streams.model });
    if (streams.data) {
      files.push({ name: `${file}_data`, ...streams.data });
      external[name] = 1;
    }
  }
  const hint = Object.keys(external).length > 0
    ? { "transformers.js_config": { use_external_data_format: external } }
    : {};
  const config = new TextEncoder().encode(JSON.stringify({ ...savedConfig(model), ...hint }, null, 2) + "\n");
  return [{ name: "config.json", byteLength: config.length, chunks: () => [config] }, ...files];
}

/**
 * The model as one ONNX file in memory, to be run at once by onnxruntime-web, for one.
 *
 * @param model The model; it stays as it is.
 * @throws {ConfigError} as {@linkcode onnxFiles}, or if the file would be above 2 GB.
 * @example
 * ```ts
 * import { BertForSequenceClassification, dispose, encodeOnnx } from "@berth/berth";
 * const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2 });
 * const bytes = encodeOnnx(model, { dtype: "q8" });
 * console.log(bytes.length); // ort.InferenceSession.create(bytes)
 * dispose();
 * ```
 */
export function encodeOnnx(
  model: PreTrainedModel,
  options: { dtype?: OnnxDtype } = {},
): Uint8Array<ArrayBuffer> {
  const [, file, data] = onnxFiles(model, options);
  if (data) {
    throw new ConfigError("Cannot make one ONNX file of the model: it has more than 2 GB; use exportOnnx");
  }
  const bytes = new Uint8Array(file.byteLength);
  let at = 0;
  for (const chunk of file.chunks()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * Writes a folder that onnxruntime, optimum and transformers.js run: `onnx/model.onnx` (and `model_quantized.onnx`, ...),
 * config.json, the tokenizer's files. Each is written whole or not at all; a few megabytes of memory are used.
 *
 * Inputs are `input_ids`, `attention_mask` and `token_type_ids`, int64 [batch_size, sequence_length] (for several choices
 * [batch_size, num_choices, sequence_length]); outputs have the names that they have in transformers. Operator set 17.
 *
 * @param model The model; it stays as it is.
 * @param folder Where to; it is made if there is none.
 * @throws {ConfigError} as {@linkcode onnxFiles}; {HubError} if the files cannot be written.
 * @example
 * ```ts
 * import { BertForSequenceClassification, BertTokenizer, dispose, exportOnnx } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2 });
 * await exportOnnx(model, "out/onnx-model", { tokenizer, dtype: ["fp32", "q8"] });
 * // In transformers.js: await pipeline("text-classification", "out/onnx-model", { dtype: "q8" })
 * dispose();
 * ```
 */
export async function exportOnnx(
  model: PreTrainedModel,
  folder: string | URL,
  options: ExportOnnxOptions = {},
): Promise<void> {
  const { tokenizer, onProgress } = options, base = folderUrl(folder), files = onnxFiles(model, options);
  const total = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let done = 0;
  function* counted(chunks: Iterable<Uint8Array>) {
    for (const chunk of chunks) {
      yield chunk;
      onProgress?.(done += chunk.length, total);
    }
  }
  await tokenizer?.save_pretrained(base);
  for (const file of files) await writeFileWhole(new URL(file.name, base), counted(file.chunks()));
}

function formOf(dtype: OnnxDtype): { file: string; type: WeightType } {
  if (Object.hasOwn(FORMS, dtype)) return FORMS[dtype];
  throw new ConfigError(
    `Cannot export with dtype ${JSON.stringify(dtype)}: one of ${Object.keys(FORMS).join(", ")} is wanted`,
  );
}
