/** Attributions against PyTorch's: golden/attributions.json was made by make_golden.py. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BertTokenizer } from "../../src/hub/mod.ts";
import {
  attributions,
  AutoModelForSequenceClassification,
  type SequenceClassifier,
  type TextOrPair,
} from "../../src/model/mod.ts";
import { dispose } from "../../src/runtime/mod.ts";

interface Case {
  steps: number;
  texts: {
    text: TextOrPair;
    special: boolean[];
    target: number;
    logit: number;
    gradient_x_input: number[];
    integrated_gradients: number[];
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL("golden/attributions.json", import.meta.url), "utf8"),
) as { words: string[]; bert: Case; distilbert: Case };

/** berth-tiny with a classifier whose weights follow the rule of make_golden.py. */
async function tiny(): Promise<SequenceClassifier> {
  const model = await AutoModelForSequenceClassification.from_pretrained("berth-tiny", {
    ...{ num_labels: 3, on_report: () => {} },
  });
  const weight = model.get_parameter("classifier.weight");
  weight.values().forEach((_, i, values) => values[i] = Math.sin(i + 1) * 0.2);
  weight.markWritten();
  return model;
}

const distil = () =>
  AutoModelForSequenceClassification.from_pretrained(
    new URL("../model/golden/distilbert_sequence/", import.meta.url),
  );
const tinyTokenizer = () => BertTokenizer.from_pretrained("berth-tiny");

function near(actual: readonly number[], wanted: readonly number[], what: string): void {
  strictEqual(actual.length, wanted.length, what);
  const size = Math.max(...wanted.map(Math.abs));
  actual.forEach((x, i) => ok(Math.abs(x - wanted[i]) <= 2e-4 * size, `${what} [${i}]: ${x}, ${wanted[i]}`));
}

for (const name of ["bert", "distilbert"] as const) {
  Deno.test(`attributions of ${name} are PyTorch's within 2e-4 of the largest`, async () => {
    const model = await (name === "bert" ? tiny() : distil()), { texts, steps } = golden[name];
    const tokenizer = name === "bert"
      ? await tinyTokenizer()
      : BertTokenizer.from_vocab(golden.words.join("\n"));
    for (const method of ["gradient_x_input", "integrated_gradients"] as const) {
      for (const wanted of texts) {
        const [found] = await attributions(model, tokenizer, [wanted.text], { method, steps });
        strictEqual(found.target, wanted.target);
        ok(Math.abs(found.logit - wanted.logit) < 1e-4 * Math.max(1, Math.abs(wanted.logit)));
        near(
          found.tokens.map(({ score }) => score),
          wanted[method].filter((_, t) => !wanted.special[t]),
          `${method} of "${wanted.text}"`,
        );
        const all = wanted[method].reduce((a, b) => a + b, 0);
        ok(Math.abs(found.total - all) < 1e-3 * Math.max(1e-3, ...wanted[method].map(Math.abs)));
      }
    }
    dispose();
  });
}

Deno.test("words are whole, of their own text, and the sums of their pieces", async () => {
  const [model, tokenizer] = [await tiny(), await tinyTokenizer()];
  const pair = ["The pitching was unbelievably dull!", "Ümlaut, 野球"] as const;
  const [{ words, tokens }] = await attributions(model, tokenizer, [pair]);
  deepStrictEqual(words.map(({ start, end, pair: second }) => pair[Number(second)].slice(start, end)), [
    ...["The", "pitching", "was", "unbelievably", "dull", "!", "Ümlaut", ",", "野", "球"],
  ]);
  ok(tokens.length > words.length);
  for (const { start, end, pair: second, score } of words) {
    const pieces = tokens.filter((t) => t.pair === second && t.start >= start && t.end <= end);
    ok(Math.abs(pieces.reduce((sum, piece) => sum + piece.score, 0) - score) < 1e-12);
  }
  dispose();
});

Deno.test("the scores add up to the difference of the logits as the steps become many", async () => {
  const [model, tokenizer] = [await tiny(), await tinyTokenizer()], text = "I love baseball.";
  const [{ total, logit, target }] = await attributions(model, tokenizer, [text], { steps: 200 });
  const { input_ids } = tokenizer(text);
  const masked = input_ids.map((id) => [2, 3].includes(id) || id < 5 ? id : tokenizer.mask_token_id!);
  const base = (model.forward({ input_ids: [masked] }).logits.arraySync() as number[][])[0][target];
  ok(Math.abs(total - (logit - base)) < 2e-3, `${total} ${logit - base}`);
  dispose();
});

Deno.test("a model is as it was after attributions: weights, gradients, mode, dropout, what is trained", async () => {
  const [model, tokenizer] = [await tiny(), await tinyTokenizer()];
  const batch = { ...tokenizer(["A fine game."]), labels: [1] };
  const lossAfter = (explains: boolean) => async () => {
    model.train().seed(7);
    if (explains) await attributions(model, tokenizer, ["The dull game.", "Rain."]);
    ok(model.training);
    return model.forward(batch).loss;
  };
  model.get_parameter("bert.pooler.dense.weight").requires_grad = false;
  const before = model.get_parameter("bert.embeddings.word_embeddings.weight").values().slice();
  strictEqual(await lossAfter(true)(), await lossAfter(false)());
  deepStrictEqual(model.get_parameter("bert.embeddings.word_embeddings.weight").values(), before);
  deepStrictEqual(
    model.parameters().filter(({ requires_grad }) => !requires_grad).map(({ name }) => name),
    ["bert.pooler.dense.weight"],
  );
  ok(model.parameters().every((parameter) => parameter.grad() === null));
  dispose();
});

Deno.test("attributions refuse steps and classes that there are not", async () => {
  const [model, tokenizer] = [await tiny(), await tinyTokenizer()];
  await rejects(attributions(model, tokenizer, ["a"], { steps: 0 }), RangeError);
  await rejects(attributions(model, tokenizer, ["a"], { targets: [3] }), /Cannot explain class 3/);
  strictEqual(model.training, false);
  deepStrictEqual(await attributions(model, tokenizer, []), []);
  dispose();
});
