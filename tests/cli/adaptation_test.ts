/** `berth train` of less than all weights: LoRA, BitFit, rates by layer; and what is chosen where no flag says it. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { withFolder } from "../helpers/folder.ts";
import { berth, demoData } from "./program.ts";
import { writeFiles } from "./task_data.ts";

const ONE_THREAD = ["--threads", "1", "--profile", "simd"];

Deno.test("LoRA, BitFit and rates by layer train what they say, resume and verify to the same bits", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, {}),
      json = (file: string) => JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    const run = (name: string, ...flags: string[]) => [
      ...["train", "--train", demoData("train"), "--label-names", "negative,positive", "--out", path(name)],
      ...[...ONE_THREAD, "--eval-size", "0", "--save-steps", "3", ...flags],
    ];
    const lora = ["--lora-rank", "4", "--lora-target", "query,key,value", "--lora-dropout", "0.1", "--watch"];
    const watch = "bert.encoder.layer.0.attention.self.query.lora_B.weight[0][0]";
    const [whole, few] = await Promise.all([
      berth(run("lora", ...lora, watch, "--max-steps", "6")),
      berth(run("few", "--bitfit", "--layer-decay", "0.5", "--reinit-layers", "1", "--max-steps", "6")),
      berth(run("cut", ...lora, watch, "--max-steps", "3", "--lr-scheduler-type", "constant", "--no-merge")),
    ]);
    deepStrictEqual([whole.code, few.code], [0, 0], whole.stderr + few.stderr);
    match(
      whole.stderr,
      /\d M parameters, [\d,]+ of them trained;[\s\S]*learning rate 1e-3, batches of 16, a warm-up/,
    );
    match(few.stderr, /\d M parameters, [\d,]+ of them trained/);
    const { r, lora_alpha, target_modules, task_type, modules_to_save } = json(
      "lora/adapter/adapter_config.json",
    );
    deepStrictEqual([r, lora_alpha, task_type, modules_to_save], [4, 8, "SEQ_CLS", ["classifier", "score"]]);
    deepStrictEqual(target_modules, ["query", "key", "value"]);
    ok(!existsSync(new URL("cut/model", folder)) && existsSync(new URL("cut/adapter", folder)));
    const settings = json("lora/run.json");
    deepStrictEqual([settings.lora_rank, settings.learning_rate, settings.per_device_train_batch_size], [
      4,
      1e-3,
      16,
    ]);
    const [first, second, more] = await Promise.all([
      berth(["verify", path("lora"), "--threads", "1"]),
      berth(["verify", path("few"), "--threads", "1"]),
      berth(run("cut", ...lora, watch, "--max-steps", "5", "--lr-scheduler-type", "constant", "--resume")),
    ]);
    for (const { stdout, stderr } of [first, second]) {
      strictEqual(stdout, "the same bits: steps 4 to 6, training data, weights after step 6\n", stderr);
    }
    match(more.stderr, /going on from step 3\n/);
    const answer = await berth(["predict", "-m", path("lora/model"), "--threads", "1", "I love baseball."]);
    match(answer.stdout, /^(negative|positive)\t/, answer.stderr);
  });
});

Deno.test("a run without settings chooses them, says so, and writes them down", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, {}),
      args = ["--train", demoData("train"), "--out", path("run"), ...ONE_THREAD];
    const { code, stdout, stderr } = await berth(["train", ...args, "--json", "--num-train-epochs", "1"]);
    strictEqual(code, 0, stderr);
    match(
      stderr,
      /\n48 examples are put aside for evaluations \(--eval-size 0 trains on all\)\n432 examples\n/,
    );
    match(
      stderr,
      /\nchosen, as no flag says otherwise: learning rate 5e-4, batches of 16, a warm-up of 10 % of the steps, /,
    );
    ok(JSON.parse(stdout).metrics.eval_accuracy > 0.5);
    const { weight_decay, warmup_ratio, num_train_epochs, eval_size } = JSON.parse(
      readFileSync(new URL("run/run.json", folder), "utf8"),
    );
    deepStrictEqual([weight_decay, warmup_ratio, num_train_epochs, eval_size], [0.01, 0.1, 1, undefined]);
    const { stdout: proof, stderr: why } = await berth([
      "verify",
      path("run"),
      "--steps",
      "1",
      "--threads",
      "1",
    ]);
    match(proof + why, /the same bits|there is no checkpoint before/);
  });
});
