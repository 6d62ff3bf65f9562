/** Sentence vectors by themselves: pooling and losses against f64, threads, memory, training, few-shot, refusals. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import {
  ConfigError,
  contrastivePairs,
  cosineSimilarity,
  CosineSimilarityLoss,
  DataError,
  dispose,
  init,
  LogisticRegression,
  MultipleNegativesRankingLoss,
  type SentenceLoss,
  SentenceTransformer,
  trainFewShot,
  trainSentences,
  TripletLoss,
} from "../../mod.ts";
import { Arena } from "../../src/runtime/mod.ts";
import { largestDifference, worstError } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import { Memory, randomFloats } from "../helpers/kernels.ts";
import { numericalGradient } from "../reference/layers.ts";
import { poolRows, ranking, squaredCosineErrors, triplet, type VectorLoss } from "../reference/losses.ts";

const FOLDER = new URL("golden/folder/", import.meta.url);
const GAMES = [
  "the game",
  "a great match !",
  "fans won",
  "home run",
  "the team won the long match .",
  "a good game",
];
const RAIN = ["rain", "dull day", "rain all night", "a bad day .", "the long dull rain", "a short night"];

Deno.test("pooling and its gradient match f64 within 1e-6 for 1, 2, 3 threads; masked rows get none", async () => {
  for (const threads of [1, 2, 3]) {
    const runtime = await init({ threads }), memory = new Memory(runtime);
    for (const h of [1, 4, 7, 33]) {
      // (first row, keys, rows): the third sequence has two masked rows.
      const sequences = [[0, 1, 1], [1, 5, 5], [6, 3, 5]], rows = 11, x = randomFloats(rows * h, h);
      const dy = randomFloats(3 * h, 5), table = memory.integers(sequences.flat());
      for (const [number, mode] of (["mean", "max", "mean_sqrt_len_tokens"] as const).entries()) {
        const [px, y, places, pdy, dx] = [
          memory.floats(x),
          memory.floats(3 * h),
          memory.floats(3 * h),
          memory.floats(dy),
          memory.floats(rows * h),
        ];
        runtime.pool.run("pool_forward", 3, 1, y, places, px, table, h, number);
        runtime.pool.run("pool_backward", 3, 1, dx, pdy, places, table, h, number);
        const wanted = new Float64Array(rows * h);
        sequences.forEach(([first, keys], s) => {
          const part = x.subarray(first * h, (first + keys) * h),
            f = (v: Float64Array) => poolRows(v, h, mode);
          ok(
            largestDifference(memory.read(y + s * h * 4, h), f(Float64Array.from(part))) < 1e-6,
            `${mode} ${h}`,
          );
          wanted.set(numericalGradient(f, part, dy.subarray(s * h, (s + 1) * h)), first * h);
        });
        ok(largestDifference(memory.read(dx, rows * h), wanted) < 1e-6, `${mode} ${h}: gradient`);
      }
    }
    memory.free();
    dispose();
  }
});

Deno.test("normalised vectors and their gradient match f64 within 1e-6; a zero vector stays zero", async () => {
  const runtime = await init({ threads: 2 }), memory = new Memory(runtime);
  for (const h of [1, 3, 8, 50]) {
    const n = 4, x = randomFloats(n * h, h + 1), dy = randomFloats(n * h, 2);
    x.fill(0, 0, h);
    const [px, y, inverse, pdy, dx] = [
      memory.floats(x),
      memory.floats(n * h),
      memory.floats(n),
      memory.floats(dy),
      memory.floats(n * h),
    ];
    runtime.pool.run("normalize_forward", n, 1, y, inverse, px, h, 1e-12);
    runtime.pool.run("normalize_backward", n, 1, dx, pdy, y, inverse, h);
    deepStrictEqual(memory.read(y, h), new Float32Array(h));
    for (let i = 1; i < n; i++) {
      const unit = (v: Float64Array) =>
        v.map((value) => value / Math.sqrt(v.reduce((sum, a) => sum + a * a, 0)));
      const row = x.subarray(i * h, (i + 1) * h);
      ok(largestDifference(memory.read(y + i * h * 4, h), unit(Float64Array.from(row))) < 1e-6);
      const wanted = numericalGradient(unit, row, dy.subarray(i * h, (i + 1) * h));
      ok(worstError(memory.read(dx + i * h * 4, h), wanted) < 1e-5, `${h}`);
    }
  }
  memory.free();
  dispose();
});

const LABELS = [0.4, -0.7, 1, 0, 0.3];
const F64: [loss: SentenceLoss, columns: number, of: VectorLoss][] = [
  [new MultipleNegativesRankingLoss(), 2, ranking(20)],
  [new MultipleNegativesRankingLoss({ scale: 3 }), 4, ranking(3)],
  [new CosineSimilarityLoss(), 2, squaredCosineErrors(LABELS)],
  [new TripletLoss({ triplet_margin: 0.3 }), 3, triplet("euclidean", 0.3)],
  [new TripletLoss({ distance_metric: "manhattan", triplet_margin: 1 }), 3, triplet("manhattan", 1)],
  [new TripletLoss({ distance_metric: "cosine", triplet_margin: 0.2 }), 3, triplet("cosine", 0.2)],
];

for (const [loss, columns, of] of F64) {
  Deno.test(`${JSON.stringify(loss)} and its gradient match f64 finite differences, 1 to 5 examples`, async () => {
    const runtime = await init({ threads: 2 });
    runtime.arena = new Arena(runtime.heap);
    for (const [count, size] of [[1, 3], [4, 8], [5, 31]]) {
      runtime.arena.reset();
      const values = randomFloats(columns * count * size, 17 + count),
        vectors = runtime.arena.floats(values.length);
      runtime.heap.f32.set(values, vectors / 4);
      const computed = loss.compute({
        runtime,
        vectors,
        columns,
        count,
        size,
        labels: LABELS.slice(0, count),
      });
      const f = (x: Float64Array) =>
        Float64Array.of(
          of(Array.from({ length: columns * count }, (_, i) => x.slice(i * size, (i + 1) * size)), count),
        );
      const value = f(Float64Array.from(values))[0];
      ok(Math.abs(computed.value - value) < 2e-6 * (1 + value), `${computed.value} ${value}`);
      const gradient = runtime.heap.floats(computed.dvectors, values.length).slice();
      ok(largestDifference(gradient, numericalGradient(f, values, [1], 1e-6)) < 2e-5, `${count} x ${size}`);
    }
    runtime.arena.free();
    dispose();
  });
}

const PAIRS = GAMES.map((text, i) => ({ texts: [text, GAMES[(i + 1) % GAMES.length], RAIN[i]] }));

async function trainOn(threads: number): Promise<unknown> {
  await init({ threads });
  const model = await SentenceTransformer.from_pretrained(FOLDER, { hidden_dropout_prob: 0.1 });
  const losses = await trainSentences(model, PAIRS, new MultipleNegativesRankingLoss(), {
    epochs: 3,
    batch_size: 4,
    learning_rate: 1e-2,
  });
  const vectors = await model.encode([...GAMES, ...RAIN]);
  dispose();
  return [losses, vectors];
}

Deno.test("training on sentences gives the same bits on one, two and three threads", async () => {
  const one = await trainOn(1);
  deepStrictEqual(await trainOn(2), one);
  deepStrictEqual(await trainOn(3), one);
});

Deno.test("training and encoding leave nothing: tf.memory(), heap and arena do not grow", async () => {
  const { heap } = await init({ threads: 2 }), model = await SentenceTransformer.from_pretrained(FOLDER);
  const seen: unknown[] = [];
  for (let round = 0; round < 4; round++) {
    const steps: number[] = [];
    const options = { batch_size: 3, onStep: ({ step }: { step: number }) => steps.push(step) };
    await trainSentences(model, PAIRS, new TripletLoss(), options);
    deepStrictEqual(steps, [1, 2]);
    await model.encode(GAMES, { batch_size: 2 });
    seen.push([tf.memory().numTensors, heap.bytesInUse, model.runtime.arena.capacity]);
  }
  deepStrictEqual(seen[3], seen[1]);
  dispose();
});

Deno.test("few-shot: pairs of each kind, an encoder that tells the classes apart, progress, the signal", async () => {
  const examples = [
    ...GAMES.map((text) => ({ text, label: 1 })),
    ...RAIN.map((text) => ({ text, label: 0 })),
  ];
  const train = examples.filter((_, i) => i % 3 > 0), test = examples.filter((_, i) => i % 3 === 0);
  const pairs = contrastivePairs(train, 3, 1);
  strictEqual(pairs.length, 2 * 3 * train.length);
  const labelOf = new Map(train.map(({ text, label }) => [text, label]));
  for (const { texts: [a, b], label } of pairs) {
    ok(a !== b);
    strictEqual(labelOf.get(a) === labelOf.get(b), label === 1);
  }
  throws(() => contrastivePairs(train.filter(({ label }) => label === 1), 3, 1), /two classes at least/);
  await init({ threads: 2 });
  const model = await SentenceTransformer.from_pretrained("berth-tiny");
  /** How much more alike the vectors of a class are than those of two. */
  const gap = async () => {
    const vectors = await model.encode(train.map(({ text }) => text));
    const mean = (wanted: boolean) => {
      const some = train.flatMap(({ label }, i) =>
        train.flatMap((other, j) =>
          i < j && (label === other.label) === wanted ? [cosineSimilarity(vectors[i], vectors[j])] : []
        )
      );
      return some.reduce((sum, x) => sum + x, 0) / some.length;
    };
    return mean(true) - mean(false);
  };
  const before = await gap(), signal = AbortSignal.abort(new Error("enough")), losses: number[] = [];
  await rejects(trainFewShot(model, train, { signal }), /enough/);
  const onStep = ({ loss }: { loss: number }) => losses.push(loss);
  const gaps = train.map(({ text, label }) => ({ text, label: 2 * label }));
  await rejects(trainFewShot(model, gaps, { onStep }), /all of 0 to K - 1 are wanted/);
  const classifier = await trainFewShot(model, train, { num_iterations: 10, learning_rate: 1e-3, onStep });
  strictEqual(losses.length, 10);
  ok(await gap() > before + 0.3, `${before} ${await gap()}`);
  deepStrictEqual(await classifier.predict(train.map(({ text }) => text)), train.map(({ label }) => label));
  const probabilities = await classifier.predict_proba(test.map(({ text }) => text));
  ok(probabilities.every((p) => Math.abs(p[0] + p[1] - 1) < 1e-12));
  dispose();
});

