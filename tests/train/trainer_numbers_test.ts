/** What a step computes: accumulation, smoothing and class weights, masked words; the guard; memory. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { BertTokenizer } from "../../src/hub/mod.ts";
import { BertConfig, BertForMaskedLM, BertForTokenClassification } from "../../src/model/mod.ts";
import { Random } from "../../src/random.ts";
import { init } from "../../src/runtime/mod.ts";
import {
  dataCollatorForLanguageModeling,
  type Example,
  MemoryStore,
  Trainer,
  type TrainingArguments,
} from "../../src/train/mod.ts";
import { featureMaker } from "../../src/train/features.ts";
import { worstError } from "../helpers/errors.ts";
import { BUSY, DEV, smallModel, smallTrainer, TRAIN, weightsOf, withBackend } from "./trainer_helpers.ts";

const STILL = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };

for (const more of [{}, { class_weights: [0.3, 2], label_smoothing_factor: 0.1 }]) {
  Deno.test(`accumulated batches give the big batch's step within 1e-6 (${Object.keys(more)})`, async () => {
    const steps: number[][] = [];
    for (const [per_device_train_batch_size, gradient_accumulation_steps] of [[12, 1], [5, 3]]) {
      await withBackend(async () => {
        // 12 examples: batches of 5, 5 and 2 must count by their sizes and classes.
        const model = await smallModel({ config: STILL }), train_dataset = TRAIN.slice(0, 12);
        const args = { ...more, max_steps: 1, per_device_train_batch_size, gradient_accumulation_steps };
        const found: number[] = [];
        const trainer = new Trainer(
          {
            ...{ model, train_dataset, args: { ...args, max_grad_norm: 0, optim: "adamw_torch" } },
            callbacks: [{
              on_pre_optimizer_step: () => model.parameters().forEach((p) => found.push(...p.grad()!)),
              on_step_end: ({ step }) => void found.push(step.loss),
            }],
          } as ConstructorParameters<typeof Trainer>[0],
        );
        await trainer.train();
        steps.push(found);
      });
    }
    ok(worstError(steps[1], steps[0]) < 1e-6, `${worstError(steps[1], steps[0])}`);
  });
}

Deno.test("label smoothing and class weights are PyTorch's", async () => {
  await withBackend(async () => {
    const model = await smallModel({ config: STILL }), weights = [0.3, 2], smoothing = 0.1;
    const plain = await smallTrainer({ args: {} }, model);
    const { predictions } = await plain.predict(DEV);
    let sum = 0, total = 0;
    // torch.nn.functional.cross_entropy(logits, labels, weight, label_smoothing), written out.
    (predictions as number[][]).forEach((row, i) => {
      const label = DEV[i].label as number, norm = Math.log(row.reduce((a, x) => a + Math.exp(x), 0));
      const losses = row.map((x) => norm - x), spread = losses.reduce((a, x, k) => a + weights[k] * x, 0) / 2;
      sum += (1 - smoothing) * weights[label] * losses[label] + smoothing * spread;
      total += weights[label];
    });
    const args = {
      class_weights: weights,
      label_smoothing_factor: smoothing,
      per_device_eval_batch_size: 16,
    };
    const { eval_loss } = await (await smallTrainer({ args }, model)).evaluate();
    ok(Math.abs(eval_loss - sum / total) < 1e-6, `${eval_loss} ${sum / total}`);
  });
});

for (const place of ["bert.encoder.layer.1.output.dense.weight", "gradient of bert.pooler.dense.weight"]) {
  Deno.test(`a NaN in the ${place} stops the run, names step and tensor, and leaves the last good state`, async () => {
    await withBackend(async () => {
      const store = new MemoryStore(), model = await smallModel(), [, name] = /([\w.]+)$/.exec(place)!;
      const bad = model.get_parameter(name), gradient = place.startsWith("gradient");
      let good: unknown;
      const spoil = (step: number) => {
        if (step !== 5) return;
        good = weightsOf(model);
        const { heap } = model.runtime;
        heap.f32[(gradient ? bad.gradientPointer : bad.pointer) / 4 + 30] = NaN;
        bad.markWritten();
      };
      const trainer = await smallTrainer(
        {
          ...{
            args: { ...BUSY, gradient_accumulation_steps: 1, save_strategy: "steps", save_steps: 5 },
            store,
          },
          callbacks: [{ on_pre_optimizer_step: ({ state }) => gradient && spoil(state.global_step) }, {
            on_step_begin: ({ state }) => gradient || spoil(state.global_step),
          }],
        } as Parameters<typeof smallTrainer>[0],
        model,
      );
      await rejects(trainer.train(), (error: Error & { step: number; tensor: string }) => {
        deepStrictEqual([error.name, error.step, error.tensor], ["DivergenceError", 6, place]);
        ok(
          error.message.includes(gradient ? "as the step before left them" : "went back to checkpoint-5"),
          error.message,
        );
        return true;
      });
      deepStrictEqual(weightsOf(model), good);
      strictEqual(trainer.state.global_step, 5);
    });
  });
}

Deno.test("300 steps with evaluations, logs and checkpoints leave memory as it was", async () => {
  await withBackend(async () => {
    const model = await smallModel(), used: unknown[] = [];
    const args: TrainingArguments = {
      ...{
        ...BUSY,
        num_train_epochs: 100,
        max_steps: 300,
        eval_steps: 20,
        save_strategy: "steps",
        save_steps: 25,
      },
      save_total_limit: 1,
    };
    const alike = TRAIN.map(({ label }) => ({ input_ids: [1, 2, 5 + (label as number), 3, 4, 9, 8], label }));
    const trainer = await smallTrainer({
      ...{ args, store: new MemoryStore(), train_dataset: alike },
      callbacks: [{
        on_step_end: ({ step: { step } }) => {
          const { heap } = model.runtime;
          if (step % 100 === 0) used.push({ ...tf.memory(), heap: heap.bytesInUse });
        },
      }],
    }, model);
    await trainer.train();
    deepStrictEqual(used[1], used[0]);
    deepStrictEqual(used[2], used[0]);
    await trainer.dispose();
  });
});

Deno.test("masked words: shares, whole words, the same in each evaluation, learned by BertForMaskedLM", async () => {
  await withBackend(async () => {
    await init({ threads: 2 });
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny"), { mask_token_id } = tokenizer;
    const features = Array.from(
      { length: 300 },
      () => ({ input_ids: tokenizer("a berth for unbelievable boats").input_ids }),
    );
    const collate = dataCollatorForLanguageModeling({
      tokenizer,
      whole_word_mask: true,
      mlm_probability: 0.3,
    });
    const { input_ids, labels } = collate(features, { random: new Random(1), training: true });
    const words = tokenizer("a berth for unbelievable boats").word_ids();
    let chosen = 0, masked = 0, tokens = 0;
    (labels as number[][]).forEach((row, i) => {
      row.forEach((label, t) => {
        strictEqual(
          label !== -100,
          row[words.indexOf(words[t])] !== -100 && words[t] !== null,
          "whole words",
        );
        tokens += Number(words[t] !== null);
        chosen += Number(label !== -100);
        masked += Number(label !== -100 && input_ids[i][t] === mask_token_id);
        if (label === -100) strictEqual(input_ids[i][t], features[0].input_ids[t]);
      });
    });
    ok(
      Math.abs(chosen / tokens - 0.3) < 0.06 && Math.abs(masked / chosen - 0.8) < 0.06,
      `${chosen / tokens}`,
    );
    throws(() => dataCollatorForLanguageModeling({ tokenizer, mlm_probability: 2 }), /mlm_probability 2/);
    const model = await BertForMaskedLM.from_pretrained("berth-tiny", { on_report: () => {} });
    const dataset = ["The pitcher threw a perfect game.", "They lost in the ninth inning."].map((text) => ({
      text,
    }));
    const trainer = new Trainer({
      ...{ model, tokenizer, train_dataset: dataset, eval_dataset: dataset },
      data_collator: dataCollatorForLanguageModeling({ tokenizer, mlm_probability: 0.4 }),
      args: { max_steps: 60, learning_rate: 2e-3, per_device_train_batch_size: 2 },
    });
    const weighted = { model, train_dataset: dataset, args: { class_weights: [1, 2] } };
    throws(() => new Trainer(weighted), /BertForMaskedLM with class_weights/);
    const before = await trainer.evaluate(), again = await trainer.evaluate();
    strictEqual(before.eval_loss, again.eval_loss);
    await trainer.train();
    const { eval_loss } = await trainer.evaluate();
    ok(eval_loss < before.eval_loss / 2, `${before.eval_loss} ${eval_loss}`);
  });
});

Deno.test("a token classifier trains, and predictions have a row for each real token", async () => {
  await withBackend(async () => {
    await init({ threads: 2 });
    const shape = {
      vocab_size: 50,
      hidden_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 32,
    };
    const model = await BertForTokenClassification.from_config(new BertConfig({ ...shape, num_labels: 3 }));
    const random = new Random(4);
    const dataset: Example[] = Array.from({ length: 24 }, (_, i) => {
      const input_ids = Array.from({ length: 3 + i % 5 }, () => random.below(50));
      return { input_ids, labels: input_ids.map((id, t) => t === 0 ? -100 : id % 3) };
    });
    const args = {
      num_train_epochs: 60,
      learning_rate: 1e-2,
      gradient_accumulation_steps: 2,
      per_device_train_batch_size: 4,
    };
    const trainer = new Trainer({ model, train_dataset: dataset, args });
    await trainer.train();
    const { predictions, metrics } = await trainer.predict(dataset);
    ok(metrics.test_loss < 0.1, `${metrics.test_loss}`);
    deepStrictEqual(
      (predictions as number[][][]).map((row) => row.length),
      dataset.map((e) => (e.labels as number[]).length),
    );
  });
});

Deno.test("texts, pairs and words become features: names of labels, word by word labels, errors", async () => {
  await withBackend(async () => {
    await init({ threads: 1 });
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
    const shape = {
      vocab_size: 8192,
      hidden_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 32,
    };
    const config = new BertConfig({ ...shape, id2label: { 0: "O", 1: "TEAM" } }),
      make = featureMaker(config, tokenizer);
    const [pair] = make([{ text: "a game", text_pair: "a berth", label: "TEAM" }]);
    const { input_ids, token_type_ids } = tokenizer("a game", { text_pair: "a berth" });
    deepStrictEqual(pair, { input_ids, token_type_ids, labels: 1 });
    const [words] = make([{ tokens: ["unbelievable", "Cubs"], ner_tags: ["O", "TEAM"] }]);
    const places = tokenizer([["unbelievable", "Cubs"]], { is_split_into_words: true }).word_ids(0);
    const labels = places.map((word, t) => word === null || word === places[t - 1] ? -100 : word);
    ok(labels.filter((label) => label === -100).length > 2);
    deepStrictEqual(words.labels, labels);
    throws(() => make([{ tokens: ["a"], ner_tags: [0, 1] }]), /1 words and 2 labels/);
    throws(() => make([{ text: "a", label: "constructor" }]), /label "constructor".* O, TEAM/);
    throws(() => make([{ sentence: "a" }]), /"text" is missing.*columns: sentence/);
    const trainer = new Trainer({
      ...{
        model: await BertForTokenClassification.from_config(config),
        train_dataset: [{ input_ids: [1, 2] }],
      },
    });
    await rejects(trainer.train(), /have no labels/);
  });
});
