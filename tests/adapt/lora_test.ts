/** LoRA by itself: gradients against f64, threads, memory, merging, switching, dropout, what is refused. */
import { deepStrictEqual, notDeepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import {
  AdamW,
  BertConfig,
  BertForSequenceClassification,
  bitfit,
  ConfigError,
  dispose,
  freeze,
  get_peft_model,
  init,
  LoraConfig,
  PeftModel,
  plan,
  WeightsError,
} from "../../mod.ts";
import { Random } from "../../src/random.ts";
import { largestDifference } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import { largest } from "../helpers/golden.ts";

const SHAPE = {
  ...{ vocab_size: 97, hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 36 },
  ...{ max_position_embeddings: 80 },
};
const STILL = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
const INPUTS = {
  input_ids: [[1, 2, 3, 4, 5], [6, 7], Array.from({ length: 60 }, (_, i) => i % 97), [96]],
  labels: [0, 1, 0, 1],
};
const EVERYWHERE = new LoraConfig({
  r: 3,
  lora_alpha: 5,
  target_modules: "all-linear",
  task_type: "SEQ_CLS",
});

async function newModel(config = {}): Promise<BertForSequenceClassification> {
  const model = await BertForSequenceClassification.from_config(new BertConfig({ ...SHAPE, ...config }), {
    seed: 3,
  });
  model.seed(11);
  return model;
}

/** An adapter whose matrices B are not zero. */
async function adapted(config = {}, lora = EVERYWHERE) {
  const peft = get_peft_model(await newModel(config), lora, { seed: 4 });
  const random = new Random(8);
  for (const { lora_B } of peft.layers.values()) lora_B.drawNormal(random, 0.2);
  return peft;
}

const logitsOf = (peft: PeftModel<BertForSequenceClassification>) =>
  peft.eval().forward(INPUTS).logits.dataSync().slice() as Float32Array;

Deno.test("a new adapter changes nothing, as B is zero; A is uniform up to 1 / sqrt(inputs)", async () => {
  await init({ threads: 2 });
  const model = await newModel(), before = model.forward(INPUTS).logits.dataSync().slice();
  const peft = get_peft_model(model, EVERYWHERE);
  ok(largestDifference(logitsOf(peft), before as Float32Array) < 1e-6);
  for (const { lora_A, lora_B } of peft.layers.values()) {
    const top = largest(lora_A.weight.values()), bound = 1 / Math.sqrt(lora_A.inputs);
    ok(top <= bound && top > 0.85 * bound, `${top} of ${bound}`);
    strictEqual(largest(lora_B.weight.values()), 0);
  }
  dispose();
});

Deno.test("gradients of A and B are the loss's finite differences, with dropout and without", async () => {
  await init({ threads: 2 });
  for (const lora_dropout of [0, 0.4]) {
    const peft = await adapted(
      STILL,
      new LoraConfig({ r: 3, lora_alpha: 5, target_modules: "all-linear", lora_dropout }),
    );
    const lossOf = () => {
      peft.base_model.seed(21); // the same masks each time
      return peft.train().forward(INPUTS).loss!;
    };
    lossOf();
    peft.backward();
    for (
      const name of ["layer.0.attention.self.query", "layer.1.intermediate.dense", "layer.0.output.dense"]
    ) {
      const layer = peft.layers.get(`bert.encoder.${name}`)!;
      for (const { weight } of [layer.lora_A, layer.lora_B]) {
        const gradient = weight.grad()!, direction = gradient.map((g) => g / Math.sqrt(norm2(gradient)));
        const kept = weight.values().slice(), step = 2e-2;
        const at = (sign: number) => {
          weight.values().set(kept.map((x, i) => x + sign * step * direction[i]));
          weight.markWritten();
          return lossOf();
        };
        const numeric = (at(1) - at(-1)) / (2 * step), slope = Math.sqrt(norm2(gradient));
        at(0);
        ok(Math.abs(numeric - slope) < 2e-2 * slope + 2e-5, `${weight.name}: ${numeric}, expected ${slope}`);
      }
    }
    dispose();
  }
});

const norm2 = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0);

async function trainSome(threads: number, checkpointing = false): Promise<unknown[]> {
  await init({ threads });
  const lora = new LoraConfig({
    r: 4,
    target_modules: "all-linear",
    lora_dropout: 0.2,
    bias: "all",
    task_type: "SEQ_CLS",
  });
  const peft = get_peft_model(await newModel(), lora), seen: unknown[] = [];
  if (checkpointing) peft.base_model.gradient_checkpointing_enable();
  const optimizer = new AdamW(peft.parameters(), { lr: 1e-2 });
  for (let step = 0; step < 5; step++) {
    seen.push(peft.train().forward(INPUTS).loss);
    peft.backward();
    seen.push(optimizer.step({ max_grad_norm: 0.5 }).grad_norm);
    optimizer.zero_grad();
  }
  for (const parameter of peft.parameters()) seen.push(parameter.values().slice());
  dispose();
  return seen;
}

