/** Freezing, parameter groups, layer-wise learning rates, BitFit: the right tensors move by the right amounts. */
import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  AdamW,
  BertConfig,
  BertForSequenceClassification,
  BertModel,
  bitfit,
  dispose,
  freeze,
  init,
  parameterGroups,
  reinitialize,
  unfreeze,
} from "../../mod.ts";
import { largestDifference } from "../helpers/errors.ts";
import { readTensors, withPrefix } from "../helpers/tensors.ts";

const FOLDER = new URL("golden/partial/", import.meta.url);
const GOLDEN = JSON.parse(readFileSync(new URL("golden.json", FOLDER), "utf8"));
const { input_ids, attention_mask, labels } = GOLDEN;
const AFTER = await readTensors(new URL("after.safetensors", FOLDER));
const newModel = () => BertForSequenceClassification.from_pretrained(FOLDER);

/** Trains as the golden run did; every tensor must end where PyTorch's did, those that are frozen where they were. */
function trainLike(recipe: string, model: BertForSequenceClassification, optimizer: AdamW): void {
  const before = new Map(Array.from(model.named_parameters(), ([name, p]) => [name, p.values().slice()]));
  const after = withPrefix(AFTER, `${recipe}.`);
  model.train();
  for (const wanted of GOLDEN.losses[recipe]) {
    const { loss } = model.forward({ input_ids, attention_mask, labels });
    ok(Math.abs(loss! - wanted) < 1e-4 * (1 + wanted), `${loss} ${wanted}`);
    model.backward();
    optimizer.step();
    optimizer.zero_grad();
  }
  for (const [name, parameter] of model.named_parameters()) {
    const wanted = after.get(name);
    strictEqual(parameter.requires_grad, wanted !== undefined, name);
    if (!wanted) deepStrictEqual(parameter.values(), before.get(name), name);
    // The key biases' gradient is rounding noise, which AdamW turns into steps.
    else if (!name.endsWith("key.bias")) ok(largestDifference(parameter.values(), wanted) < 2e-5, name);
  }
}

Deno.test("layer-wise learning rates: 12 steps move every tensor as PyTorch moves it", async () => {
  const model = await newModel();
  const groups = parameterGroups(model, { lr: 2e-3, weight_decay: 0.1, layer_decay: 0.8 });
  trainLike("layer_decay", model, new AdamW(groups));
  dispose();
});

Deno.test("BitFit: 12 steps move biases and the classifier as PyTorch moves them, and nothing else", async () => {
  const model = await newModel(), report = bitfit(model);
  const trained = Array.from(model.named_parameters()).filter(([, p]) => p.requires_grad).map(([name]) =>
    name
  );
  ok(trained.every((name) => name.endsWith("bias") || name === "classifier.weight"));
  deepStrictEqual(report.trainable, {
    parameters: trained.length,
    weights: model.num_parameters({ only_trainable: true }),
  });
  strictEqual(report.changed, report.total.parameters - trained.length);
  trainLike("bitfit", model, new AdamW(parameterGroups(model, { lr: 5e-3, weight_decay: 0.1 })));
  dispose();
});

Deno.test("a head on a frozen encoder moves as PyTorch moves it", async () => {
  const model = await newModel();
  freeze(model, "bert");
  trainLike("head_only", model, new AdamW(parameterGroups(model, { lr: 2e-2, weight_decay: 0.1 })));
  dispose();
});

