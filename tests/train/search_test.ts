/** Cross-validation, search, the learning-rate finder, receipts: the same for a seed, and right. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import {
  crossValidate,
  findLearningRate,
  foldsOf,
  hyperparameterSearch,
  type SearchOptions,
  type TrainingArguments,
  verifyRun,
} from "../../src/train/mod.ts";
import type { BertForSequenceClassification } from "../../src/model/mod.ts";
import { learningRatePlot } from "../../src/report/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { BUSY, DEV, smallModel, smallTrainer, TRAIN, weightsOf, withBackend } from "./trainer_helpers.ts";

Deno.test("folds are even, disjoint, stratified and chosen by the seed", () => {
  const dataset = Array.from({ length: 23 }, (_, i) => ({ i, label: i < 8 ? "a" : "b" }));
  const parts = foldsOf(dataset, 4, { stratify: "label", seed: 5 });
  deepStrictEqual(parts.flat().sort((a, b) => a - b), dataset.map(({ i }) => i));
  deepStrictEqual(parts.map((part) => part.length), [6, 6, 6, 5]);
  deepStrictEqual(parts.map((part) => part.filter((i) => i < 8).length), [2, 2, 2, 2]);
  deepStrictEqual(foldsOf(dataset, 4, { stratify: "label", seed: 5 }), parts);
  ok(JSON.stringify(foldsOf(dataset, 4, { seed: 6 })) !== JSON.stringify(parts));
  throws(() => foldsOf(dataset.slice(0, 3), 4), /4 folds of 3 examples/);
  throws(() => foldsOf(dataset, 1), /1 folds/);
});

Deno.test("cross-validation gives each fold's metrics, their mean and deviation, the same for a seed", async () => {
  await withBackend(async () => {
    const run = () =>
      crossValidate({
        model_init: () => smallModel(),
        dataset: TRAIN,
        folds: 3,
        args: { ...BUSY, max_steps: 2 },
      });
    const { folds, mean, std } = await run(), losses = folds.map(({ eval_loss }) => eval_loss);
    strictEqual(folds.length, 3);
    ok(Math.abs(mean.eval_loss - (losses[0] + losses[1] + losses[2]) / 3) < 1e-12 && std.eval_loss > 0);
    deepStrictEqual(await run(), { folds, mean, std });
  });
});

Deno.test("grid, random search and successive halving: the best trial, the same for a seed", async () => {
  await withBackend(async () => {
    const options: SearchOptions<BertForSequenceClassification> = {
      ...{ model_init: () => smallModel(), train_dataset: TRAIN, eval_dataset: TRAIN, seed: 3 },
      args: { max_steps: 9, per_device_train_batch_size: 8 },
      space: { learning_rate: [1e-6, 3e-3], seed: [1, 2] },
    };
    const { best, trials } = await hyperparameterSearch({ ...options, method: "grid" });
    deepStrictEqual(trials.map(({ values }) => Object.values(values)), [[1e-6, 1], [1e-6, 2], [3e-3, 1], [
      3e-3,
      2,
    ]]);
    strictEqual(best.values.learning_rate, 3e-3);
    strictEqual(best.metrics!.eval_loss, Math.min(...trials.map(({ metrics }) => metrics!.eval_loss)));
    const halving = { ...options, method: "halving", n_trials: 9 } as const;
    const space = { learning_rate: { min: 1e-6, max: 1e-2, log: true } } as const;
    const halved = await hyperparameterSearch({ ...halving, space });
    deepStrictEqual(halved.trials.map(({ steps }) => steps).sort((a, b) => a - b), [
      1,
      1,
      1,
      1,
      1,
      1,
      3,
      3,
      9,
    ]);
    deepStrictEqual(await hyperparameterSearch({ ...halving, space }), halved);
    // Who went on from step to step has what one long run gives.
    const alone = await smallTrainer({ ...options, args: { ...options.args, ...halved.best.values } });
    await alone.train();
    strictEqual((await alone.evaluate(TRAIN)).eval_loss, halved.best.metrics!.eval_loss);
    await rejects(
      hyperparameterSearch({ ...options, method: "grid", space: { seed: { min: 1, max: 2 } } }),
      /a list is wanted/,
    );
  });
});

Deno.test("the learning-rate finder rises through the rates, suggests one, and puts the weights back", async () => {
  await withBackend(async () => {
    const model = await smallModel(), before = weightsOf(model);
    const { rates, losses, smoothed, suggestion } = await findLearningRate({ model, train_dataset: TRAIN }, {
      steps: 40,
    });
    ok(Math.abs(rates[0] / 1e-7 - 1) < 1e-9 && rates.every((rate, i) => i === 0 || rate > rates[i - 1]));
    const svg = learningRatePlot({ rates, losses, smoothed, suggestion });
    ok(svg.startsWith("<svg") && svg.includes("suggestion"));
    ok(losses.length === rates.length && suggestion > 1e-5 && suggestion < 1, `${suggestion}`);
    deepStrictEqual(weightsOf(model), before);
  });
});

Deno.test("a run's steps can be made again and prove its receipt; another loss, data or weight is found", async () => {
  await withFolder(async (folder) => {
    await withBackend(async () => {
      const args: TrainingArguments = {
        ...{
          ...BUSY,
          output_dir: folder,
          save_strategy: "steps",
          save_steps: 5,
          load_best_model_at_end: true,
        },
      };
      await (await smallTrainer({ args })).train();
    });
    const verify = async (more: object = {}) => {
      let found: unknown;
      await withBackend(async () =>
        void (found = await verifyRun(folder, { train_dataset: TRAIN, ...more }))
      );
      return found as Awaited<ReturnType<typeof verifyRun>>;
    };
    deepStrictEqual(await verify({ from: 5, steps: 5 }), {
      ...{ ok: true, from: 5, steps: 5, compared: ["training data", "weights after step 10"] },
    });
    strictEqual((await verify({ train_dataset: DEV })).difference, "the training data is another");
    const path = new URL("receipt.json", folder), receipt = JSON.parse(readFileSync(path, "utf8"));
    receipt.losses[6] += 1e-16;
    receipt.losses[6] *= 1 + 3e-16;
    writeFileSync(path, JSON.stringify(receipt));
    const { ok: same, difference } = await verify({ from: 5 });
    ok(!same && /step 7 has the loss/.test(difference!), difference);
    await rejects(verify({ from: 4 }), /checkpoint-4/);
    writeFileSync(path, "{}");
    await rejects(verify(), /receipt.json in .* is damaged/);
  });
});
