/** Weights for inference, packed or in 8 bits: the same outputs, always the present weights, memory given back. */
import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { BertConfig, BertForSequenceClassification, BertModel, BertTokenizer } from "../../mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { AdamW } from "../../src/train/mod.ts";

const CONFIG = new BertConfig({
  ...{ vocab_size: 97, hidden_size: 48, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 84 },
  ...{ hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
});
const INPUTS = {
  input_ids: [50, 7, 1].map((length) => Array.from({ length }, (_, i) => (i * 31 + length) % 97)),
};

function logitsOf(model: BertForSequenceClassification): number[][] {
  return model.forward(INPUTS).logits.arraySync();
}

function assertClose(actual: number[][], expected: number[][], what: string): void {
  const difference = Math.max(...actual.flatMap((row, b) => row.map((x, k) => Math.abs(x - expected[b][k]))));
  ok(difference < 1e-6, `${what}: logits differ by ${difference}`);
}

Deno.test("packed weights give the outputs of unpacked ones within 1e-6, and the same bits on one thread and several", async () => {
  const packed: number[][][] = [];
  for (const threads of [1, 2, 3]) {
    await init({ threads });
    const model = await BertForSequenceClassification.from_config(CONFIG, { seed: 3 });
    const plain = logitsOf(model.eval({ weights: "plain" }));
    packed.push(logitsOf(model.eval()), logitsOf(model));
    assertClose(packed[0], plain, `${threads} threads`);
    dispose();
  }
  for (const logits of packed) deepStrictEqual(logits, packed[0]);
});

Deno.test("packed weights follow training, loading, assignment and writing in place", async () => {
  await init({ threads: 2 });
  const model = await BertForSequenceClassification.from_config(CONFIG, { seed: 3 });
  const optimizer = new AdamW(model.parameters(), { lr: 1e-2 });
  const weight = model.get_parameter("bert.encoder.layer.0.intermediate.dense.weight");
  const changes = {
    training: () => {
      model.train().forward({ ...INPUTS, labels: [0, 1, 0] });
      model.backward();
      optimizer.step();
      model.eval();
    },
    stepping: () => void optimizer.step(),
    loading: () => {
      const state = new Map(
        Array.from(model.state_dict(), ([name, variable]) => [name, variable.dataSync().slice()] as const),
      );
      state.get(weight.name)!.fill(0.01);
      model.load_state_dict(state as Map<string, Float32Array>);
    },
    assignment: () => tf.tidy(() => weight.variable.assign(tf.fill([...weight.shape], 0.02))),
    writing: () => {
      weight.values().fill(0.03);
      weight.markWritten();
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    const before = logitsOf(model);
    change();
    const after = logitsOf(model);
    notDeepStrictEqual(after, before, name);
    assertClose(after, logitsOf(model.eval({ weights: "plain" })), name);
    model.eval();
  }
  dispose();
});

Deno.test("packed weights take memory at the first forward pass, and give it back for training and at the end", async () => {
  const { heap } = await init({ threads: 2 });
  const start = heap.bytesInUse;
  const model = await BertForSequenceClassification.from_config(CONFIG, { seed: 3 });
  model.eval({ weights: "plain" });
  logitsOf(model), logitsOf(model);
  const plain = heap.bytesInUse;
  logitsOf(model.eval());
  const packed = heap.bytesInUse;
  ok(packed > plain, "a copy takes memory");
  logitsOf(model);
  strictEqual(heap.bytesInUse, packed);
  model.train();
  strictEqual(heap.bytesInUse, plain);
  logitsOf(model.eval());
  model.dispose();
  strictEqual(heap.bytesInUse, start);
  dispose();
});

Deno.test("8-bit weights take a quarter of the memory of packed ones; a trained classifier's answers stay", async () => {
  const { heap } = await init({ threads: 2 });
  const model = await BertForSequenceClassification.from_config(CONFIG, { seed: 3 });
  const optimizer = new AdamW(model.parameters(), { lr: 3e-3 }), labels = [0, 1, 0];
  for (let step = 0; step < 30; step++) {
    model.train().forward({ ...INPUTS, labels });
    model.backward();
    optimizer.step();
    optimizer.zero_grad();
  }
  const before = heap.bytesInUse, exact = logitsOf(model.eval()), packed = heap.bytesInUse - before;
  const rounded = logitsOf(model.eval({ weights: "int8" })), small = heap.bytesInUse - before;
  ok(small < packed / 3, `${small} bytes, packed ${packed}`);
  notDeepStrictEqual(rounded, exact);
  rounded.flat().forEach((x, i) => ok(Math.abs(x - exact.flat()[i]) < 0.05, `${rounded}, exact ${exact}`));
  deepStrictEqual(rounded.map(([no, yes]) => Number(yes > no)), labels);
  dispose();
});

Deno.test("8-bit weights of berth-tiny: sentence vectors point where those of full precision do", async () => {
  const model = await BertModel.from_pretrained("berth-tiny", { on_report: () => {} });
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const texts = ["A fine game.", "The crowd went home early, and nobody was sorry.", "Taxes rose again."];
  const hidden = (weights: "packed" | "int8") => {
    const states = model.eval({ weights }).forward(tokenizer(texts)).last_hidden_state;
    return states.dataSync() as Float32Array;
  };
  const exact = hidden("packed").slice(), rounded = hidden("int8");
  let dot = 0, a = 0, b = 0;
  exact.forEach((x, i) => (dot += x * rounded[i], a += x * x, b += rounded[i] ** 2));
  const cosine = dot / Math.sqrt(a * b);
  ok(cosine > 0.9995 && cosine < 1, `cosine ${cosine}`);
  dispose();
});