Deno.test("LogisticRegression finds scikit-learn's coefficients", () => {
  const cases = JSON.parse(readFileSync(new URL("golden/logistic.json", import.meta.url), "utf8"));
  for (const { C, features, labels, coef, intercept, proba } of cases) {
    const model = LogisticRegression.fit(features, labels, { C, tol: 1e-9 }), own = model.coefficients;
    ok(largestDifference(own.coef.flat(), coef.flat()) < 1e-5);
    ok(largestDifference(own.intercept, intercept) < 1e-5);
    ok(largestDifference(model.predict_proba(features.slice(0, 5)).flat(), proba.flat()) < 1e-5);
  }
  throws(() => LogisticRegression.fit([[1], [2]], [0, 2]), DataError);
  throws(() => LogisticRegression.fit([[1], [2]], [0, 0]), /2 at least/);
  throws(() => LogisticRegression.fit([[1], [2, 3]], [0, 1]), /vector 1 has 2 values/);
});

Deno.test("cosineSimilarity of vectors, and of nothing", () => {
  strictEqual(cosineSimilarity([1, 0], [0, 2]), 0);
  ok(Math.abs(cosineSimilarity([1, 1], [3, 3]) - 1) < 1e-12);
  strictEqual(cosineSimilarity([0, 0], [1, 1]), 0);
});

