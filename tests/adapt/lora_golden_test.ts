/** LoRA against PEFT: its files read and written, logits, every gradient, 20 steps of AdamW. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { AdamW, BertForSequenceClassification, dispose, PeftModel } from "../../mod.ts";
import { largestDifference } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import { largest } from "../helpers/golden.ts";
import { hasPython, runPython } from "../helpers/python.ts";
import { readTensors, withPrefix } from "../helpers/tensors.ts";

const CASES = ["lora_classifier", "lora_everywhere", "lora_one_layer"];
const withPeft = hasPython("peft");

interface LoraGolden {
  folder: URL;
  inputs: { input_ids: number[][]; attention_mask: number[][]; labels: number[] };
  json: { loss: number; losses: number[]; trainable: number; count: number };
  tensors: Map<string, Float32Array>;
}

async function readCase(name: string): Promise<LoraGolden> {
  const folder = new URL(`golden/${name}/`, import.meta.url);
  const json = JSON.parse(readFileSync(new URL("golden.json", folder), "utf8"));
  const { input_ids, attention_mask, labels } = json;
  const inputs = { input_ids, attention_mask, labels };
  return { folder, inputs, json, tensors: await readTensors(new URL("golden.safetensors", folder)) };
}

async function load({ folder }: LoraGolden) {
  const base = await BertForSequenceClassification.from_pretrained(new URL("base/", folder));
  return await PeftModel.from_pretrained(base, folder, { is_trainable: true });
}

/** A parameter's name as in PEFT's files. */
function peftName(name: string, names: Iterable<string>): string | undefined {
  const candidates = [
    `base_model.model.${name}`,
    `base_model.model.${name.replace(/bias$/, "base_layer.bias")}`,
  ];
  const known = new Set(names);
  return candidates.find((candidate) => known.has(candidate));
}

function logits(peft: PeftModel<BertForSequenceClassification>, { inputs }: LoraGolden): Float32Array {
  return peft.eval().forward(inputs).logits.dataSync() as Float32Array;
}

for (const name of CASES) {
  Deno.test(`${name}: logits, loss and every gradient are PEFT's`, async () => {
    const golden = await readCase(name), peft = await load(golden);
    deepStrictEqual(peft.get_nb_trainable_parameters(), [golden.json.trainable, golden.json.count]);
    const { loss } = peft.train().forward(golden.inputs);
    ok(Math.abs(loss! - golden.json.loss) < 1e-5);
    peft.backward();
    ok(largestDifference(logits(peft, golden), golden.tensors.get("logits")!) < 1e-5);
    const gradients = withPrefix(golden.tensors, "grad.");
    let top = 0;
    for (const gradient of gradients.values()) top = Math.max(top, largest(gradient));
    for (const [own, parameter] of peft.base_model.named_parameters()) {
      const key = peftName(own, gradients.keys()), gradient = parameter.grad();
      strictEqual(gradient !== null, key !== undefined, own);
      if (!gradient) continue;
      const wanted = gradients.get(key!)!;
      // Gradients of key biases are rounding noise in PyTorch.
      const scale = /key\.bias$/.test(own) ? top : largest(wanted);
      ok(largestDifference(gradient, wanted) < 1e-4 * scale, own);
      gradients.delete(key!);
    }
    deepStrictEqual([...gradients.keys()], []);
    dispose();
  });

  Deno.test(`${name}: 20 steps of AdamW are PyTorch's, with gradient checkpointing and without`, async () => {
    const golden = await readCase(name);
    for (const checkpointing of [false, true]) {
      const peft = await load(golden), before = new Map<string, Float32Array>();
      if (checkpointing) peft.base_model.gradient_checkpointing_enable();
      for (const [own, parameter] of peft.base_model.named_parameters()) {
        before.set(own, parameter.values().slice());
      }
      const optimizer = new AdamW(peft.parameters(), { lr: 5e-3, weight_decay: 0.1 });
      peft.train();
      for (const wanted of golden.json.losses) {
        const { loss } = peft.forward(golden.inputs);
        ok(Math.abs(loss! - wanted) < 1e-4 * (1 + wanted), `${loss} ${wanted}`);
        peft.backward();
        optimizer.step();
        optimizer.zero_grad();
      }
      const after = withPrefix(golden.tensors, "after.");
      for (const [own, parameter] of peft.base_model.named_parameters()) {
        const key = peftName(own, after.keys());
        if (key === undefined) deepStrictEqual(parameter.values(), before.get(own), `${own} is frozen`);
        else if (!/key\.bias$/.test(own)) {
          ok(largestDifference(parameter.values(), after.get(key)!) < 1e-4, own);
        }
      }
      dispose();
    }
  });

  Deno.test(`${name}: what is saved has PEFT's names and values`, async () => {
    const golden = await readCase(name), peft = await load(golden);
    await withFolder(async (folder) => {
      await peft.save_pretrained(folder);
      const own = await readTensors(new URL("adapter_model.safetensors", folder));
      const theirs = await readTensors(new URL("adapter_model.safetensors", golden.folder));
      for (const key of theirs.keys()) {
        if (/(modules_to_save|original_module)\./.test(key)) theirs.delete(key);
      }
      deepStrictEqual(own, theirs);
      const again = await BertForSequenceClassification.from_pretrained(new URL("base/", golden.folder));
      const loaded = await PeftModel.from_pretrained(again, folder);
      deepStrictEqual(loaded.base_model.parameters().filter((p) => p.requires_grad), []);
      deepStrictEqual(logits(loaded, golden), logits(peft, golden));
    });
    dispose();
  });
}

Deno.test({
  name: "PEFT loads what was trained and saved here, with equal logits",
  ignore: !withPeft,
  async fn() {
    await withFolder(async (folder) => {
      const own: Float32Array[] = [], paths: URL[] = [];
      for (const name of CASES) {
        const golden = await readCase(name),
          peft = await load(golden),
          { input_ids, attention_mask } = golden.inputs;
        const optimizer = new AdamW(peft.parameters(), { lr: 5e-3 });
        for (let step = 0; step < 5; step++) {
          peft.train().forward(golden.inputs);
          peft.backward();
          optimizer.step();
          optimizer.zero_grad();
        }
        const adapter = new URL(`${name}/`, folder), inputs = new URL("inputs.json", adapter);
        await peft.save_pretrained(adapter);
        writeFileSync(inputs, JSON.stringify({ input_ids, attention_mask }));
        paths.push(new URL("base/", golden.folder), adapter, inputs);
        own.push(logits(peft, golden).slice());
      }
      dispose();
      const theirs = await runPython(new URL("run_lora.py", import.meta.url), ...paths) as number[][][];
      theirs.forEach((rows, i) => ok(largestDifference(own[i], rows.flat()) < 1e-5, CASES[i]));
    });
  },
});
