/** Whole training steps: the same bits for any number of threads, no growth, modes, freezing, errors. */
import { deepStrictEqual, notDeepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import "../../src/hub/mod.ts";
import { BertConfig, BertForSequenceClassification, BertModel } from "../../src/model/mod.ts";
import { dispose, init, type Profile } from "../../src/runtime/mod.ts";
import { AdamW } from "../../src/train/mod.ts";

const SHAPE = {
  ...{ vocab_size: 97, hidden_size: 48, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 80 },
  ...{ max_position_embeddings: 200 },
};
/** Ragged, with one sequence longer than a block of queries. */
const INPUTS = {
  input_ids: [[1, 2, 3, 4, 5], [6, 7], Array.from({ length: 150 }, (_, i) => i % 97), [96]],
  labels: [0, 1, 0, 1],
};

async function newModel(
  threads: number,
  profile?: Profile,
  config = {},
): Promise<BertForSequenceClassification> {
  await init({ threads, profile });
  const model = await BertForSequenceClassification.from_config(new BertConfig({ ...SHAPE, ...config }), {
    seed: 3,
  });
  model.seed(11);
  return model.train();
}

/** Losses, norms and all weights after a few steps with dropout. */
async function trainSome(threads: number, profile?: Profile): Promise<unknown[]> {
  const model = await newModel(threads, profile), optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  const seen: unknown[] = [];
  for (let step = 0; step < 6; step++) {
    seen.push(model.forward(INPUTS).loss);
    model.backward();
    seen.push(optimizer.step({ max_grad_norm: 0.5 }).grad_norm);
    optimizer.zero_grad();
  }
  for (const [name, parameter] of model.named_parameters()) seen.push(name, parameter.values().slice());
  dispose();
  return seen;
}

for (const profile of ["relaxed", "simd"] as const) {
  Deno.test(`one, two and three threads give the same bits (${profile}), with dropout and clipping`, async () => {
    const one = await trainSome(1, profile);
    deepStrictEqual(await trainSome(2, profile), one);
    deepStrictEqual(await trainSome(3, profile), one);
    if (profile === "simd") deepStrictEqual(await trainSome(1, "single"), one);
  });
}

Deno.test("200 steps of changing lengths: tf.memory(), the heap and the arena do not grow", async () => {
  await init({ threads: 2 });
  const tensorsBefore = tf.memory().numTensors;
  const model = await newModel(2), optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  const step = (i: number) => {
    const length = 1 + (i * 7) % 60;
    const output = model.forward({
      input_ids: [
        Array.from({ length }, (_, j) => (i + j) % 97),
        Array.from({ length: 61 - length }, (_, j) => j),
      ],
      labels: [i % 2, 1],
    });
    output.logits.dataSync();
    model.backward();
    optimizer.step();
    optimizer.zero_grad();
  };
  for (let i = 0; i < 60; i++) step(i);
  const { heap } = model.runtime,
    before = { ...tf.memory(), heap: heap.bytesInUse, arena: model.runtime.arena.capacity };
  for (let i = 60; i < 260; i++) step(i);
  deepStrictEqual({ ...tf.memory(), heap: heap.bytesInUse, arena: model.runtime.arena.capacity }, before);
  model.dispose();
  optimizer.dispose();
  strictEqual(tf.memory().numTensors, tensorsBefore);
  dispose();
});

Deno.test("gradients of two backward passes add up; scale weighs them", async () => {
  const model = await newModel(2, undefined, { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
  const gradients = () => model.parameters().map((p) => p.grad()!);
  const once = (scale?: number) => {
    model.forward(INPUTS);
    model.backward({ scale });
  };
  once();
  const single = gradients();
  model.zero_grad();
  once(0.5);
  once(0.5);
  gradients().forEach((g, i) =>
    g.forEach((x, j) => ok(Math.abs(x - single[i][j]) <= 1e-6 * (1 + Math.abs(x))))
  );
  dispose();
});

Deno.test("frozen parameters keep no gradient and the others' gradients stay the same", async () => {
  const model = await newModel(2);
  const gradients = () => {
    model.seed(5);
    model.zero_grad();
    model.forward(INPUTS);
    model.backward();
    return new Map(Array.from(model.named_parameters(), ([name, p]) => [name, p.grad()]));
  };
  const all = gradients();
  for (const pattern of [/embeddings/, /embeddings|layer\.0/, /query|LayerNorm\.bias/, /^bert/, /bias/]) {
    for (const [name, parameter] of model.named_parameters()) parameter.requires_grad = !pattern.test(name);
    for (const [name, gradient] of gradients()) {
      if (pattern.test(name)) strictEqual(gradient, null, name);
      else deepStrictEqual(gradient, all.get(name), `${pattern}: ${name}`);
    }
  }
  dispose();
});

Deno.test("eval() is without dropout and keeps nothing; train() has new masks each step and the same for a seed", async () => {
  const model = await newModel(2), logits = () => model.forward(INPUTS).logits.dataSync().slice();
  model.eval();
  const quiet = logits();
  deepStrictEqual(logits(), quiet);
  throws(() => model.backward(), /eval mode; call train\(\)/);
  model.train();
  model.seed(1);
  const first = logits(), second = logits();
  notDeepStrictEqual(first, second);
  model.seed(1);
  deepStrictEqual([logits(), logits()], [first, second]);
  dispose();
});

Deno.test("padding and masks do not change the real positions; holes and padding on the left work too", async () => {
  await init({ threads: 2 });
  const model = await BertModel.from_config(new BertConfig(SHAPE), { seed: 1 });
  const ids = [[5, 6, 7], [8, 9, 10, 11, 12]];
  const rows = (inputs: Parameters<BertModel["forward"]>[0]) =>
    model.forward(inputs).last_hidden_state.arraySync();
  const ragged = rows({ input_ids: ids });
  const padded = rows({
    input_ids: [[5, 6, 7, 0, 0], ids[1]],
    attention_mask: [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]],
  });
  deepStrictEqual(padded, ragged);
  const left = rows({
    ...{ input_ids: [[0, 0, 5, 6, 7], ids[1]], attention_mask: [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]] },
    position_ids: [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]],
  });
  deepStrictEqual(left[0].slice(2), ragged[0].slice(0, 3));
  const kept = rows({
    ...{
      input_ids: [[5, 6, 7, 0, 0], ids[1]],
      attention_mask: [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]],
      keep_padding: true,
    },
  });
  deepStrictEqual(kept[0].slice(0, 3), ragged[0].slice(0, 3));
  ok(kept[0][4].some((x) => x !== 0));
  dispose();
});