Deno.test("losses say what examples they want; folders with other modules are refused", async () => {
  await init({ threads: 1 });
  const model = await SentenceTransformer.from_pretrained(FOLDER);
  const batch = (columns: number, loss: SentenceLoss, labels?: number[]) =>
    model.train().forward({ input_ids: [[2, 5, 3], [2, 6, 3], [2, 7, 3], [2, 8, 3]], columns, loss, labels });
  throws(
    () => batch(1, new MultipleNegativesRankingLoss()),
    /each example has 1 sentences, an anchor, a positive/,
  );
  throws(() => batch(2, new TripletLoss()), /an anchor, a positive and a negative are wanted/);
  throws(() => batch(2, new CosineSimilarityLoss()), /there are 0 labels, 2 are wanted/);
  throws(() => batch(3, new TripletLoss()), /4 texts make no 3 columns/);
  throws(() => new MultipleNegativesRankingLoss({ scale: 0 }), RangeError);
  await rejects(trainSentences(model, [], new TripletLoss()), /there are no examples/);
  const uneven = [{ texts: ["a", "b"] }, { texts: ["a"] }];
  await rejects(
    trainSentences(model, uneven, new TripletLoss()),
    /example 1 has 1 texts and no label, 2 and no label/,
  );
  await withFolder(async (folder) => {
    await model.save_pretrained(folder);
    const write = (name: string, value: unknown) =>
      writeFileSync(new URL(name, folder), JSON.stringify(value));
    const kinds = ["Transformer", "Pooling"].map((kind, i) => ({
      ...{ idx: i, name: `${i}`, path: i ? "1_Pooling" : "", type: `sentence_transformers.models.${kind}` },
    }));
    write("modules.json", [...kinds, {
      idx: 2,
      name: "2",
      path: "2_Dense",
      type: "sentence_transformers.models.Dense",
    }]);
    await rejects(SentenceTransformer.from_pretrained(folder), ConfigError);
    write("modules.json", [{ ...kinds[0], path: "../other" }, kinds[1]]);
    await rejects(SentenceTransformer.from_pretrained(folder), /"\.\."/);
    write("modules.json", kinds.toReversed());
    await rejects(SentenceTransformer.from_pretrained(folder), /in this order/);
    write("modules.json", { modules: 3 });
    await rejects(SentenceTransformer.from_pretrained(folder), ConfigError);
    write("modules.json", kinds);
    for (
      const pooling of [{ pooling_mode: ["mean", "max"] }, { pooling_mode_lasttoken: true }, {
        include_prompt: false,
      }]
    ) {
      write("1_Pooling/config.json", pooling);
      await rejects(SentenceTransformer.from_pretrained(folder), ConfigError);
    }
    // The older layout: the transformer in a folder of its own.
    mkdirSync(new URL("0_Transformer", folder));
    const files = [
      "config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
      "sentence_bert_config.json",
    ];
    for (const name of files.filter((name) => existsSync(new URL(name, folder)))) {
      writeFileSync(new URL(`0_Transformer/${name}`, folder), readFileSync(new URL(name, folder)));
    }
    write("modules.json", [{ ...kinds[0], path: "0_Transformer" }, kinds[1]]);
    write("1_Pooling/config.json", { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false });
    const old = await SentenceTransformer.from_pretrained(folder);
    deepStrictEqual([old.pooling_mode, old.max_seq_length], ["cls", 14]);
  });
  dispose();
});
