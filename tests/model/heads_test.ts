/** What holds for every head: bits, memory, plans, weights of inference, files. */
import "../../src/hub/mod.ts";
import {
  deepStrictEqual,
  match,
  notDeepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import * as models from "../../src/model/mod.ts";
import { dispose, init } from "../../src/runtime/mod.ts";
import type { Tensor } from "../../src/runtime/tensor.ts";
import { AdamW, plan } from "../../src/train/mod.ts";
import { largestDifference } from "../helpers/errors.ts";
import { withFolder } from "../helpers/folder.ts";
import type { Model } from "../helpers/golden_model.ts";
import { BERT, DISTILBERT, HEADS, newModel } from "../helpers/heads.ts";

const LENGTHS = [9, 4, 130, 1];

/** Losses and all weights after three steps with dropout. */
function trainSome(model: Model, inputs: models.ModelInputs): unknown[] {
  model.train().seed(11);
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 }), seen: unknown[] = [];
  for (let step = 0; step < 3; step++) {
    seen.push(model.forward(inputs).loss);
    model.backward();
    optimizer.step({ max_grad_norm: 0.5 });
    optimizer.zero_grad();
  }
  for (const [name, parameter] of model.named_parameters()) seen.push(name, parameter.values().slice());
  optimizer.dispose();
  return seen;
}

/** All outputs' values. */
function outputsOf(model: Model, inputs: models.ModelInputs): Float32Array {
  const output = model.forward(inputs);
  const read = ({ name }: { name: string }) =>
    (output[name as keyof typeof output] as unknown as Tensor).dataSync();
  return Float32Array.from(output.results.flatMap((result) => [...read(result)]));
}

for (const head of HEADS) {
  Deno.test(`${head.name}: one, two and three threads and gradient checkpointing give the same bits`, async () => {
    const runs: unknown[][] = [];
    for (const threads of [1, 2, 3]) {
      await init({ threads });
      for (const checkpointing of threads === 2 ? [false, true] : [false]) {
        const model = await newModel(head);
        if (checkpointing) model.gradient_checkpointing_enable();
        runs.push(trainSome(model, head.inputs(LENGTHS)));
      }
      dispose();
    }
    ok(Number.isFinite(runs[0][0]));
    for (const run of runs) deepStrictEqual(run, runs[0]);
  });

  Deno.test(`${head.name}: memory stays over steps; its plan is exact`, async () => {
    const runtime = await init({ threads: 2 }), model = (await newModel(head)).train();
    const before = tf.memory().numTensors, optimizer = new AdamW(model.parameters());
    const step = (lengths: number[]) => {
      model.forward(head.inputs(lengths));
      model.backward();
      optimizer.step();
      optimizer.zero_grad();
    };
    const sizes = () => ({
      ...tf.memory(),
      heap: runtime.heap.bytesInUse,
      arena: model.runtime.arena.capacity,
    });
    for (const training of [true, false]) {
      const planned = plan(head.config, { model: head.ModelClass, lengths: LENGTHS, training, threads: 2 });
      const flops = runtime.flops;
      if (training) step(LENGTHS);
      else {
        const { input_ids } = head.inputs(LENGTHS);
        outputsOf(model.eval(), { input_ids });
      }
      strictEqual(runtime.flops - flops, planned.flops.step);
      if (training) {
        strictEqual(runtime.arena.capacity, planned.bytes.activations);
        const known = sizes();
        for (let i = 0; i < 40; i++) step([1 + i % 9, 4, 130 - i, 1]);
        deepStrictEqual(sizes(), known);
      }
    }
    model.forward({ input_ids: head.inputs([3]).input_ids });
    strictEqual(tf.memory().numTensors, before);
    dispose();
  });

  Deno.test(`${head.name}: packed and 8-bit weights; saved and loaded again`, () =>
    withFolder(async (folder) => {
      await init({ threads: 2 });
      const model = await newModel(head), inputs = head.inputs([9, 4, 30, 1]);
      for (const parameter of model.parameters()) {
        parameter.values().forEach((x, i, values) => values[i] = x + Math.sin(i) / 20);
        parameter.markWritten();
      }
      const plain = outputsOf(model.eval({ weights: "plain" }), inputs);
      ok(largestDifference(outputsOf(model.eval(), inputs), plain) < 2e-6);
      const rounded = outputsOf(model.eval({ weights: "int8" }), inputs);
      notDeepStrictEqual(rounded, plain);
      ok(largestDifference(rounded, plain) < 0.05);
      await model.save_pretrained(folder);
      const again = await (head.ModelClass as unknown as typeof models.BertForMaskedLM).from_pretrained(
        folder,
        {
          on_report: (report) => ok(report.isComplete, String(report)),
        },
      );
      deepStrictEqual(outputsOf(again.eval({ weights: "plain" }), inputs), plain);
      dispose();
    }));
}