Deno.test("one, two and three threads, and gradient checkpointing, give the same bits, with dropout", async () => {
  const one = await trainSome(1);
  deepStrictEqual(await trainSome(2), one);
  deepStrictEqual(await trainSome(3), one);
  deepStrictEqual(await trainSome(2, true), one);
});

Deno.test("AdamW in the backward pass gives the bits of AdamW after it", async () => {
  await init({ threads: 2 });
  const run = async (fused_backward: boolean) => {
    const peft = await adapted(), optimizer = new AdamW(peft.parameters(), { lr: 1e-2, fused_backward });
    for (let step = 0; step < 3; step++) {
      peft.train().forward(INPUTS);
      peft.backward();
      optimizer.step();
      optimizer.zero_grad();
    }
    return peft.parameters().map((parameter) => parameter.values().slice());
  };
  deepStrictEqual(await run(true), await run(false));
  dispose();
});

Deno.test("merging keeps the outputs, unmerging the weights; the merged model is an ordinary one", async () => {
  await init({ threads: 2 });
  const peft = await adapted(), model = peft.base_model, before = logitsOf(peft);
  const weight = model.get_parameter("bert.encoder.layer.0.attention.self.query.weight"),
    kept = weight.values().slice();
  peft.merge_adapter();
  notDeepStrictEqual(weight.values(), kept);
  ok(largestDifference(logitsOf(peft), before) < 1e-5);
  throws(() => peft.train().forward(INPUTS), /merged into the weights; unmerge_adapter/);
  peft.unmerge_adapter();
  ok(largestDifference(weight.values(), kept) < 1e-6);
  ok(largestDifference(logitsOf(peft), before) < 1e-5);
  strictEqual(peft.merge_and_unload(), model);
  ok(!model.parameters().some(({ name, requires_grad }) => name.includes("lora") || !requires_grad));
  ok(largestDifference(model.eval().forward(INPUTS).logits.dataSync() as Float32Array, before) < 1e-5);
  dispose();
});

Deno.test("an adapted model is saved as an ordinary one that gives the same outputs; the model is not changed", async () => {
  await init({ threads: 2 });
  const peft = await adapted(),
    before = logitsOf(peft),
    weights = peft.parameters().map((p) => p.values().slice());
  await withFolder(async (folder) => {
    await peft.base_model.save_pretrained(folder);
    deepStrictEqual(peft.parameters().map((p) => p.values().slice()), weights);
    const plain = await BertForSequenceClassification.from_pretrained(folder);
    ok(plain.loadReport!.isComplete);
    ok(largestDifference(plain.forward(INPUTS).logits.dataSync() as Float32Array, before) < 1e-5);
  });
  dispose();
});

Deno.test("switched off, the model computes as before, trained head and biases included", async () => {
  await init({ threads: 2 });
  const model = await newModel(), first = model.forward(INPUTS).logits.dataSync().slice();
  const peft = get_peft_model(model, new LoraConfig({ bias: "all", task_type: "SEQ_CLS" }));
  const optimizer = new AdamW(peft.parameters(), { lr: 1e-2 });
  peft.train().forward(INPUTS);
  peft.backward();
  optimizer.step();
  const trained = logitsOf(peft);
  notDeepStrictEqual(trained, first);
  deepStrictEqual(await peft.disable_adapter((own) => own.forward(INPUTS).logits.dataSync().slice()), first);
  deepStrictEqual(logitsOf(peft), trained);
  peft.disable_adapter_layers();
  await rejects(peft.save_pretrained("out/never"), /switched off; enable_adapter_layers/);
  peft.enable_adapter_layers();
  deepStrictEqual(logitsOf(peft), trained);
  peft.unload();
  deepStrictEqual(model.eval().forward(INPUTS).logits.dataSync(), first);
  dispose();
});

Deno.test("steps, merging and unloading leave nothing: tf.memory() and the heap are as before", async () => {
  const { heap } = await init({ threads: 2 });
  const model = await newModel(), seen: unknown[] = [];
  for (let round = 0; round < 4; round++) {
    const peft = get_peft_model(model, EVERYWHERE), optimizer = new AdamW(peft.parameters());
    for (let step = 0; step < 3; step++) {
      peft.train().forward(INPUTS);
      peft.backward();
      optimizer.step();
      optimizer.zero_grad();
    }
    optimizer.dispose();
    peft.merge_and_unload();
    model.eval({ weights: "plain" });
    seen.push([tf.memory().numTensors, heap.bytesInUse, model.runtime.arena.capacity]);
  }
  deepStrictEqual(seen[2], seen[1]);
  deepStrictEqual(seen[3], seen[1]);
  dispose();
});

Deno.test("8-bit weights with an adapter give nearly the same logits", async () => {
  await init({ threads: 2 });
  const peft = await adapted(), exact = logitsOf(peft);
  peft.base_model.eval({ weights: "int8" });
  const rough = peft.base_model.forward(INPUTS).logits.dataSync() as Float32Array;
  ok(largestDifference(rough, exact) < 0.03 * (1 + largest(exact)));
  dispose();
});

