/** Programs without TypeScript: wrong types, wrong options, calls after dispose, several calls at once. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import * as berth from "../../mod.ts";
import {
  AdamW,
  BertForSequenceClassification,
  BerthError,
  BertTokenizer,
  dispose,
  init,
  pipeline,
  predict,
  SentenceTransformer,
} from "../../mod.ts";
import { withFolder } from "../helpers/folder.ts";

// deno-lint-ignore no-explicit-any
const js = berth as any;

const load = () =>
  BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2, on_report: () => {} });

/** Fails unless the call ends in an error that berth throws on purpose, with such a message. */
async function refused(call: () => unknown, message: RegExp): Promise<void> {
  await rejects(async () => await call(), (error: Error) => {
    ok(error instanceof BerthError || error instanceof RangeError, `${error.name}: ${error.message}`);
    match(error.message, message);
    match(error.message, /^Cannot /);
    return true;
  });
}

Deno.test("wrong types and options are errors that say what is wanted", async () => {
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny"), model = await load();
  // deno-lint-ignore no-explicit-any
  const any = model as any, forward = (inputs?: unknown) => () => any.train().forward(inputs);
  const cases: [call: () => unknown, message: RegExp][] = [
    [() => js.init(null), /with null: options in an object are wanted/],
    [() => js.BertTokenizer.from_pretrained(), /the model undefined: a folder, a URL/],
    [() => js.BertModel.from_pretrained({}), /a folder, a URL, an id on the hub or "berth-tiny" is wanted/],
    [() => js.BertModel.from_config(), /family "undefined", a BertConfig is wanted/],
    [() => js.BertModel.from_config({ hidden_size: 8 }), /family "undefined", a BertConfig is wanted/],
    [forward(), /it was given no inputs; input_ids are wanted/],
    [forward({}), /input_ids: arrays of numbers or a tensor \[B, T\] are wanted/],
    [forward({ input_ids: "abc" }), /input_ids: arrays of numbers/],
    [forward({ input_ids: [[1], null] }), /input_ids: row 1 is null, numbers are wanted/],
    [forward({ input_ids: [["1"]] }), /input_ids\[0\]\[0\] is 1, a whole number/],
    [forward({ input_ids: [[1]], labels: 1 }), /labels is 1, a list of them is wanted/],
    [forward({ input_ids: [[1]], labels: ["a"] }), /label 0 is a, a class from 0 to 1/],
    [
      () => (forward({ input_ids: [[1]], labels: [0] })(), any.backward({ scale: "x" })),
      /the scale x: a finite number/,
    ],
    [() => any.eval({ weights: "int4" }), /"int4" weights: one of packed, int8, plain is wanted/],
    [() => any.load_state_dict({ a: 1 }), /a Map of values by name is wanted/],
    [() => any.save_pretrained(), /the folder undefined: a path or a URL is wanted/],
    [() => js.freeze(model, 5), /parameters by 5: a text, a regular expression or several/],
    [() => new js.AdamW(), /a list of parameters is wanted, such as model\.parameters\(\)/],
    [() => new js.AdamW(model), /a list of parameters is wanted/],
    [
      () => new js.AdamW(model.parameters(), { learning_rate: 1 }),
      /"learning_rate": there is no such option; lr, /,
    ],
    [() => js.predict(model, tokenizer), /they are undefined, a list of texts is wanted/],
    [() => js.predict(model, tokenizer, "abc"), /they are "abc", a list of texts is wanted/],
    [() => js.predict(model, undefined, ["a"]), /there is no tokenizer, that of the model is wanted/],
    [() => js.get_peft_model(model), /no LoraConfig; new LoraConfig/],
    [() => js.get_peft_model(model, { r: 8 }), /no LoraConfig; new LoraConfig/],
    [() => js.asOp({}), /a model is wanted/],
    [() => js.exportOnnx(undefined, "out/never"), /Cannot export undefined: a model is wanted/],
    [() => js.load_dataset(5), /a dataset of 5: a path, a URL, a Blob, bytes or rows/],
  ];
  for (const [call, message] of cases) await refused(call, message);
  const fill = await pipeline("fill-mask");
  // deno-lint-ignore no-explicit-any
  await refused(() => (fill as any)(), /Cannot run fill-mask: there is no input/);
  const sentences = await SentenceTransformer.from_pretrained("berth-tiny", { on_report: () => {} });
  await refused(() => sentences.encode([7] as never), /a text is something else/);
  await refused(() => sentences.encode(5 as never), /they are 5, a list of texts is wanted/);
  await refused(() => void (sentences.pooling_mode = "median" as never), /by median: one of mean, /);
  await refused(() => void (sentences.max_seq_length = -3), /to -3 tokens/);
  strictEqual(model.eval().forward({ input_ids: [[5]] }).logits.size, 2); // none of it did harm
  dispose();
  await refused(
    () => js.init({ profile: "fast" }),
    /the profile fast: one of relaxed, simd, single is wanted/,
  );
});