Deno.test("a masked language model scores all tokens when they are read, and trains on a loss of one's own", async () => {
  await init({ threads: 2 });
  const model = (await models.BertForMaskedLM.from_config(BERT, { seed: 1 })).train(), v = 61;
  const input_ids = [[1, 2, 3, 4], [5, 6]], labels = [[-100, 7, -100, 9], [8, -100]];
  const gradients = () => model.parameters().map((parameter) => parameter.grad()!);
  model.seed(2);
  const { loss } = model.forward({ input_ids, labels });
  model.backward();
  const wanted = gradients();
  model.zero_grad();
  model.seed(2);
  const output = model.forward({ input_ids, labels }), scores = output.logits.arraySync();
  deepStrictEqual(output.logits.shape, [2, 4, v]);
  let sum = 0;
  const dlogits = scores.map((rows, b) =>
    rows.map((row, t) => {
      const label = labels[b][t] ?? -100, top = Math.max(...row);
      if (label === -100) return row.map(() => 0);
      const total = row.reduce((all, x) => all + Math.exp(x - top), 0);
      sum += Math.log(total) + top - row[label];
      return row.map((x, j) => (Math.exp(x - top) / total - Number(j === label)) / 3);
    })
  );
  ok(Math.abs(loss! - sum / 3) < 1e-5);
  model.backward({ logits: dlogits.flat(2) });
  gradients().forEach((gradient, i) =>
    ok(largestDifference(gradient, wanted[i]) < 1e-5, model.parameters()[i].name)
  );
  // Scores that were not read: nothing of the pass before may serve this one.
  const other = [[11, 12, 13, 14], [15, 16]];
  const direct = (read: boolean) => {
    model.zero_grad();
    model.seed(2);
    const output = model.forward({ input_ids: other });
    if (read) void output.logits;
    model.backward({ logits: dlogits.flat(2) });
    return gradients();
  };
  deepStrictEqual(direct(false), direct(true));
  model.forward({ input_ids, labels: [[-100, -100, -100, -100], [-100, -100]] });
  model.backward();
  const late = model.forward({ input_ids, labels });
  model.backward();
  model.parameters()[0].markWritten();
  throws(() => late.logits, /Cannot read logits: the weights were changed since the forward pass/);
  dispose();
});

Deno.test("a masked language model trains on rows that are all padded, with more labels than the first has tokens", async () => {
  await init({ threads: 2 });
  const row = (id: number) => [id, id + 1, 3, ...new Array<number>(9).fill(0)], real = row(1).map(Math.sign);
  const padded = [row(1), row(4), row(7)].map((ids) => ({ ids, labels: ids.map((id) => id || -100) }));
  const input_ids = padded.map(({ ids }) => ids), labels = padded.map(({ labels }) => labels);
  for (const name of ["BertForMaskedLM", "DistilBertForMaskedLM", "BertForPreTraining"]) {
    const head = HEADS.find((one) => one.name === name)!,
      lossOf = async (inputs: object) => {
        const model = (await newModel(head)).train();
        model.seed(1);
        const { loss } = model.forward(inputs as never);
        model.backward();
        return loss!;
      };
    const cut = (rows: number[][]) => rows.map((ids) => ids.slice(0, 3));
    const wanted = await lossOf({ input_ids: cut(input_ids), labels: cut(labels) });
    strictEqual(await lossOf({ input_ids, labels, attention_mask: [real, real, real] }), wanted);
  }
  dispose();
});

