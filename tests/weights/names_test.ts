import assert from "node:assert/strict";
import { matchNames } from "../../src/weights/mod.ts";
import { golden } from "./helpers.ts";

interface Cases {
  checkpoints: Record<string, string[]>;
  models: Record<string, string[]>;
  cases: { checkpoint: string; model: string; missing: string[]; unexpected: string[] }[];
}

const { checkpoints, models, cases }: Cases = JSON.parse(new TextDecoder().decode(golden("names.json")));

for (const [checkpoint, names] of Object.entries(checkpoints)) {
  Deno.test(`${checkpoint}: missing and unused names are those of transformers for five models`, () => {
    const chosen = cases.filter((entry) => entry.checkpoint === checkpoint);
    assert.equal(chosen.length, 5);
    for (const { model, missing, unexpected } of chosen) {
      const match = matchNames(names, models[model]);
      assert.deepEqual([...match.missing].sort(), missing, model);
      assert.deepEqual([...match.unused].sort(), unexpected, model);
      assert.equal(match.matched.size, models[model].length - missing.length);
      for (const [parameter, source] of match.matched) {
        assert.ok(names.includes(source.name), `${parameter} comes from ${source.name}`);
        assert.equal(source.transpose, false);
      }
    }
  });
}

function pairs(checkpointNames: string[], parameterNames: string[]): string[] {
  const { matched, unused, missing } = matchNames(checkpointNames, parameterNames);
  const found = Array.from(
    matched,
    ([name, source]) => `${name} < ${source.name}${source.transpose ? " ^T" : ""}`,
  );
  return [...found, ...unused.map((name) => `unused ${name}`), ...missing.map((name) => `missing ${name}`)];
}

const layer = "encoder.layer.0.attention.output.LayerNorm";

Deno.test("gamma and beta of a LayerNorm are weight and bias, and only there", () => {
  assert.deepEqual(
    pairs([`bert.${layer}.gamma`, `bert.${layer}.beta`], [`${layer}.weight`, `${layer}.bias`]),
    [
      `${layer}.weight < bert.${layer}.gamma`,
      `${layer}.bias < bert.${layer}.beta`,
    ],
  );
  assert.deepEqual(pairs(["x.gamma"], ["x.weight"]), ["unused x.gamma", "missing x.weight"]);
});

Deno.test("a name of today wins over an older one, whatever their order", () => {
  const expected = [`${layer}.weight < ${layer}.weight`, `unused ${layer}.weight`];
  assert.deepEqual(pairs([`${layer}.gamma`, `${layer}.weight`], [`${layer}.weight`]), expected);
  assert.deepEqual(pairs([`${layer}.weight`, `bert.${layer}.weight`], [`${layer}.weight`]), expected);
});

Deno.test("the prefix of DataParallel is taken away", () => {
  assert.deepEqual(
    pairs(["module.bert.pooler.dense.bias", "module.classifier.bias"], ["bert.pooler.dense.bias"]),
    [
      "bert.pooler.dense.bias < module.bert.pooler.dense.bias",
      "unused classifier.bias",
    ],
  );
});

Deno.test("the base prefix may be another one", () => {
  const { matched } = matchNames(["encoder.x"], ["backbone.encoder.x"], "backbone");
  assert.equal(matched.get("backbone.encoder.x")!.name, "encoder.x");
});

Deno.test("position_ids and the slots of TensorFlow's optimizer are left out without a word", () => {
  const names = [
    "bert.embeddings.position_ids",
    "position_ids",
    "global_step",
    "bert/pooler/dense/kernel/adam_m",
    "bert/pooler/dense/bias/adam_v",
    "bert/x/AdamWeightDecayOptimizer_1",
  ];
  assert.deepEqual(pairs(names, []), []);
});

Deno.test("TensorFlow's names are understood, and kernels are transposed", () => {
  const names = {
    "bert/embeddings/word_embeddings": "bert.embeddings.word_embeddings.weight",
    "bert/embeddings/token_type_embeddings": "bert.embeddings.token_type_embeddings.weight",
    "bert/embeddings/LayerNorm/gamma": "bert.embeddings.LayerNorm.weight",
    "bert/encoder/layer_0/attention/self/query/kernel": "bert.encoder.layer.0.attention.self.query.weight ^T",
    "bert/encoder/layer_11/output/LayerNorm/beta": "bert.encoder.layer.11.output.LayerNorm.bias",
    "bert/encoder/layer_._3/intermediate/dense/kernel:0": "bert.encoder.layer.3.intermediate.dense.weight ^T",
    "bert/encoder/layer_._3/intermediate/dense/bias:0": "bert.encoder.layer.3.intermediate.dense.bias",
    "bert/pooler/dense/kernel": "bert.pooler.dense.weight ^T",
    "cls/predictions/output_bias": "cls.predictions.bias",
    "cls/predictions/transform/dense/kernel": "cls.predictions.transform.dense.weight ^T",
    "cls/seq_relationship/output_weights": "cls.seq_relationship.weight",
    "cls/seq_relationship/output_bias": "cls.seq_relationship.bias",
  };
  const parameters = Object.values(names).map((name) => name.replace(" ^T", ""));
  const expected = Object.entries(names).map(([tf, name]) =>
    `${name.replace(" ^T", "")} < ${tf}${name.endsWith(" ^T") ? " ^T" : ""}`
  );
  assert.deepEqual(pairs(Object.keys(names), parameters), expected);
});

Deno.test("one tensor serves both names of a tied pair, either way round", () => {
  const word = "bert.embeddings.word_embeddings.weight";
  const decoder = "cls.predictions.decoder";
  const bias = "cls.predictions.bias";
  const model = [word, bias];
  assert.deepEqual(pairs([word, bias, `${decoder}.weight`, `${decoder}.bias`], model), [
    `${word} < ${word}`,
    `${bias} < ${bias}`,
  ]);
  assert.deepEqual(pairs([`${decoder}.weight`, `${decoder}.bias`], model), [
    `${word} < ${decoder}.weight`,
    `${bias} < ${decoder}.bias`,
  ]);
  assert.deepEqual(pairs([`embeddings.word_embeddings.weight`], [word, `${decoder}.weight`, bias]), [
    `${word} < embeddings.word_embeddings.weight`,
    `${decoder}.weight < embeddings.word_embeddings.weight`,
    `missing ${bias}`,
  ]);
  // A model without the head has no place for its decoder.
  assert.deepEqual(pairs([word, `${decoder}.weight`], [word]), [
    `${word} < ${word}`,
    `unused ${decoder}.weight`,
  ]);
});
