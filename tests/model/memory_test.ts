/** What does not fit is refused with its numbers before anything is taken; frozen parts and checkpointing take less. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { MemoryError } from "../../src/errors.ts";
import "../../src/hub/mod.ts";
import { BertConfig, BertForSequenceClassification, BertModel } from "../../src/model/mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import { AdamW } from "../../src/train/mod.ts";

const SHAPE = {
  ...{ vocab_size: 97, hidden_size: 48, num_hidden_layers: 4, num_attention_heads: 3, intermediate_size: 80 },
  ...{ max_position_embeddings: 600 },
};
const INPUTS = {
  input_ids: [[1, 2, 3, 4, 5], [6, 7], Array.from({ length: 150 }, (_, i) => i % 97), [96]],
  labels: [0, 1, 0, 1],
};

async function newModel(config = {}): Promise<BertForSequenceClassification> {
  await init({ threads: 2 });
  const options = { ...SHAPE, ...config };
  const model = await BertForSequenceClassification.from_config(new BertConfig(options), { seed: 3 });
  model.seed(11);
  return model.train();
}

/** Loss, all gradients and the arena of one step. */
function step(model: BertForSequenceClassification) {
  model.seed(5);
  model.zero_grad();
  const { loss } = model.forward(INPUTS);
  model.backward();
  const gradients = new Map(Array.from(model.named_parameters(), ([name, p]) => [name, p.grad()]));
  return { loss, gradients };
}

/** The arena of one step of a new model whose parameters below a layer are frozen. */
async function arenaOf(
  prepare: (model: BertForSequenceClassification) => void,
  config = {},
): Promise<number> {
  const model = await newModel(config);
  prepare(model);
  step(model);
  const { capacity } = model.runtime.arena;
  dispose();
  return capacity;
}

const freeze = (pattern: RegExp) => (model: BertForSequenceClassification) => {
  for (const [name, parameter] of model.named_parameters()) parameter.requires_grad = !pattern.test(name);
};

Deno.test("gradient checkpointing gives the same bits, dropout included, in a fraction of the memory", async () => {
  const model = await newModel(), plain = step(model);
  model.gradient_checkpointing_enable();
  ok(model.is_gradient_checkpointing);
  deepStrictEqual(step(model), plain);
  model.gradient_checkpointing_disable();
  deepStrictEqual(step(model), plain);
  dispose();
  const deep = { num_hidden_layers: 12 }, all = await arenaOf(() => {}, deep);
  const some = await arenaOf((other) => other.gradient_checkpointing_enable(), deep);
  ok(some < 0.4 * all, `${some} of ${all}`);
});

Deno.test("gradient checkpointing and frozen layers together give the same bits", async () => {
  const model = await newModel(), { gradients: all } = step(model);
  model.gradient_checkpointing_enable();
  for (const pattern of [/embeddings|layer\.[01]/, /query|LayerNorm/, /embeddings|layer\.0\.attention/]) {
    freeze(pattern)(model);
    for (const [name, gradient] of step(model).gradients) {
      deepStrictEqual(gradient, pattern.test(name) ? null : all.get(name), `${pattern}: ${name}`);
    }
  }
  dispose();
});

Deno.test("frozen layers keep nothing: the arena shrinks with each", async () => {
  const arenas: number[] = [];
  for (const pattern of [/$^/, /embeddings/, /embeddings|layer\.0/, /embeddings|layer\.[01]/, /^bert/]) {
    arenas.push(await arenaOf(freeze(pattern)));
  }
  for (let i = 1; i < arenas.length; i++) ok(arenas[i] < arenas[i - 1], `${arenas}`);
  ok(arenas.at(-1)! < 0.35 * arenas[0], `${arenas}`);
  const lowest = await arenaOf(freeze(/embeddings|layer\.0|layer\.1\.attention|layer\.1\.intermediate/));
  ok(
    lowest < arenas[3] + (arenas[2] - arenas[3]) / 2,
    "the lowest layer keeps only what its trained parts need",
  );
});

