/** `berth search` and `berth find-lr`. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { searchSpace } from "../../src/cli/search_space.ts";
import { withFolder } from "../helpers/folder.ts";
import { berth, demoData } from "./program.ts";
import { writeFiles } from "./task_data.ts";

const COMMON = [...["--train", demoData("train"), "--threads", "1"], ...[
  "--per-device-train-batch-size",
  "16",
]];

Deno.test("search ranks its trials, halving lets the better ones go on, and run.json trains with the best", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, {}), rates = "learning-rate=1e-7,1e-3";
    const [grid, halving] = await Promise.all([
      berth([
        "search",
        ...COMMON,
        "--method",
        "grid",
        "--try",
        rates,
        "--max-steps",
        "12",
        "--out",
        path("grid"),
      ]),
      berth([
        ...["search", ...COMMON, "--method", "halving", "--trials", "3", "--try", "learning-rate=1e-5..1e-3"],
        ...["--max-steps", "6", "--metric", "accuracy", "--out", path("halving"), "--json"],
      ]),
    ]);
    strictEqual(grid.code, 0, grid.stderr);
    match(
      grid.stdout,
      /^trial 1 {2}loss 0\.\d+ {2}12 steps {2}learning_rate 0\.001\ntrial 0 {2}loss .*1e-7\n$/,
    );
    strictEqual(halving.code, 0, halving.stderr);
    const { best, trials } = JSON.parse(halving.stdout);
    deepStrictEqual(trials.map(({ steps }: { steps: number }) => steps).sort(), [2, 2, 6]);
    strictEqual(best.steps, 6);
    const lines = readFileSync(new URL("grid/trials.jsonl", folder), "utf8").trimEnd().split("\n");
    deepStrictEqual(lines.map((line) => JSON.parse(line).values), [{ learning_rate: 1e-7 }, {
      learning_rate: 1e-3,
    }]);
    const again = await berth([
      ...["train", "--config", path("grid/run.json"), "--out", path("best"), "--max-steps", "1", "--json"],
    ]);
    strictEqual(again.code, 0, again.stderr);
    strictEqual(JSON.parse(readFileSync(new URL("best/run.json", folder), "utf8")).learning_rate, 1e-3);
  });
});

Deno.test("find-lr prints a rate between its limits and draws the losses", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, {}), limits = ["--min-lr", "1e-6", "--max-lr", "1", "--steps", "24"];
    const { code, stdout, stderr } = await berth(["find-lr", ...COMMON, ...limits, "--out", path("rates")]);
    strictEqual(code, 0, stderr);
    ok(Number(stdout) > 1e-6 && Number(stdout) < 1, stdout);
    const { rates, losses, suggestion } = JSON.parse(
      readFileSync(new URL("rates/learning_rate.json", folder), "utf8"),
    );
    ok(rates.length === losses.length && rates.length > 10 && rates.includes(suggestion));
    match(readFileSync(new URL("rates/learning_rate.svg", folder), "utf8"), /^<svg[\s\S]*is suggested/);
  });
});

Deno.test("what is tried is a list or a range; a wrong one is refused with what is wanted", async () => {
  deepStrictEqual(
    searchSpace(["learning-rate=1e-5..1e-3", "--weight_decay=0,0.1", "optim=adamw_hf"], "random"),
    {
      learning_rate: { min: 1e-5, max: 1e-3, whole: false, log: true },
      weight_decay: [0, 0.1],
      optim: ["adamw_hf"],
    },
  );
  deepStrictEqual(searchSpace(["warmup-steps=0..20", "adam_beta1=0.8..0.9"], "halving"), {
    warmup_steps: { min: 0, max: 20, whole: true, log: false },
    adam_beta1: { min: 0.8, max: 0.9, whole: false, log: false },
  });
  const wrong: [text: string, message: RegExp, method?: string][] = [
    ["learning-rate", /NAME=VALUES is wanted/],
    ["lerning-rate=1", /there is no setting "lerning_rate" to search; do you mean "learning_rate"\?/],
    ["learning-rate=a", /"a" is no number/],
    ["learning-rate=1..1", /MAX above MIN/],
    ["learning-rate=1..2", /a grid wants a list/, "grid"],
    ["optim=sgd", /"sgd" is none of adamw_torch, adamw_hf/],
  ];
  await Promise.all(wrong.map(async ([text, message, method = "random"]) => {
    const { code, stdout, stderr } = await berth([
      ...["search", "--train", "x.csv", "--try", text, "--method", method],
    ]);
    deepStrictEqual([code, stdout], [2, ""]);
    match(stderr, message);
  }));
});