Deno.test("resize_token_embeddings: old rows stay, new ones are drawn, the tied decoder and its bias follow", async () => {
  await init({ threads: 2 });
  for (
    const name of [
      "BertForMaskedLM",
      "DistilBertForMaskedLM",
      "BertForPreTraining",
      "BertForTokenClassification",
    ]
  ) {
    const head = HEADS.find((one) => one.name === name)!, { inputs } = head;
    const config = Object.assign(Object.create(Object.getPrototypeOf(head.config)), head.config);
    const model = await newModel({ ...head, config }), batch = inputs([9, 4]), { input_ids } = batch;
    model.eval({ weights: "plain" });
    const hidden = () => {
      const [first] = model.forward({ input_ids, output_hidden_states: true } as never).hidden_states.slice(
        -1,
      );
      return first.dataSync().slice();
    };
    const before = hidden();
    strictEqual(model.resize_token_embeddings(70, { pad_to_multiple_of: 8 }), 72);
    strictEqual(config.vocab_size, 72);
    deepStrictEqual(hidden(), before);
    const sized = model.parameters().filter(({ shape }) => shape[0] === 72);
    strictEqual(sized.length, /Token/.test(name) ? 1 : 2);
    const values = sized[0].values().subarray(61 * 24),
      spread = Math.hypot(...values) / Math.sqrt(values.length);
    ok(spread > 0.015 && spread < 0.025, `${spread}`);
    const optimizer = new AdamW(model.parameters());
    const labels = /Token/.test(name) ? [[-100, 1, 2], [3]] : [[-100, 71, 70], [3]];
    model.train().forward({ ...batch, input_ids: [[1, 71, 70], [65]], labels } as never);
    model.backward();
    optimizer.step();
    throws(() => model.resize_token_embeddings(61), /an optimizer was made for it/);
    optimizer.dispose();
    model.zero_grad();
    model.eval().resize_token_embeddings(61);
    ok(hidden().every(Number.isFinite));
    throws(() => model.forward({ input_ids: [[61]] }), /a whole number from 0 to 60/);
    throws(() => model.resize_token_embeddings(0), /a vocabulary of 0: a whole number above 0/);
  }
  dispose();
});

Deno.test("a span extractor has two scores, whatever labels its configuration has, and its files say so", () =>
  withFolder(async (folder) => {
    await init({ threads: 1 });
    const model = await newModel(HEADS.find(({ name }) => name === "BertForQuestionAnswering")!);
    strictEqual(model.config.num_labels, 4);
    await model.save_pretrained(folder);
    const again = await models.BertForQuestionAnswering.from_pretrained(folder);
    deepStrictEqual([again.config.num_labels, again.loadReport!.isComplete], [2, true]);
    dispose();
  }));

Deno.test("AutoModels take the class of the checkpoint's family, and refuse others", () =>
  withFolder(async (folder) => {
    await init({ threads: 2 });
    for (const head of HEADS.filter(({ name }) => !/PreTraining|NextSentence/.test(name))) {
      await (await newModel(head)).save_pretrained(folder);
      const auto = head.name.replace(/^(Distil)?Bert/, "AutoModel") as "AutoModelForMaskedLM";
      strictEqual((await models[auto].from_pretrained(folder)).typeName, head.name);
      strictEqual((await models[auto].from_config(head.config)).typeName, head.name);
    }
    strictEqual((await models.AutoModel.from_config(DISTILBERT)).typeName, "DistilBertModel");
    await rejects(
      models.BertModel.from_pretrained(folder),
      /model_type "distilbert": the classes of that family/,
    );
    await rejects(models.BertModel.from_config(DISTILBERT), /family "distilbert", a BertConfig is wanted/);
    await rejects(models.DistilBertModel.from_config(BERT), /family "bert", a DistilBertConfig is wanted/);
    writeFileSync(new URL("config.json", folder), '{"model_type": "roberta"}');
    await rejects(
      models.BertModel.from_pretrained(folder),
      /model_type "roberta": berth has "bert" and "distilbert"/,
    );
    await rejects(
      models.AutoModel.from_pretrained(folder),
      /model_type is "roberta", one of bert, distilbert/,
    );
    dispose();
  }));

