/** Runs of `berth train`, and what the other commands make of them. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withFolder } from "../helpers/folder.ts";
import { berth, demoData, start } from "./program.ts";

const SHORT = [
  ...["--train", demoData("train"), "--threads", "2", "--profile", "simd", "--learning-rate", "5e-4"],
  ...["--per_device_train_batch_size=16", "--save_total_limit", "2"],
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

    const [scored, again, streamed] = await Promise.all([
      berth(["eval", "-m", model, ...test, "--json", "--profile", "simd"]),
      berth(["train", "--config", fileURLToPath(new URL("run.json", folder)), "--max-steps", "3"]),
      firstAnswer(model),
    ]);
    const { metrics, examples } = JSON.parse(scored.stdout),
      accuracy = /test_accuracy +(\S+)/.exec(trained.stdout)![1];
    strictEqual(examples, 120);
    strictEqual(Number(metrics.accuracy.toPrecision(5)), Number(accuracy));
    strictEqual(again.code, 1);
    match(again.stderr, /^[\s\S]*berth: Cannot begin a new run: there is .*checkpoint-54.*\n$/);
    strictEqual(streamed.code, 0);
    deepStrictEqual(streamed.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).text), [
      "I love baseball.",
      "I hate baseball.",
    ]);
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
    ) => ["train", ...SHORT, "--max-steps", "40", "--out", fileURLToPath(new URL(name, folder)), ...more];
    const whole = berth(run("whole"));
    for (
      const [signal, code, note] of [["SIGINT", 130, "train 1/40"], [
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
    strictEqual(JSON.parse(resumed.stdout).global_step, 40);
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
