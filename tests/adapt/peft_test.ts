/** Adapters of every class and kind of setting both ways: PEFT's loaded here, and those made here loaded by PEFT. */
import { deepStrictEqual, ok, throws } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as berth from "../../mod.ts";
import {
  BertConfig,
  dispose,
  DistilBertConfig,
  get_peft_model,
  init,
  LoraConfig,
  PeftModel,
} from "../../mod.ts";
import { Random } from "../../src/random.ts";
import { largestDifference } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import { hasPython, runPython } from "../helpers/python.ts";

const SHAPE = {
  ...{ vocab_size: 53, hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 31 },
  ...{ max_position_embeddings: 20, num_labels: 4, initializer_range: 0.2 },
};
const INPUTS = {
  input_ids: [[5, 9, 11, 50, 2, 7], [7, 3, 8, 1, 1, 4]],
  attention_mask: [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]],
};

/** Classes, and settings as PEFT's LoraConfig takes them. */
const CASES: [name: string, settings: berth.LoraConfigOptions & Record<string, unknown>][] = [
  ["BertForSequenceClassification", { r: 2, target_modules: "all-linear", task_type: "SEQ_CLS" }],
  ["BertForTokenClassification", {
    target_modules: ["query", "output.dense"],
    task_type: "TOKEN_CLS",
    bias: "all",
  }],
  ["BertForTokenClassification", { target_modules: "all-linear", bias: "lora_only", use_rslora: true }],
  ["BertForQuestionAnswering", { task_type: "QUESTION_ANS", lora_alpha: 3, rank_pattern: { value: 1 } }],
  ["BertForMaskedLM", { target_modules: "all-linear", r: 4 }],
  ["BertForMaskedLM", {
    target_modules: ["dense"],
    modules_to_save: ["LayerNorm"],
    layers_to_transform: [0],
  }],
  ["BertForPreTraining", { target_modules: "all-linear", exclude_modules: ["seq_relationship"] }],
  ["BertForNextSentencePrediction", { modules_to_save: ["cls", "pooler"], bias: "all" }],
  ["BertModel", { task_type: "FEATURE_EXTRACTION", target_modules: ".*layer\\.1\\..*(key|dense)" }],
  ["DistilBertForSequenceClassification", {
    target_modules: ["q_lin", "v_lin"],
    task_type: "SEQ_CLS",
    modules_to_save: ["pre_classifier"],
  }],
  ["DistilBertForTokenClassification", { target_modules: ["lin1", "k_lin"], alpha_pattern: { lin1: 2 } }],
  ["DistilBertForQuestionAnswering", { target_modules: "all-linear" }],
  ["DistilBertForMaskedLM", { target_modules: "all-linear", init_lora_weights: "gaussian" }],
];

type Model = berth.BertForMaskedLM;

const classOf = (name: string) => berth[name as "BertForMaskedLM"];

/** All outputs in one list. */
function outputsOf(model: Model): Float32Array {
  const output = model.eval({ weights: "plain" }).forward(INPUTS);
  const { results } = output as unknown as berth.ModelOutput;
  return Float32Array.from(
    results.filter(({ name }) => name !== "pooler_output")
      .flatMap((
        { name },
      ) => [...(output as unknown as Record<string, berth.MaskedLMOutput["logits"]>)[name].dataSync()]),
  );
}

Deno.test({
  name:
    `${CASES.length} classes and settings: outputs and targets are PEFT's, loaded from it and by it, within 1e-5`,
  ignore: !hasPython("peft"),
  fn: () =>
    withFolder(async (folder) => {
      await init({ threads: 2 });
      const own: Float32Array[] = [], targets: string[][] = [];
      const jobs = [];
      for (const [i, [name, settings]] of CASES.entries()) {
        const at = (part: string) => new URL(`${i}/${part}/`, folder),
          path = (part: string) => fileURLToPath(at(part));
        const config = new (name.startsWith("Distil") ? DistilBertConfig : BertConfig)(SHAPE);
        const model = await classOf(name).from_config(config, { seed: i });
        await model.save_pretrained(at("base"));
        const peft = get_peft_model(model, new LoraConfig(settings), { seed: i }), random = new Random(i);
        for (const parameter of model.parameters().filter(({ requires_grad }) => requires_grad)) {
          parameter.values().forEach((x, k, all) => all[k] = x + random.normal(0, 0.1));
          parameter.markWritten();
        }
        await peft.save_pretrained(at("adapter"));
        own.push(outputsOf(model));
        targets.push(peft.targeted_module_names.toSorted());
        model.dispose();
        const files = { base: path("base"), adapter: path("adapter"), made: path("made") };
        jobs.push({ class: name, ...files, settings, inputs: INPUTS });
      }
      const list = new URL("jobs.json", folder);
      writeFileSync(list, JSON.stringify(jobs));
      const theirs = await runPython(new URL("run_peft.py", import.meta.url), list) as {
        loaded: number[];
        made: number[];
        targets: string[];
      }[];
      for (const [i, { loaded, made, targets: names }] of theirs.entries()) {
        const [name, settings] = CASES[i], place = `${name} ${JSON.stringify(settings)}`;
        deepStrictEqual(targets[i], names, place);
        ok(largestDifference(own[i], loaded) < 1e-5, `${place}: saved here`);
        const model = await classOf(name).from_pretrained(new URL(`${i}/base/`, folder));
        await PeftModel.from_pretrained(model, new URL(`${i}/made/`, folder));
        ok(largestDifference(outputsOf(model), made) < 1e-5, `${place}: made by PEFT`);
        model.dispose();
      }
      dispose();
    }),
});

Deno.test("settings that PEFT has and berth has not are refused by name", () => {
  for (
    const settings of [
      ...[{ use_dora: true }, { lora_bias: true }, { fan_in_fan_out: true }, { init_lora_weights: "pissa" }],
      ...[{ task_type: "CAUSAL_LM" }, { bias: "some" }, { layer_replication: [[0, 2]] }, {
        modules_to_save: "classifier",
      }],
      ...[{ trainable_token_indices: [3] }, { target_parameters: ["weight"] }, { layers_pattern: "blocks" }],
    ]
  ) {
    const [key] = Object.keys(settings);
    throws(() => new LoraConfig(settings as never), (error: Error) => {
      ok(error instanceof berth.ConfigError && error.message.includes(`with ${key} `), String(error));
      return true;
    });
  }
});