Deno.test("two models do not disturb each other between forward and backward", async () => {
  const model = await newModel(2), other = await BertModel.from_config(new BertConfig(SHAPE));
  const gradient = (between: () => void) => {
    model.seed(2);
    model.zero_grad();
    model.forward(INPUTS);
    between();
    model.backward();
    return model.parameters().map((p) => p.grad());
  };
  const alone = gradient(() => {});
  deepStrictEqual(gradient(() => void other.train().forward({ input_ids: [[1, 2, 3, 4, 5, 6, 7]] })), alone);
  dispose();
});

Deno.test("batch and label errors say row, column and what is wanted", async () => {
  const model = await newModel(2);
  const fails = (inputs: object, message: RegExp) =>
    throws(() => model.forward({ ...INPUTS, ...inputs }), message);
  fails({ input_ids: [[1, 97]], labels: [0] }, /input_ids\[0\]\[1\] is 97, a whole number from 0 to 96/);
  fails({ input_ids: [[1, 2.5]], labels: [0] }, /input_ids\[0\]\[1\] is 2.5/);
  fails({ input_ids: [], labels: [] }, /empty batch/);
  fails({ input_ids: [[1, 2], []], labels: [0, 1] }, /sequence 1: it has no real token/);
  fails({ input_ids: [new Array(201).fill(1)], labels: [0] }, /position_ids\[0\]\[200\] is 200.*truncate/);
  fails({ attention_mask: [[1]] }, /attention_mask has 1 rows, input_ids has 4/);
  fails({ labels: [0, 1] }, /there are 2 labels, 4 are wanted/);
  fails({ labels: [0, 1, 2, 0] }, /label 2 is 2, a class from 0 to 1 or -100/);
  model.forward({ input_ids: [[1, 2]] });
  throws(() => model.backward(), /forward had no labels/);
  throws(() => model.backward(), /needs a forward pass in training mode/);
  await rejects(BertModel.from_pretrained("no-such-folder"), /no-such-folder/);
  dispose();
});
