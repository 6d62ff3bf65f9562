/** Small models of every class, exported in every form, with batches and the model's own outputs for them. */
import { writeFileSync } from "node:fs";
import * as berth from "../../mod.ts";
import {
  BertConfig,
  type BertTokenizer,
  DistilBertConfig,
  exportOnnx,
  init,
  type PreTrainedModel,
} from "../../mod.ts";
import { Random } from "../../src/random.ts";

/** A tensor in JSON. */
export interface Values {
  dims: number[];
  data: number[];
}

/** A batch: what goes in, and the model's outputs. */
export interface Batch {
  inputs: Record<string, Values>;
  outputs: Record<string, Values>;
}

const HEADS = [
  ...["Model", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"],
  ...["ForMultipleChoice", "ForMaskedLM", "ForNextSentencePrediction", "ForPreTraining"],
];
/** Names of all classes that have a graph. */
export const CLASSES: string[] = ["Bert", "DistilBert"].flatMap((family) =>
  HEADS.map((head) => family + head).filter((name) => name in berth)
);

/** A new model of a class; its weights are far from zero. */
export async function newModel(name: string, more: object = {}): Promise<PreTrainedModel> {
  await init({ threads: 2 });
  const Config = name.startsWith("Distil") ? DistilBertConfig : BertConfig;
  const config = new Config({
    ...{
      vocab_size: 97,
      hidden_size: 40,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      intermediate_size: 72,
    },
    ...{ max_position_embeddings: 48, initializer_range: 0.2, num_labels: 5, hidden_act: "gelu_new" },
    ...more,
  });
  const Class = berth[name as "BertForMaskedLM"], model = await Class.from_config(config, { seed: 5 });
  const random = new Random(9);
  for (const parameter of model.parameters()) {
    if (parameter.shape.length > 1) continue;
    parameter.values().forEach((value, i, all) => all[i] = value + random.normal(0, 0.2));
    parameter.markWritten();
  }
  return model;
}

/** Sizes [B, T] of batches: all axes of a graph are dynamic. */
const SIZES = [[1, 1], [2, 7], [5, 16], [1, 48]];

/** Batches of all sizes, with holes in their masks, and a model's outputs for them. */
function batchesOf(model: PreTrainedModel, name: string): Batch[] {
  const random = new Random(4), { vocab_size } = model.config;
  const whole = (limit: number) => Math.floor(random.uniform() * limit);
  const hasChoices = name.endsWith("MultipleChoice");
  return SIZES.map(([b, t]) => {
    const rows = (value: (t: number) => number) =>
      Array.from({ length: b }, () => {
        const choices = Array.from({ length: hasChoices ? 3 : 1 }, () =>
          Array.from({ length: t }, (_, i) => value(i)));
        return hasChoices ? choices : choices[0];
      });
    const inputs = {
      input_ids: rows(() => whole(vocab_size)),
      attention_mask: rows((i) => Number(i === 0 || whole(5) > 0)),
      token_type_ids: rows(() => whole(2)),
    };
    const outputs = (model as unknown as { forward(inputs: object): berth.ModelOutput }).forward({
      ...inputs,
      keep_padding: true,
    });
    const read = (key: string): Values => {
      const tensor = outputs[key as "hidden_states"] as unknown as {
        shape: number[];
        dataSync(): Float32Array;
      };
      return { dims: tensor.shape, data: Array.from(tensor.dataSync()) };
    };
    const dims = hasChoices ? [b, 3, t] : [b, t];
    const flat = Object.entries(inputs).map((
      [key, value],
    ) => [key, { dims, data: value.flat(3) as number[] }]);
    return {
      inputs: Object.fromEntries(flat),
      outputs: Object.fromEntries(outputs.results.map((result) => [result.name, read(result.name)])),
    };
  });
}

/**
 * Exports models of all classes into folders of their names, and writes `batches.json` for run_onnx.
 *
 * @returns The batches by the classes' names.
 */
export async function writeExports(folder: URL): Promise<Map<string, Batch[]>> {
  const all = new Map<string, Batch[]>();
  for (const name of CLASSES) {
    const model = await newModel(name), external_data = name === "BertModel";
    await exportOnnx(model, new URL(`${name}/`, folder), {
      dtype: ["fp32", "q8", "int8", "uint8"],
      external_data,
    });
    all.set(name, batchesOf(model, name));
    model.dispose();
  }
  const inputs = Array.from(all, ([name, batches]) => [name, batches.map((batch) => batch.inputs)]);
  writeFileSync(new URL("batches.json", folder), JSON.stringify(Object.fromEntries(inputs)));
  return all;
}

/** Classes of the tasks that transformers.js has pipelines for. */
export const TASKS: Readonly<Record<string, string>> = {
  "text-classification": "ForSequenceClassification",
  "token-classification": "ForTokenClassification",
  "question-answering": "ForQuestionAnswering",
  "fill-mask": "ForMaskedLM",
  "feature-extraction": "Model",
};

/** A model with a tokenizer, exported for pipelines; its folder is named by the class. */
export async function writePipeline(
  folder: URL,
  name: string,
  tokenizer: BertTokenizer,
): Promise<PreTrainedModel> {
  const model = await newModel(name, { vocab_size: tokenizer.length, max_position_embeddings: 128 });
  const external_data = name === "BertModel";
  await exportOnnx(model, new URL(`${name}/`, folder), { dtype: ["fp32", "q8"], tokenizer, external_data });
  return model;
}
