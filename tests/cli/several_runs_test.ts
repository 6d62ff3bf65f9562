/** `berth train` with several seeds or folds: a folder each, their mean and deviation. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { withFolder } from "../helpers/folder.ts";
import { berth, demoData } from "./program.ts";
import { conllText, writeFiles } from "./task_data.ts";

interface Summary {
  runs: { name: string; metrics: Record<string, number> }[];
  mean: Record<string, number>;
  std: Record<string, number>;
}

Deno.test("--seeds trains once a seed, --folds once a fold, and both tell mean and deviation", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, { "train.conll": conllText(40, 1) }),
      short = ["--threads", "1", "--max-steps", "4"];
    const [seeds, folds, single] = await Promise.all([
      berth([
        ...["train", "--train", demoData("train"), "--test", demoData("test"), ...short],
        ...["--seeds", "1,2", "--out", path("seeds"), "--json"],
      ]),
      berth(["train", "--train", path("train.conll"), ...short, "--folds", "3", "--out", path("folds")]),
      berth([
        ...[
          "train",
          "--train",
          path("train.conll"),
          ...short,
          "--folds",
          "3",
          "--fold",
          "2",
          "--out",
          path("one"),
        ],
        ...["--json", "--save-steps", "2"],
      ]),
    ]);
    deepStrictEqual(
      [seeds.code, folds.code, single.code],
      [0, 0, 0],
      seeds.stderr + folds.stderr + single.stderr,
    );
    const { runs, mean, std }: Summary = JSON.parse(seeds.stdout);
    const [a, b] = runs.map(({ metrics }) => metrics.test_loss);
    deepStrictEqual(runs.map(({ name }) => name), ["seed 1", "seed 2"]);
    ok(a !== b && Math.abs(mean.test_loss - (a + b) / 2) < 1e-12);
    ok(Math.abs(std.test_loss - Math.abs(a - b) / Math.SQRT2) < 1e-12);
    match(folds.stdout, /^metric +mean +std\neval_loss +0?\.?\d[\s\S]*\neval_f1 +/);
    for (const fold of [1, 2, 3]) {
      ok(existsSync(new URL(`folds/fold-${fold}/model/model.safetensors`, folder)));
    }
    const page = readFileSync(new URL("folds/compare.html", folder), "utf8");
    match(page, /<h1 dir="auto">3 runs<\/h1>[\s\S]*fold-1[\s\S]*fold-3[\s\S]*<th scope="row">fold<\/th>/);
    const summary: Summary = JSON.parse(readFileSync(new URL("folds/summary.json", folder), "utf8"));
    strictEqual(JSON.parse(single.stdout).metrics.eval_loss, summary.runs[1].metrics.eval_loss);
    const { stdout, stderr } = await berth(["verify", path("one"), "--threads", "1"]);
    strictEqual(stdout, "the same bits: steps 3 to 4, training data, weights after step 4\n", stderr);
  });
});

Deno.test("folds and seeds that contradict other flags are refused", async () => {
  const wrong: readonly [flags: string[], message: RegExp][] = [
    [["--folds", "1"], /Cannot use --folds 1: a whole number above 1 is wanted/],
    [["--folds", "3", "--fold", "4"], /Cannot use --fold 4: a whole number from 1 to --folds is wanted/],
    [["--folds", "3", "--eval", "x"], /Cannot use --folds and --eval together/],
    [["--train", "-", "--seeds", "1,2"], /Cannot make several runs of standard input/],
    [["--folds", "3", "--seeds", "1,2"], /Cannot use --seeds and --folds together/],
  ];
  await Promise.all(wrong.map(async ([flags, message]) => {
    const { code, stdout, stderr } = await berth(["train", "--train", "x.csv", ...flags]);
    deepStrictEqual([code, stdout], [2, ""]);
    match(stderr, message);
  }));
});
