/** What a run leaves to look at, and `berth report`. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CodeExample, RunReport } from "../../src/report/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { hasPython } from "../helpers/python.ts";
import { berth, demoData } from "./program.ts";

const RUN = [
  ...[
    "train",
    "--train",
    demoData("train"),
    "--test",
    demoData("test"),
    "--label-names",
    "negative,positive",
  ],
  ...["--max-steps", "12", "--learning-rate", "5e-4", "--threads", "2", "-q"],
];

Deno.test("a run's files make its report again, and pages that compare it; damage is told", async () => {
  await withFolder(async (folder) => {
    const path = (name: string) => fileURLToPath(new URL(name, folder));
    const read = (name: string) => readFileSync(new URL(name, folder), "utf8");
    const trained = await Promise.all([
      berth([...RUN, "--out", path("one")]),
      berth([
        ...RUN,
        "--out",
        path("two"),
        "--seed",
        "7",
        "--report-to",
        "none",
        "--no-baseline",
        "--no-explain",
      ]),
    ]);
    deepStrictEqual(trained.map(({ code, stderr }) => [code, stderr]), [[0, ""], [0, ""]]);
    deepStrictEqual(
      readdirSync(new URL("one/", folder)).filter((name) => !name.startsWith("checkpoint")).sort(),
      [
        ...["figures", "metrics.jsonl", "model", "receipt.json", "report.html", "results.json", "run.json"],
        "tensorboard",
      ],
    );
    ok(!readdirSync(new URL("two/", folder)).includes("tensorboard"));
    const html = read("one/report.html"),
      { report } = JSON.parse(read("one/results.json")) as { report: RunReport };
    for (
      const part of [
        "Was BERT worth it?",
        "Calibration",
        "Least sure",
        "How much a word speaks",
        "Parts",
        "Tokens per second",
      ]
    ) ok(html.includes(part), part);
    const { comparison, confusion } = report;
    strictEqual(report.data.train, 480);
    strictEqual(comparison!.baseline_accuracy, 0.725); // scikit-learn's too
    const { both, only_model } = comparison!.counts, [[tn], [, tp]] = confusion!.counts;
    strictEqual(both + only_model, tn + tp);
    ok(!read("two/report.html").includes("Was BERT worth it?"));

    rmSync(new URL("one/report.html", folder));
    rmSync(new URL("one/figures", folder), { recursive: true });
    const again = await berth(["report", path("one")]);
    deepStrictEqual([again.code, again.stdout], [0, ""]);
    strictEqual(read("one/report.html"), html);
    ok(readdirSync(new URL("one/figures/", folder)).includes("calibration.svg"));
    const both_runs = await berth(["report", path("one"), path("two"), "-o", path("both.html"), "--json"]);
    deepStrictEqual(JSON.parse(both_runs.stdout).wrote, path("both.html"));
    match(
      read("both.html"),
      /<h1 dir="auto">2 runs<\/h1>[\s\S]*<th scope="row">seed<\/th><td class="text">—<\/td><td class="text">7/,
    );

    const refused = async (text: string | undefined, message: RegExp) => {
      const file = new URL("two/results.json", folder);
      if (text === undefined) rmSync(file);
      else writeFileSync(file, text);
      const { code, stderr } = await berth(["report", path("two")]);
      strictEqual(code, 1);
      match(stderr, message);
    };
    await refused("{", /^berth: Cannot report on .*: results\.json is no JSON \(.*\)\n$/);
    await refused('{"version": 2}', /the version of results\.json is 2, 1 is wanted\n$/);
    await refused('{"version": 1, "report": {}}', /report\.title is undefined, a text is wanted\n$/);
    await refused(undefined, /there is no results\.json; berth train writes it when a run has ended\n$/);

    for (const example of report.code!) runExample(example, folder);
  });
});

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** Runs what the report says of the use of the model. */
function runExample({ language, text }: CodeExample, folder: URL): void {
  const run = (program: string, args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: "utf8",
      env: { ...Deno.env.toObject(), HF_HUB_OFFLINE: "1" },
    });
    strictEqual(status, 0, stderr);
    match(stdout, /(negative|positive)/);
  };
  if (language === "ts") {
    const file = new URL("use.ts", folder), library = new URL("../../mod.ts", import.meta.url).href;
    writeFileSync(file, text.replace("@berth/berth", library));
    run(Deno.execPath(), ["run", "-A", "--no-check", "--config", CONFIG, fileURLToPath(file)]);
  } else if (language === "python" && hasPython("transformers")) {
    run(Deno.env.get("BERTH_PYTHON")!, ["-c", text]);
  }
}