Deno.test("frozen parts keep nothing: the plan shows less memory for LoRA, BitFit, and a head alone", async () => {
  const { heap } = await init({ threads: 2 }), config = new BertConfig(SHAPE);
  const recipes = {
    all: () => {},
    lora: (model: BertForSequenceClassification) =>
      void get_peft_model(model, new LoraConfig({ task_type: "SEQ_CLS" })),
    bitfit: (model: BertForSequenceClassification) => void bitfit(model),
    head: (model: BertForSequenceClassification) => void freeze(model, "bert"),
  };
  const needs = new Map<
    string,
    { gradients: number; optimizer: number; activations: number; total: number }
  >();
  for (const [name, adapt] of Object.entries(recipes)) {
    const planned = plan(config, { lengths: [5, 2, 60, 1], threads: 2, adapt: adapt as never }),
      { bytes } = planned;
    needs.set(name, bytes);
    const model = await newModel(), before = heap.bytesInUse;
    adapt(model);
    const own = heap.bytesInUse - before, optimizer = new AdamW(model.parameters());
    model.train().forward(INPUTS);
    model.backward();
    strictEqual(model.runtime.arena.capacity, bytes.activations, name);
    strictEqual(model.num_parameters({ only_trainable: true }), planned.parameters.trainable);
    strictEqual(model.parameters().reduce((sum, p) => sum + p.gradientBytes, 0), bytes.gradients, name);
    optimizer.step();
    strictEqual(
      heap.bytesInUse - before - own - model.runtime.arena.capacity - bytes.gradients,
      bytes.optimizer,
      name,
    );
    optimizer.dispose();
    model.dispose();
  }
  const [all, lora, bits, head] = ["all", "lora", "bitfit", "head"].map((name) => needs.get(name)!);
  for (const less of [lora, bits, head]) {
    ok(less.gradients < 0.2 * all.gradients && less.optimizer < 0.3 * all.optimizer);
    ok(less.total < all.total);
  }
  ok(head.activations < 0.5 * all.activations);
  dispose();
});

Deno.test("configurations that berth has not, and targets that are none, are refused", async () => {
  await init({ threads: 1 });
  const model = await newModel(), count = model.parameters().length;
  for (
    const [options, message] of [
      [{ r: 0 }, /with r 0: a whole number from 1/],
      [{ lora_dropout: 1 }, /lora_dropout 1/],
      [{ use_dora: true }, /use_dora true/],
      [{ peft_type: "IA3" }, /peft_type "IA3"/],
      [{ target_modules: ["quary"] }, /no Linear of it matches \["quary"\]/],
      [{ target_modules: ["word_embeddings"] }, /it is a Embedding, a Linear is wanted/],
      [{ target_modules: "(a*)*b" }, /none of a group/],
      [{ target_modules: ".*".repeat(9) }, /at most 4 repetitions/],
      [{ target_modules: "(" }, /malformed/],
      [{ rank_pattern: { query: 1e9 } }, /rank_pattern/],
    ] as const
  ) {
    throws(() => get_peft_model(model, new LoraConfig(options)), (error) => {
      ok(error instanceof ConfigError && message.test(error.message), String(error));
      return true;
    });
    deepStrictEqual([model.parameters().length, model.extensions.length], [count, 0]);
  }
  get_peft_model(model, new LoraConfig());
  throws(() => get_peft_model(model, new LoraConfig()), /has an adapter already/);
  dispose();
});

Deno.test("files that do not fit are refused, and leave the model as it was", async () => {
  await init({ threads: 1 });
  const peft = await adapted(), other = await newModel({ hidden_size: 12 });
  const before = other.parameters().map((parameter) => parameter.requires_grad);
  await withFolder(async (folder) => {
    await rejects(PeftModel.from_pretrained(other, folder), /has no adapter_config\.json/);
    await peft.save_pretrained(folder);
    await rejects(PeftModel.from_pretrained(other, folder), /its shape is \[3, 24\], expected \[3, 12\]/);
    deepStrictEqual(other.parameters().map((parameter) => parameter.requires_grad), before);
    deepStrictEqual(other.extensions, []);
    const bad = new URL("bad/", folder);
    mkdirSync(bad);
    writeFileSync(new URL("adapter_config.json", bad), '{"peft_type":"LORA","r":4}');
    await rejects(PeftModel.from_pretrained(other, bad), WeightsError);
    writeFileSync(new URL("adapter_model.safetensors", bad), new Uint8Array(40));
    await rejects(PeftModel.from_pretrained(other, bad), WeightsError);
    writeFileSync(new URL("adapter_config.json", bad), "[1]");
    await rejects(PeftModel.from_pretrained(other, bad), ConfigError);
    deepStrictEqual(other.parameters().length, before.length);
  });
  dispose();
});