Deno.test("parameterGroups: names, rates, decays; frozen parameters are left out, every other is in one group", async () => {
  const model = await newModel();
  freeze(model, "bert.embeddings.word_embeddings");
  const groups = parameterGroups(model, {
    ...{ lr: 1, weight_decay: 0.3, layer_decay: 0.5, rates: [{ match: "classifier", lr: 9 }] },
  });
  deepStrictEqual(
    groups.map(({ name, lr, weight_decay }) => [name, lr, weight_decay]),
    [
      ["head", 1, 0.3],
      ["head without decay", 1, 0],
      ["head", 9, 0.3],
      ["head without decay", 9, 0],
      ...[2, 1, 0].flatMap((
        i,
      ) => [[`layer ${i}`, 0.5 ** (3 - i), 0.3], [`layer ${i} without decay`, 0.5 ** (3 - i), 0]]),
      ["embeddings", 0.5 ** 4, 0.3],
      ["embeddings without decay", 0.5 ** 4, 0],
    ],
  );
  const all = groups.flatMap(({ params }) => params),
    trained = model.parameters().filter((p) => p.requires_grad);
  strictEqual(all.length, trained.length);
  deepStrictEqual(new Set(all), new Set(trained));
  const plain = parameterGroups(model);
  deepStrictEqual(plain.map(({ name, lr, weight_decay }) => [name, lr, weight_decay]), [
    ["parameters", undefined, 0.01],
    ["parameters without decay", undefined, 0],
  ]);
  ok(plain[1].params.every(({ name }) => /bias$|LayerNorm\.weight$/.test(name)));
  ok(plain[0].params.every(({ name }) => /weight$/.test(name) && !/LayerNorm/.test(name)));
  throws(() => parameterGroups(model, { layer_decay: 0.9 }), /layer_decay 0\.9 without lr/);
  throws(() => parameterGroups(model, { layer_decay: 0 }), RangeError);
  dispose();
});

Deno.test("freeze and unfreeze take names, modules, globs and expressions, and say what is trained", async () => {
  await init({ threads: 1 });
  const model = await newModel(), count = model.parameters().length;
  const trained = () =>
    Array.from(model.named_parameters()).filter(([, p]) => p.requires_grad).map(([name]) => name);
  strictEqual(freeze(model, "bert.encoder.layer.1").changed, 16);
  ok(!trained().some((name) => name.includes("layer.1.")));
  const report = unfreeze(model, "*layer.1*.bias");
  strictEqual(report.changed, 8);
  deepStrictEqual(report.total, { parameters: count, weights: model.num_parameters() });
  deepStrictEqual(report.trainable.parameters, trained().length);
  strictEqual(freeze(model, /./g).trainable.parameters, 0); // a global expression keeps no place
  deepStrictEqual(unfreeze(model, ["classifier.weight", /pooler.*bias/]).changed, 2);
  deepStrictEqual(trained(), ["bert.pooler.dense.bias", "classifier.weight"]);
  throws(() => freeze(model, "bert.encoder.layers"), /no parameter of that name/);
  throws(() => unfreeze(model, "classifier.weigh"), RangeError);
  dispose();
});

Deno.test("reinitialize draws the top layers and the pooler, and leaves the rest", async () => {
  const model = await newModel();
  const before = new Map(Array.from(model.named_parameters(), ([name, p]) => [name, p.values().slice()]));
  const drawn = new Set(reinitialize(model, 2, { seed: 5 }));
  strictEqual(drawn.size, 34);
  for (const [name, parameter] of model.named_parameters()) {
    ok(drawn.has(name) === /layer\.[12]\.|pooler/.test(name), name);
    if (!drawn.has(name)) deepStrictEqual(parameter.values(), before.get(name));
    else notDeepStrictEqual(parameter.values(), before.get(name), name);
  }
  ok(model.get_parameter("bert.encoder.layer.2.output.LayerNorm.weight").values().every((x) => x === 1));
  ok(model.get_parameter("bert.encoder.layer.1.output.dense.bias").values().every((x) => x === 0));
  const weights = model.get_parameter("bert.encoder.layer.1.intermediate.dense.weight").values();
  const deviation = Math.sqrt(weights.reduce((sum, x) => sum + x * x, 0) / weights.length);
  ok(Math.abs(deviation - 0.02) < 0.003, `${deviation}`);
  ok(!reinitialize(model, 1, { pooler: false }).some((name) => name.includes("pooler")));
  throws(() => reinitialize(model, 4), /from 0 to 3 is wanted/);
  dispose();
});

Deno.test("a bare encoder has no head: BitFit trains its biases only", async () => {
  await init({ threads: 1 });
  const shape = {
    vocab_size: 20,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 8,
  };
  const model = await BertModel.from_config(new BertConfig(shape));
  bitfit(model, { also: "pooler" });
  for (const [name, parameter] of model.named_parameters()) {
    strictEqual(parameter.requires_grad, /bias$|^pooler/.test(name), name);
  }
  dispose();
});
