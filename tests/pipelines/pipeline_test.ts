/** Pipelines: shapes, defaults, hostile inputs, what is refused, what is left in memory. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import {
  BertForSequenceClassification,
  BertTokenizer,
  ConfigError,
  DataError,
  dispose,
  DistilBertConfig,
  DistilBertForTokenClassification,
  DistilBertModel,
  pipeline,
  runtime,
  TokenizerError,
} from "../../mod.ts";
import { withFolder } from "../helpers/folder.ts";

const golden = (task: string) => new URL(`golden/${task}/`, import.meta.url);
const SMALL = {
  dim: 16,
  n_layers: 1,
  n_heads: 2,
  hidden_dim: 32,
  vocab_size: 8192,
  max_position_embeddings: 64,
};

Deno.test("one text or many, one label or all: shapes are those of transformers.js", async () => {
  const classify = await pipeline("sentiment-analysis", golden("text-classification"));
  const one = await classify("fine"), many = await classify(["fine", "dull"]);
  deepStrictEqual([one.length, many.length], [1, 2]);
  const all = await classify("fine", { top_k: null }), each = await classify(["fine", "dull"], { top_k: 2 });
  deepStrictEqual([all.length, each.map((labels) => labels.length)], [3, [2, 2]]);
  deepStrictEqual(all[0], one[0]);
  const [pair] = await classify({ text: "fine", text_pair: "dull" });
  ok(pair.score !== one[0].score);
  deepStrictEqual(await classify([]), []);
  strictEqual(classify.task, "text-classification");
  const answer = await pipeline("question-answering", golden("question-answering"));
  const asked = await answer("who?", "a film"),
    listed = await answer(["who?", "what?"], "a film", { top_k: 2 });
  strictEqual("a film".slice(asked.start, asked.end), asked.answer);
  deepStrictEqual(listed.map((answers) => answers.length), [2, 2]);
  deepStrictEqual(await answer({ question: "who?", context: "a film" }), asked);
  dispose();
});

Deno.test("options given to pipeline hold for calls that do not give them", async () => {
  const classify = await pipeline("text-classification", golden("text-classification"), { top_k: 2 });
  strictEqual((await classify("fine")).length, 2);
  strictEqual((await classify("fine", { top_k: null })).length, 3);
  const find = await pipeline("ner", golden("token-classification"), { aggregation_strategy: "simple" });
  ok((await find("a fine film by the director")).every(({ entity_group }) => entity_group !== undefined));
  dispose();
});

Deno.test("batches of any size give the same answers; progress counts the texts; a signal ends the work", async () => {
  const texts = Array.from({ length: 21 }, (_, i) => "a film ".repeat(i + 1));
  const extract = await pipeline("feature-extraction", golden("feature-extraction"), { pooling: "mean" });
  const wanted = (await extract(texts)).tolist<number[][]>();
  for (const batch_size of [1, 4, 100]) {
    const seen: number[] = [];
    const found = await extract(texts, { batch_size, onProgress: (done, total) => seen.push(done / total) });
    found.tolist<number[][]>().forEach((row, i) =>
      row.forEach((x, k) => ok(Math.abs(x - wanted[i][k]) < 1e-5))
    );
    deepStrictEqual([seen.length, seen.at(-1)], [Math.ceil(21 / batch_size), 1]);
  }
  const stop = new AbortController();
  await rejects(
    extract(texts, { batch_size: 1, onProgress: () => stop.abort(new Error("enough")), signal: stop.signal }),
    /enough/,
  );
  dispose();
});

Deno.test("8-bit weights: near the answers of 32 bits, and after training in between still 8 bits", async () => {
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
  const exact = await pipeline("feature-extraction"),
    small = await pipeline("feature-extraction", null, { dtype: "q8" });
  const [a, b] = [await exact("A fine game."), await small("A fine game.")];
  const worst = Math.max(...a.data.map((x, i) => Math.abs(x - b.data[i])));
  ok(worst > 1e-4 && worst < 0.3, `differ by ${worst}`);
  const model = small.model.train();
  const given = await pipeline("feature-extraction", model, { tokenizer, dtype: "int8" });
  deepStrictEqual((await given("A fine game.")).data, b.data);
  strictEqual(model.training, true);
  await given.dispose(); // the model was given: it stays
  model.forward({ input_ids: [[2, 3]] });
  dispose();
});

Deno.test("berth-tiny fills gaps and extracts features without a name; other tasks say what they lack", async () => {
  const fill = await pipeline("fill-mask"),
    [best] = await fill("The [MASK] won the game.") as { token_str: string }[];
  strictEqual(best.token_str, "is"); // what transformers says, too
  const refused = (start: Promise<unknown>, message: RegExp) =>
    rejects(start, (error: Error) => error instanceof ConfigError && message.test(error.message));
  await refused(pipeline("text-classification"), /without a model: berth-tiny has no head/);
  await refused(
    pipeline("ner", "berth-tiny"),
    /of a BertForMaskedLM; train a BertForTokenClassification first/,
  );
  await refused(pipeline("summarization" as "ner"), /one of text-classification, .* is wanted/);
  await refused(
    pipeline("fill-mask", null, { dtype: "fp16" as "fp32" }),
    /dtype "fp16": one of auto, fp32, q8, int8/,
  );
  const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { on_report: () => {} });
  await refused(pipeline("ner", model, { tokenizer: "berth-tiny" }), /of a BertForSequenceClassification/);
  await refused(pipeline("text-classification", model), /its tokenizer is wanted/);
  dispose();
});

Deno.test("a checkpoint of a head that says nothing of its class is refused if the head is missing", () =>
  withFolder(async (folder) => {
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
    const base = await DistilBertModel.from_config(new DistilBertConfig(SMALL));
    await base.save_pretrained(folder);
    await tokenizer.save_pretrained(folder);
    const file = new URL("config.json", folder),
      { architectures: _, ...config } = JSON.parse(await Deno.readTextFile(file));
    await Deno.writeTextFile(file, JSON.stringify(config));
    await rejects(pipeline("question-answering", folder), /another model: it has no qa_outputs.weight/);
    dispose();
  }));

Deno.test("DistilBERT's checkpoints work as BERT's", () =>
  withFolder(async (folder) => {
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
    const model = await DistilBertForTokenClassification.from_config(new DistilBertConfig(SMALL));
    await model.save_pretrained(folder);
    await tokenizer.save_pretrained(folder);
    const find = await pipeline("token-classification", folder),
      found = await find("a film", { ignore_labels: [] });
    deepStrictEqual(found.map(({ word, start, end, index }) => [word, start, end, index]), [["a", 0, 1, 1], [
      "film",
      2,
      6,
      2,
    ]]);
    const { logits } = model.forward(tokenizer(["a film"])), [row] = logits.arraySync()[0].slice(1);
    strictEqual(found[0].entity, `LABEL_${row.indexOf(Math.max(...row))}`);
    dispose();
  }));

Deno.test("hostile inputs: an answer, or an error that says what is wrong", async () => {
  const answer = await pipeline("question-answering", golden("question-answering"));
  await rejects(answer("who?", ""), (e: Error) => e instanceof DataError && /context is ""/.test(e.message));
  await rejects(
    answer({ context: "a" } as never),
    (e: Error) => e instanceof DataError && /question is undefined/.test(e.message),
  );
  await rejects(answer(["a", "b"], ["c"]), /2 questions: there are 1 contexts/);
  await rejects(answer("who ".repeat(100), "a film"), TokenizerError);
  await rejects(answer("who?", "a film", { top_k: 0 }), /top_k 0: a whole number above 0/);
  deepStrictEqual(await answer("who?", " \t"), { answer: "", score: 0, start: 0, end: 0 });
  const words = Array.from({ length: 5000 }, (_, i) => `w${i % 97}`).join(" ");
  const found = await answer("who?", words, { top_k: 3 });
  ok(found.every(({ answer, start, end, score }) => words.slice(start, end) === answer && score > 0));

  const fill = await pipeline("fill-mask", golden("fill-mask"));
  const noGap = (e: Error) => e instanceof DataError && /text 1: it has no \[MASK\] among/.test(e.message);
  await rejects(fill(["[MASK]", ""]), noGap);
  await rejects(fill(["[MASK]", `${"film ".repeat(100)} [MASK]`]), noGap); // cut off
  await rejects(
    fill("[MASK]", { targets: [""] }),
    (e: Error) => e instanceof DataError && /none of them is a token/.test(e.message),
  );

  const find = await pipeline("ner", golden("token-classification"));
  deepStrictEqual(
    await find(["", "[CLS] [SEP]", " "], { ignore_labels: [] }).then((all) => all.map((one) => one.length)),
    [0, 2, 0],
  );
  await rejects(
    find("a", { aggregation_strategy: "last" as never }),
    /one of none, simple, first, average, max/,
  );
  await rejects(find("a", { stride: 4 }), /aggregation_strategy is none/);
  await rejects(find("a", { aggregation_strategy: "simple", stride: 99 }), TokenizerError);
  await rejects(find(7 as never), TokenizerError);

  const classify = await pipeline("text-classification", golden("text-classification"));
  await rejects(classify([null] as never), DataError);
  await rejects(classify("a", { function_to_apply: "tanh" as never }), /tanh/);
  dispose();
});

Deno.test("nothing is left: calls change neither tensors nor the heap, and dispose frees the model", async () => {
  const load = async () =>
    [
      await pipeline("text-classification", golden("text-classification")),
      await pipeline("fill-mask", golden("fill-mask")),
      await pipeline("ner", golden("token-classification"), { aggregation_strategy: "average", stride: 8 }),
      await pipeline("feature-extraction", golden("feature-extraction"), { pooling: "cls" }),
    ] as const;
  const text = "[MASK] is a film ".repeat(30);
  const round = async (pipes: Awaited<ReturnType<typeof load>>) => {
    for (const pipe of pipes) await (pipe as (texts: string[]) => Promise<unknown>)([text, "[MASK]"]);
  };
  const first = await load();
  await round(first);
  const state = () => [tf.memory().numTensors, runtime().heap.bytesInUse];
  const before = state();
  for (let i = 0; i < 3; i++) await round(first);
  deepStrictEqual(state(), before);
  for (const pipe of first) await pipe.dispose();
  const empty = state();
  const second = await load();
  await round(second);
  for (const pipe of second) await pipe.dispose();
  deepStrictEqual(state(), empty);
  dispose();
});