Deno.test("DistilBERT's configuration has its own keys in files, and BERT's names in programs", () => {
  const config = new models.DistilBertConfig({ dim: 32, n_heads: 4, dropout: 0.3, activation: "relu" });
  deepStrictEqual([config.hidden_size, config.num_hidden_layers, config.hidden_dropout_prob], [32, 6, 0.3]);
  const json = config.toJSON();
  deepStrictEqual([json.dim, json.n_layers, json.activation, json.qa_dropout], [32, 6, "relu", 0.1]);
  for (const key of ["hidden_size", "type_vocab_size", "layer_norm_eps", "other"]) ok(!(key in json), key);
  deepStrictEqual(new models.DistilBertConfig(json).toJSON(), json);
  strictEqual(new models.DistilBertConfig({ ...json, hidden_dropout_prob: 0 }).hidden_dropout_prob, 0);
  throws(() => new models.DistilBertConfig({ sinusoidal_pos_embds: true }), /sinusoidal_pos_embds/);
  throws(() => new models.DistilBertConfig({ qa_dropout: 2 }), /qa_dropout 2/);
});

Deno.test("a head's labels are checked: shapes, classes, masked tokens, options", async () => {
  await init({ threads: 1 });
  const input_ids = [[1, 2, 3], [4, 5]], attention_mask = [[1, 1, 0], [1, 1]];
  const fails = async (name: string, inputs: object, message: RegExp) => {
    const model = await newModel(HEADS.find((head) => head.name === name)!);
    throws(() => model.forward({ input_ids, attention_mask, ...inputs } as never), (error: Error) => {
      match(error.message, message);
      return error.name === "DataError";
    });
    model.dispose();
  };
  const token = "BertForTokenClassification",
    answer = "BertForQuestionAnswering",
    choice = "BertForMultipleChoice";
  await fails(token, { labels: [[1, 2, -100]] }, /labels has 1 rows, input_ids has 2/);
  await fails(token, { labels: [[1, 2, -100], [0]] }, /labels has 1 columns in row 1, input_ids has 2/);
  await fails(
    token,
    { labels: [[1, 4, -100], [0, 0]] },
    /labels\[0\]\[1\] is 4, a class from 0 to 3 or -100/,
  );
  await fails(
    token,
    { labels: [[1, 1, 1], [0, 0]] },
    /labels\[0\]\[2\] is 1 where attention_mask is 0; -100/,
  );
  await fails(
    token,
    { labels: [[1, 1, -100], [0, 0]], label_smoothing: 2 },
    /label_smoothing 2: a number from 0 to 1/,
  );
  await fails(
    token,
    { labels: [[1, 1, -100], [0, 0]], class_weights: [1] },
    /class_weights \[1\]: 4 numbers/,
  );
  await fails(
    "BertForSequenceClassification",
    { labels: [[1, 0, 1, 0], [0, 1, 0, 1]], label_smoothing: 0.1 },
    /smooth/,
  );
  await fails(answer, { start_positions: [0, 0] }, /start_positions and end_positions are wanted/);
  await fails(
    answer,
    { start_positions: [0, 0], end_positions: [2, 1] },
    /end_positions\[0\] is 2, where attention_mask/,
  );
  await fails(
    answer,
    { start_positions: [0], end_positions: [0, 1] },
    /start_positions has 1 numbers, 2 are wanted/,
  );
  await fails(answer, { start_positions: [0.5, 0], end_positions: [0, 1] }, /start_positions\[0\] is 0.5/);
  await fails(choice, { attention_mask: undefined }, /input_ids\[0\]: 3 choices|input_ids\[0\]: choices/);
  await fails(
    choice,
    { input_ids: [input_ids, [[1]]], attention_mask: undefined },
    /input_ids\[1\]: 2 choices/,
  );
  const model = (await newModel(HEADS.find(({ name }) => name === answer)!)).train();
  model.forward({ input_ids });
  throws(() => model.backward(), /forward had no labels; .* the gradient of start_logits, end_logits/);
  model.forward({ input_ids });
  throws(() => model.backward({ logits: [1] }), /from "logits": BertForQuestionAnswering has no such output/);
  dispose();
});
