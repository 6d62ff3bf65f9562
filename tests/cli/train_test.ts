/** Runs of `berth train`, and what the other commands make of them. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withFolder } from "../helpers/folder.ts";
import { berth, demoData, start } from "./program.ts";

const SHORT = [
  ...["--train", demoData("train"), "--threads", "2", "--profile", "simd", "--learning-rate", "5e-4"],
  ...["--per_device_train_batch_size=16", "--label-names", "negative,positive"],
];

function lines(file: URL): Record<string, unknown>[] {
  return readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("train writes model, report, metrics and receipt; eval, predict and a second run use them", async () => {
  await withFolder(async (folder) => {
    const out = fileURLToPath(folder), model = fileURLToPath(new URL("model", folder));
    const test = ["--test", demoData("test")];
    const trained = await berth([
      "train",
      ...SHORT,
      ...test,
      "--out",
      out,
      "--num-train-epochs",
      "2",
      "--eval-size",
      "48",
    ]);
    strictEqual(trained.code, 0, trained.stderr);
    match(trained.stdout, /^train_runtime[\s\S]*\ntest_accuracy +0\.[6-9][\s\S]*\nclass +precision/);
    match(
      trained.stderr,
      /\n432 examples\n[\s\S]*\ntrain 54\/54 {2}loss 0\.\d+ {2}[\d,]+ tokens\/s {2}.* steps\/s/,
    );
    const log = lines(new URL("metrics.jsonl", folder));
    deepStrictEqual(
      log.filter(({ type }) => type === "step").map(({ step }) => step),
      Array.from({ length: 54 }, (_, i) => i + 1),
    );
    deepStrictEqual(log.filter(({ type }) => type === "evaluate").map(({ step }) => step), [27, 54]);
    const { losses } = JSON.parse(readFileSync(new URL("receipt.json", folder), "utf8"));
    deepStrictEqual(log.filter(({ type }) => type === "step").map(({ loss }) => loss), losses);
    match(readFileSync(new URL("report.html", folder), "utf8"), /^<!doctype html>[\s\S]*Confusion matrix/);

    const [scored, again, streamed, verified, vectors] = await Promise.all([
      berth(["eval", "-m", model, ...test, "--json", "--profile", "simd"]),
      berth(["train", "--config", fileURLToPath(new URL("run.json", folder)), "--max-steps", "3"]),
      firstAnswer(model),
      berth(["verify", out, "--steps", "5"]),
      berth(["embed", "-m", model, "--normalize", "--json", "A fine game.", "Rain."]),
    ]);
    const { metrics, examples } = JSON.parse(scored.stdout);
    strictEqual(examples, 120);
    strictEqual(
      String(Number(metrics.accuracy.toPrecision(5))),
      /test_accuracy +(\S+)/.exec(trained.stdout)![1],
    );
    strictEqual(again.code, 1);
    match(again.stderr, /^[\s\S]*berth: Cannot begin a new run: there is .*checkpoint-54.*\n$/);
    deepStrictEqual(lines(new URL("metrics.jsonl", folder)), log); // the refused run has touched nothing
    strictEqual(streamed.code, 0);
    const answers = streamed.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    deepStrictEqual(answers.map(({ text, label }) => [text, label]), [
      ["I love baseball.", "positive"],
      ["I hate baseball.", "negative"],
    ]);
    strictEqual(verified.stdout, "the same bits: steps 28 to 32, training data\n", verified.stderr);
    for (const line of vectors.stdout.trimEnd().split("\n")) {
      const { embedding } = JSON.parse(line) as { embedding: number[] };
      strictEqual(embedding.length, 128);
      ok(Math.abs(embedding.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-5);
    }
    const onnx = await berth([
      "export",
      model,
      "-o",
      fileURLToPath(new URL("onnx", folder)),
      "--dtype",
      "fp32,q8",
    ]);
    strictEqual(onnx.code, 0, onnx.stderr);
    deepStrictEqual(
      ["model.onnx", "model_quantized.onnx"].map((name) => existsSync(new URL(`onnx/onnx/${name}`, folder))),
      [true, true],
    );
  });
});

/** Gives a text, waits for its answer, and gives another one. */
async function firstAnswer(model: string) {
  const { process, wrote, ended } = start(["predict", "-m", model, "--json"]);
  process.stdin!.write("I love baseball.\n");
  await wrote("stdout", "I love baseball.");
  process.stdin!.end("I hate baseball.");
  return await ended;
}

