/** A head alone: training on kept features is training on a frozen encoder without dropout, without the encoder. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import {
  AdamW,
  BertForSequenceClassification,
  BertTokenizer,
  cacheFeatures,
  dispose,
  freeze,
  init,
  unfreeze,
} from "../../mod.ts";
import { largestDifference } from "../helpers/errors.ts";

const TEXTS = [
  "I love baseball.",
  "What a dull game, and how long it was!",
  "Rain.",
  "The fans cheered.",
  "A win at home.",
];
const LABELS = [1, 0, 0, 1, 1];
const STILL = { num_labels: 2, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, on_report: () => {} };

/** Batches of changing examples. */
const batchOf = (step: number) => [step % 5, (step + 2) % 5, (step + 3) % 5];

async function train(kept: boolean, dropout: number, threads = 2) {
  await init({ threads });
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const model = await BertForSequenceClassification.from_pretrained("berth-tiny", {
    ...STILL,
    classifier_dropout: dropout,
  });
  const cached = kept ? await cacheFeatures(model, tokenizer, TEXTS, { batch_size: 2 }) : undefined;
  freeze(model, "bert");
  model.seed(5);
  model.train();
  const optimizer = new AdamW(model.parameters(), { lr: 1e-2 }), losses: number[] = [];
  const before = model.runtime.flops;
  for (let step = 0; step < 20; step++) {
    const numbers = batchOf(step), labels = numbers.map((i) => LABELS[i]);
    const { loss } = cached?.forward(numbers, labels) ??
      model.forward({ ...tokenizer(numbers.map((i) => TEXTS[i])), labels });
    losses.push(loss!);
    if (cached) cached.backward();
    else model.backward();
    optimizer.step();
    optimizer.zero_grad();
  }
  const flops = model.runtime.flops - before,
    weight = model.get_parameter("classifier.weight").values().slice();
  const logits = model.eval().forward(tokenizer(TEXTS)).logits.dataSync().slice() as Float32Array;
  dispose();
  return { losses, weight, logits, flops };
}

Deno.test("a head trained on kept features is the head trained on the frozen encoder, its dropout included", async () => {
  for (const dropout of [0, 0.3]) {
    const kept = await train(true, dropout), whole = await train(false, dropout);
    ok(largestDifference(kept.losses, whole.losses) < 1e-5, "losses");
    ok(largestDifference(kept.weight, whole.weight) < 1e-4, "weights");
    ok(largestDifference(kept.logits, whole.logits) < 1e-4, "logits");
    ok(kept.flops < 0.01 * whole.flops, "the encoder does not run");
    deepStrictEqual(await train(true, dropout, 1), kept);
  }
});

Deno.test("kept features are refused where they would not follow, or there are none", async () => {
  await init({ threads: 1 });
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const model = await BertForSequenceClassification.from_pretrained("berth-tiny", STILL),
    seen: number[][] = [];
  const cached = await cacheFeatures(model, tokenizer, TEXTS, {
    batch_size: 2,
    onProgress: (...done) => seen.push(done),
  });
  deepStrictEqual(seen, [[2, 5], [4, 5], [5, 5]]);
  strictEqual(cached.length, 5);
  strictEqual(cached.features.length, 5 * model.config.hidden_size);
  throws(() => cached.forward([5], [0]), /features of text 5: there are 5 texts/);
  unfreeze(model, "bert.pooler");
  throws(() => cached.forward([0], [0]), /"bert\.pooler\.dense\.weight" is trained/);
  await rejects(cacheFeatures(model, tokenizer, TEXTS, { batch_size: 0 }), RangeError);
  dispose();
});