Deno.test("hidden states of frozen layers are those of trained ones", async () => {
  await init({ threads: 2 });
  const model = await BertModel.from_config(new BertConfig(SHAPE), { seed: 3 });
  const states = () => {
    model.seed(1);
    const { hidden_states } = model.train().forward({ ...INPUTS, output_hidden_states: true });
    return hidden_states.map((tensor) => tensor.dataSync().slice());
  };
  const trained = states();
  for (const parameter of model.parameters()) parameter.requires_grad = false;
  deepStrictEqual(states(), trained);
  strictEqual(trained.length, 5);
  dispose();
});

Deno.test("a parameter that is unfrozen after the forward pass is an error of the backward pass", async () => {
  const model = await newModel();
  freeze(/layer\.0/)(model);
  model.forward(INPUTS);
  model.get_parameter("bert.encoder.layer.0.attention.self.query.bias").requires_grad = true;
  throws(() => model.backward(), /query\.bias" was set after the forward pass; run forward again/);
  model.forward(INPUTS);
  model.backward();
  dispose();
});

Deno.test("a batch that cannot fit is refused with numbers and advice; the model goes on working", async () => {
  const model = await newModel({ hidden_size: 96, intermediate_size: 384, num_hidden_layers: 24 });
  const optimizer = new AdamW(model.parameters()), { heap } = model.runtime;
  const before = heap.bytesInUse, tensors = tf.memory().numTensors;
  const large = { input_ids: new Array(110).fill(new Array(600).fill(1)), labels: new Array(110).fill(0) };
  throws(() => model.forward(large), (error) => {
    ok(error instanceof MemoryError && error.neededBytes > error.freeBytes);
    ok(
      /train on a batch of 110 sequences \(66000 tokens, the longest of 600\): it takes \d+\.\d\d GiB/.test(
        error.message,
      ),
    );
    ok(/gradients \d+\.\d\d MiB, optimizer \d/.test(error.message), error.message);
    ok(/gradient_checkpointing_enable\(\) \(\d\.\d\d GiB\), half as many sequences/.test(error.message));
    return true;
  });
  strictEqual(heap.bytesInUse, before);
  strictEqual(tf.memory().numTensors, tensors);
  throws(() => model.backward(), /needs a forward pass/);
  for (let i = 0; i < 2; i++) {
    ok(Number.isFinite(model.forward(INPUTS).loss));
    model.backward();
    optimizer.step();
    optimizer.zero_grad();
  }
  throws(() => model.forward(large), MemoryError);
  model.forward(INPUTS);
  model.backward();
  dispose();
});

Deno.test("a model whose weights cannot fit is refused before anything is taken or loaded", async () => {
  const { heap } = await init({ threads: 1 }), before = heap.bytesInUse;
  const huge = {
    hidden_size: 8192,
    num_attention_heads: 64,
    intermediate_size: 32768,
    num_hidden_layers: 12,
  };
  await rejects(
    BertModel.from_config(new BertConfig(huge)),
    /Cannot make a BertModel: its weights take 37\.\d\d GiB, and 4\.00 GiB of the 4\.00 GiB that may be in use/,
  );
  await rejects(BertModel.from_pretrained("berth-tiny", huge), MemoryError);
  strictEqual(heap.bytesInUse, before);
  dispose();
});

Deno.test("moments that cannot fit are refused by the first step, with nothing taken", async () => {
  const model = await newModel(), { heap } = model.runtime;
  const optimizer = new AdamW(model.parameters());
  model.forward(INPUTS);
  model.backward();
  const blocks: number[] = [], rest = () => model.runtime.freeBytes;
  while (rest() > 2 ** 30) blocks.push(heap.alloc(2 ** 29));
  blocks.push(heap.alloc(rest() - 600_000));
  const before = heap.bytesInUse, weights = model.parameters().map((p) => p.values().slice());
  throws(
    () => optimizer.step(),
    /AdamW's moments of \d+ parameters take 0\.\d\d MiB \(float32\), and 0\.57 MiB are free/,
  );
  strictEqual(heap.bytesInUse, before);
  deepStrictEqual(model.parameters().map((p) => p.values().slice()), weights);
  for (const block of blocks) heap.free(block);
  optimizer.step();
  dispose();
});