Deno.test("SIGINT and SIGTERM write a checkpoint; --resume ends with the weights of a run without a stop", async () => {
  await withFolder(async (folder) => {
    const run = (
      name: string,
      ...more: string[]
    ) => ["train", ...SHORT, "--max-steps", "24", "--out", fileURLToPath(new URL(name, folder)), ...more];
    const whole = berth(run("whole"));
    for (
      const [signal, code, note] of [["SIGINT", 130, "train 1/24"], [
        "SIGTERM",
        143,
        "going on from",
      ]] as const
    ) {
      const { process, wrote, ended } = start(run("stopped", "--resume"));
      await wrote("stderr", note);
      Deno.kill(process.pid!, signal); // after ChildProcess.kill, Deno tells the signal instead of the exit code
      const stopped = await ended;
      strictEqual(stopped.code, code, stopped.stderr);
      strictEqual(stopped.stdout, "");
      match(
        stopped.stderr,
        new RegExp(`ended by ${signal} after step \\d+; --resume goes on from there\\n$`),
      );
    }
    ok(!existsSync(new URL("stopped/model", folder)));
    const resumed = await berth(run("stopped", "--resume", "--json"));
    strictEqual(resumed.code, 0, resumed.stderr);
    strictEqual(JSON.parse(resumed.stdout).global_step, 24);
    strictEqual((await whole).code, 0);
    const [wanted, found] = ["whole", "stopped"].map((name) => new URL(`${name}/`, folder));
    deepStrictEqual(
      readFileSync(new URL("model/model.safetensors", found)),
      readFileSync(new URL("model/model.safetensors", wanted)),
    );
    const steps = (base: URL) => lines(new URL("metrics.jsonl", base)).map(({ step, loss }) => [step, loss]);
    deepStrictEqual(steps(found), steps(wanted));
  });
});

/** Rows of JSON whose labels are made of the text. */
function rows(label: (words: string[]) => unknown): string {
  const words = ["good", "bad", "fast", "slow"];
  return Array.from({ length: 32 }, (_, i) => {
    const some = words.filter((_, k) => i >> k & 1);
    return JSON.stringify({ review: `It was ${some.join(" and ")}.`, about: label(some) }) + "\n";
  }).join("");
}

Deno.test("train learns several labels and numbers from standard input, and eval measures them", async () => {
  await withFolder(async (folder) => {
    const kinds = [
      [rows((words) => words), /"problem_type": "multi_label_classification"/, [
        "loss",
        "accuracy",
        "f1_micro",
        "f1_macro",
      ]],
      [rows((words) => words.length / 2 + 0.25), /"problem_type": "regression"/, [
        "loss",
        "mse",
        "pearson",
        "spearman",
      ]],
    ] as const;
    await Promise.all(kinds.map(async ([data, config, names], i) => {
      const out = new URL(`${i}/`, folder), model = fileURLToPath(new URL("model", out));
      const columns = ["--text", "review", "--label", "about"];
      const trained = await berth(
        [
          "train",
          "--train",
          "-",
          "--out",
          fileURLToPath(out),
          "--max-steps",
          "6",
          "--threads",
          "1",
          "-q",
          ...columns,
        ],
        data,
      );
      deepStrictEqual([trained.code, trained.stderr], [0, ""]);
      match(readFileSync(new URL("model/config.json", out), "utf8"), config);
      const { stdout, stderr } = await berth(
        ["eval", "-m", model, "--test", "-", "--json", ...columns],
        data,
      );
      deepStrictEqual(Object.keys(JSON.parse(stdout).metrics), names, stderr);
    }));
  });
});

Deno.test("train --config refuses what is no setting, and says what is wanted", async () => {
  await withFolder(async (folder) => {
    const wrong: readonly [json: string, message: RegExp][] = [
      ['{"learning_rat": 1}', /there is no setting "learning_rat"; do you mean "learning_rate"\?/],
      ['{"learning_rate": "1"}', /"learning_rate" is "1", a number is wanted/],
      ['{"optim": "sgd"}', /"optim" is "sgd", one of adamw_torch, adamw_hf is wanted/],
      ['{"freeze": "x"}', /"freeze" is "x", a list of texts is wanted/],
      ['{"report_to": ["wandb"]}', /"report_to" is \["wandb"\], a list of tensorboard, none is wanted/],
      ["[1]", /an object is wanted/],
      ["{", /it is no JSON/],
    ];
    await Promise.all(wrong.map(async ([json, message], i) => {
      const file = fileURLToPath(new URL(`${i}.json`, folder));
      writeFileSync(file, json);
      const { code, stderr } = await berth(["train", "--config", file]);
      strictEqual(code, 2);
      match(stderr, message);
      match(stderr, /^berth: [^\n]+\n$/);
    }));
  });
});

Deno.test("train names the line of a wrong row, and what labels a test file may have", async () => {
  await withFolder(async (folder) => {
    const write = (name: string, text: string) => {
      writeFileSync(new URL(name, folder), text);
      return fileURLToPath(new URL(name, folder));
    };
    const [ragged, train, test] = [
      write("ragged.csv", "text,label\nfine,good\nrain,bad,worse\n"),
      write("train.csv", "text,label\nfine,good\nrain,bad\n"),
      write("test.csv", "text,label\nfine,great\n"),
    ];
    const [line, label] = await Promise.all([
      berth(["train", "--train", ragged, "-q"]),
      berth(["train", "--train", train, "--test", test, "-q"]),
    ]);
    deepStrictEqual([line.code, label.code], [1, 1]);
    match(line.stderr, /^berth: Cannot read ".*ragged\.csv", line 3, column 10: [^\n]+\n$/);
    match(
      label.stderr,
      /^berth: Cannot read ".*test\.csv", line 2, column "label": the label "great" is unknown; there are "bad", "good"\n$/,
    );
  });
});
