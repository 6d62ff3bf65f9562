/** predict: the answers of single forward passes, in the caller's order, whatever the lengths and batches. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { BertConfig, BertForSequenceClassification, BertTokenizer, dispose, predict } from "../../mod.ts";

const WORDS = "the game was long and the crowd loved every minute of it because nobody knew who would win"
  .split(
    " ",
  );
/** Sums of few rows run in another order than those of many; weights of 0.5 and more enlarge what that rounds. */
const TOLERANCE = 5e-5;
/** Lengths in no order, more than one window of batches of 2. */
const TEXTS = Array.from({ length: 150 }, (_, i) => WORDS.slice(i % 5, i % 5 + (i * 7) % 13).join(" "));

async function load(
  options: object = { num_labels: 3 },
): Promise<[BertForSequenceClassification, BertTokenizer]> {
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const config = new BertConfig({
    ...{ vocab_size: tokenizer.vocab_size, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2 },
    ...{ intermediate_size: 64, max_position_embeddings: 64, initializer_range: 0.5, ...options },
  });
  return [await BertForSequenceClassification.from_config(config, { seed: 5 }), tokenizer];
}

Deno.test("predict gives each text's own logits, in the texts' order, for any batch size; progress counts every text", async () => {
  const [model, tokenizer] = await load();
  const alone = TEXTS.map((text) => model.forward(tokenizer([text])).logits.arraySync()[0]);
  for (const batch_size of [1, 2, 32, 500]) {
    const seen: number[] = [];
    const predictions = await predict(model, tokenizer, TEXTS, {
      batch_size,
      onProgress: (done, total) => (seen.push(done), strictEqual(total, TEXTS.length)),
    });
    strictEqual(predictions.length, TEXTS.length);
    predictions.forEach(({ label, score, scores, logits }, i) => {
      logits.forEach((x, k) =>
        ok(Math.abs(x - alone[i][k]) < TOLERANCE, `text ${i}: ${logits}, alone ${alone[i]}`)
      );
      const best = logits.indexOf(Math.max(...logits));
      strictEqual(label, `LABEL_${best}`);
      strictEqual(score, Math.max(...scores));
      ok(Math.abs(scores.reduce((a, b) => a + b) - 1) < 1e-12);
    });
    deepStrictEqual(seen.at(-1), TEXTS.length);
    strictEqual(seen.length, Math.ceil(TEXTS.length / batch_size));
  }
  dispose();
});

Deno.test("predict takes pairs, cuts long texts, and is content with none", async () => {
  const [model, tokenizer] = await load(), long = TEXTS.join(" ");
  const pairs = [["the game", "was long"], ["the crowd", "loved it"]] as const;
  const expected = model.forward(tokenizer(pairs.map((pair) => [...pair]))).logits.arraySync();
  const given = (await predict(model, tokenizer, pairs)).map(({ logits }) => logits);
  given.flat().forEach((x, i) => ok(Math.abs(x - expected.flat()[i]) < TOLERANCE));
  const cut = model.forward(tokenizer([long], { truncation: true, max_length: 64 })).logits.arraySync()[0];
  const [first] = await predict(model, tokenizer, [long]);
  first.logits.forEach((x, k) => ok(Math.abs(x - cut[k]) < TOLERANCE));
  deepStrictEqual(await predict(model, tokenizer, []), []);
  dispose();
});

Deno.test("predict: independent labels have sigmoid scores, regression its value", async () => {
  const [several, tokenizer] = await load({ num_labels: 3, problem_type: "multi_label_classification" });
  for (const { scores, logits } of await predict(several, tokenizer, TEXTS.slice(0, 9))) {
    scores.forEach((score, k) => ok(Math.abs(score - 1 / (1 + Math.exp(-logits[k]))) < 1e-12));
  }
  const [regressor] = await load({ num_labels: 1 });
  for (const { score, scores, logits } of await predict(regressor, tokenizer, TEXTS.slice(0, 9))) {
    deepStrictEqual([score, scores], [logits[0], logits]);
  }
  dispose();
});

Deno.test("predict leaves the model's mode as it was, ends at a signal, and refuses bad sizes", async () => {
  const [model, tokenizer] = await load();
  model.train();
  await predict(model, tokenizer, TEXTS.slice(0, 5));
  strictEqual(model.training, true);
  const stop = new AbortController();
  const stopped = predict(model, tokenizer, TEXTS, {
    batch_size: 10,
    signal: stop.signal,
    onProgress: (done) => done === 30 && stop.abort(new Error("enough")),
  });
  await rejects(stopped, /enough/);
  strictEqual(model.training, true);
  for (const batch_size of [0, -1, 1.5, NaN]) {
    await rejects(predict(model, tokenizer, TEXTS, { batch_size }), /a whole number above 0 is wanted/);
  }
  dispose();
});
