/** The Trainer: slices, threads, order of events, metrics, what it refuses. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { Trainer, type TrainingEvent } from "../../src/train/mod.ts";
import { BUSY, DEV, smallModel, smallTrainer, TRAIN, weightsOf, withBackend } from "./trainer_helpers.ts";

/** A whole run's weights and state. */
async function wholeRun(threads = 2, args = BUSY) {
  let result: unknown[] = [];
  await withBackend(async () => {
    const model = await smallModel({ threads }), trainer = await smallTrainer({ args }, model);
    await trainer.train();
    result = [weightsOf(model), structuredClone(trainer.state)];
  });
  return result;
}

Deno.test("a run gives the same bits with one, two and three threads", async () => {
  const one = await wholeRun(1);
  deepStrictEqual(await wholeRun(2), one);
  deepStrictEqual(await wholeRun(3), one);
});

for (const load_best_model_at_end of [false, true]) {
  Deno.test(`slices of any size, each in a new Trainer, equal one run (best at the end: ${load_best_model_at_end})`, async () => {
    const args = { ...BUSY, load_best_model_at_end }, whole = await wholeRun(2, args);
    for (const steps of load_best_model_at_end ? [4] : [1, 7]) {
      let state: Uint8Array | undefined, result: unknown[] = [];
      for (let done = false; !done;) {
        await withBackend(async () => {
          const model = await smallModel();
          const options = { model, train_dataset: TRAIN, eval_dataset: DEV };
          const trainer = state ? await Trainer.restore(state, options) : new Trainer({ ...options, args });
          const slice = await trainer.run({ steps });
          [done, state] = [slice.done, slice.state];
          result = [weightsOf(model), structuredClone(trainer.state)];
        });
      }
      deepStrictEqual(result, whole, `${steps} steps`);
    }
  });
}

Deno.test("events come in order, and the log has losses, rates and evaluations", async () => {
  await withBackend(async () => {
    const types: string[] = [];
    const on_event = ({ type }: TrainingEvent) => {
      if (!/substep|prediction|optimizer/.test(type)) types.push(type);
    };
    const args = { ...BUSY, max_steps: 3 };
    const trainer = await smallTrainer({ args, callbacks: [{ on_event }] });
    const { global_step, training_loss, stopped, metrics } = await trainer.train();
    deepStrictEqual(types, [
      ...["train_begin", "epoch_begin", "step_begin", "step_end", "step_begin", "step_end", "log"],
      ...["step_begin", "step_end", "evaluate", "epoch_end", "train_end"],
    ]);
    deepStrictEqual([global_step, stopped, metrics.train_loss], [3, "finished", training_loss]);
    const [first, second] = trainer.state.log_history;
    deepStrictEqual(Object.keys(first), ["step", "epoch", "loss", "learning_rate", "grad_norm"]);
    deepStrictEqual(Object.keys(second), ["step", "epoch", "eval_loss", "eval_accuracy"]);
    strictEqual(trainer.state.watch[0].values.length, 4);
    await rejects(trainer.evaluate(undefined, { signal: AbortSignal.abort() }), /abort/i);
  });
});

Deno.test("training learns; predict gives logits and labels in order", async () => {
  await withBackend(async () => {
    const args = {
      num_train_epochs: 25,
      learning_rate: 3e-3,
      per_device_train_batch_size: 8,
      warmup_steps: 10,
    };
    const trainer = await smallTrainer({ args });
    await trainer.train();
    const { eval_accuracy, eval_loss } = await trainer.evaluate(TRAIN);
    ok(eval_accuracy > 0.9, `accuracy ${eval_accuracy}`);
    const { predictions, label_ids, metrics } = await trainer.predict(TRAIN);
    deepStrictEqual(label_ids, TRAIN.map(({ label }) => label));
    deepStrictEqual([metrics.test_loss, metrics.test_accuracy], [eval_loss, eval_accuracy]);
    strictEqual((predictions as number[][])[3].length, 2);
  });
});

Deno.test("what contradicts itself is refused before anything is done", async () => {
  await withBackend(async () => {
    const model = await smallModel(), train_dataset = TRAIN;
    const make = (args: object, more = {}) => () => new Trainer({ model, train_dataset, args, ...more });
    throws(make({}, { model: undefined }), /"model" is undefined, not a model/);
    throws(make({}, { model: smallModel() }), /"model" is a promise, which wants an await/);
    throws(make({ learning_rate: -1 }), /learning_rate -1: a number from 0 on/);
    throws(make({ per_device_train_batch_size: 0 }), /per_device_train_batch_size 0/);
    throws(make({ lr_scheduler_type: "sine" }), /one of linear, cosine/);
    throws(make({ batchsize: 3 }), /"batchsize": there is no such argument/);
    throws(make({ save_strategy: "steps" }), /without output_dir or a store/);
    throws(make({ load_best_model_at_end: true }), /for load_best_model_at_end/);
    throws(make({ fused_backward: true }), /max_grad_norm 0/);
    await rejects(
      make({ watch: ["bert.pooler.dense.weight[0][99]"] })().train(),
      /bert.pooler.dense.weight\[0,99\]/,
    );
    await rejects(make({ eval_strategy: "epoch" })().train(), /there is no eval_dataset/);
    await rejects(make({}, { train_dataset: [] })().train(), /no batch \(per_device_train_batch_size 8\)/);
    await rejects(make({}, { train_dataset: [{ text: "a", label: 1 }] })().train(), /was given no tokenizer/);
    const stream = async function* () {};
    await rejects(make({}, { train_dataset: stream })().train(), /stream without max_steps/);
  });
});