Deno.test("a model whose weights nobody has set does not run; with drawn ones it does", async () => {
  await init({ threads: 1 });
  const sizes = {
    vocab_size: 9,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 8,
  };
  const model = new BertForSequenceClassification(new berth.BertConfig(sizes));
  await refused(() => model.forward({ input_ids: [[5]] }), /word_embeddings.weight has no values yet/);
  model.initialize(0);
  strictEqual(model.forward({ input_ids: [[5]] }).logits.size, 2);
  dispose();
});

Deno.test("what was disposed says so, in each way of using it; disposing twice does nothing", () =>
  withFolder(async (folder) => {
    const gone = await load(), fill = await pipeline("fill-mask"), optimizer = new AdamW(gone.parameters());
    const batch = { input_ids: [[5, 6]], labels: [1] };
    gone.train().forward(batch);
    const before = (await init()).heap.bytesInUse;
    gone.dispose();
    gone.dispose();
    ok((await init()).heap.bytesInUse < before);
    const disposed = /it was disposed; another one is to be made|its model was disposed/;
    await refused(() => gone.forward(batch), disposed);
    await refused(() => gone.eval().forward(batch), disposed);
    await refused(() => gone.backward(), disposed);
    await refused(() => gone.get_parameter("classifier.weight").values(), disposed);
    await refused(() => gone.save_pretrained(folder), disposed);
    await refused(() => berth.exportOnnx(gone, folder), disposed);
    optimizer.step(); // no parameter has a gradient
    await fill.dispose();
    await refused(() => fill("[MASK]"), disposed);
    const old = await load();
    dispose();
    dispose();
    const ended =
      /the backend that it was made on was ended by dispose\(\)|the backend that it stood on was ended/;
    await refused(() => old.forward(batch), ended);
    await init();
    await refused(() => old.train().forward(batch), ended);
    await refused(() => old.get_parameter("classifier.weight").values(), ended);
    old.dispose();
    strictEqual((await load()).forward({ input_ids: [[5]] }).logits.size, 2);
    dispose();
  }));

Deno.test("pipelines, predictions and models that run at once give what they give one after another", async () => {
  const tokenizer = await BertTokenizer.from_pretrained("berth-tiny"),
    model = await load(),
    other = await load();
  const fill = await pipeline("fill-mask"),
    embed = await pipeline("feature-extraction", null, { pooling: "mean" });
  const texts = Array.from({ length: 70 }, (_, i) => "the [MASK] won ".repeat(1 + i % 9));
  const jobs = [
    () => fill(texts.slice(0, 20), { top_k: 2 }),
    () => fill(texts.slice(20, 40), { top_k: 1, batch_size: 3 }),
    async () => [...(await embed(texts, { batch_size: 7 })).data],
    () => predict(model, tokenizer, texts, { batch_size: 5 }),
    () => predict(model, tokenizer, texts.slice(0, 9), { batch_size: 2 }),
    () => predict(other, tokenizer, texts, { batch_size: 16 }),
  ];
  const alone: unknown[] = [];
  for (const job of jobs) alone.push(await job());
  deepStrictEqual(await Promise.all(jobs.map((job) => job())), alone);
  const stop = new AbortController(),
    [stopped, whole] = [
      predict(model, tokenizer, texts, {
        batch_size: 1,
        signal: stop.signal,
        onProgress: () => stop.abort(),
      }),
      predict(other, tokenizer, texts, { batch_size: 16 }),
    ];
  await rejects(stopped, { name: "AbortError" });
  deepStrictEqual(await whole, alone[5]);
  dispose();
});
