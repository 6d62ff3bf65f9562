/** What the README says can be run, runs. */
import { match, ok, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withFolder } from "../helpers/folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const README = readFileSync(`${ROOT}README.md`, "utf8");

function deno(args: string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync(Deno.execPath(), args, { cwd: ROOT, input, encoding: "utf8" });
  strictEqual(status, 0, stderr);
  return stdout;
}

Deno.test("the README's first program runs as it stands, and its loss falls", () =>
  withFolder((url) => {
    const folder = fileURLToPath(url);
    const code = /```ts\n([\s\S]*?)```/.exec(README)![1].replace("out/my-model", folder);
    const losses = deno(["run", "-A", "--no-check", "--ext=ts", "-"], code).trim().split("\n")
      .map((line) => Number(line.split(" ")[1]));
    ok(losses.length === 20 && losses.at(-1)! < 0.2 * losses[0]);
    ok(existsSync(`${folder}/model.safetensors`));
  }));

Deno.test("the README's program on tfjs runs as it stands, and its loss falls", () => {
  const code = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].find(([, text]) => text.includes("/tfjs"))![1];
  const losses = deno(["run", "-A", "--no-check", "--ext=ts", "-"], code).trim().split("\n")
    .map((line) => Number(line.split(" ")[1]));
  ok(losses.length === 40 && losses.at(-1)! < 0.2 * losses[0]);
});

Deno.test("the README's programs on predicting and on memory run as they stand", () => {
  const programs = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  const run = (what: string) =>
    deno(["run", "-A", "--no-check", "--ext=ts", "-"], programs.find((code) => code.includes(what))!);
  match(run("await predict("), /^(LABEL_[01] [\d.]+\n){3}$/);
  match(run("formatPlan("), /total +2\.85 GiB of 4\.00 GiB/);
});

/** The program that uses what the commands of berth make. */
const AFTER_COMMANDS = "out/fans/model";

for (const [, code] of README.matchAll(/```ts\n([\s\S]*?)```/g)) {
  if (code.includes(AFTER_COMMANDS)) continue;
  const [, first] = /^(?:import .*\n\s*)*(.*)/.exec(code)!;
  Deno.test(`the README's program runs: ${first}`, () =>
    withFolder((url) =>
      void deno(["run", "-A", "--no-check", "--ext=ts", "-"], code.replaceAll("out/", fileURLToPath(url)))
    ));
}

Deno.test("the README's commands of berth run one after another, then the program that uses their model", () =>
  withFolder((url) => {
    const commands = [...README.matchAll(/^npx -y deno@2\.9 task berth ([^#\n]+)/gm)].map(([, line]) =>
      [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) =>
        quoted ?? word.replace(/^out\//, fileURLToPath(url))
      )
    );
    strictEqual(commands.length, 4);
    const outputs = commands.map((args) => deno(["run", "-A", "--no-check", "src/cli/main.ts", ...args]));
    match(outputs[1], /^positive\t/);
    const [, code] = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].find(([, text]) =>
      text.includes(AFTER_COMMANDS)
    )!;
    const output = deno(
      ["run", "-A", "--no-check", "--ext=ts", "-"],
      code.replaceAll("out/", fileURLToPath(url)),
    );
    match(output, /label: "positive"[\s\S]*label: "negative"/);
  }));

Deno.test("every task that the README names exists", () => {
  const { tasks } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
  const named = [...README.matchAll(/deno(?:@2\.9)? task ([a-z:]+)/g)].map(([, name]) => name);
  ok(named.length > 4);
  for (const name of named) ok(name in tasks, name);
});

Deno.test("the demo learns, saves a checkpoint that loads, and writes a report without outside links", () =>
  withFolder((url) => {
    const folder = fileURLToPath(url);
    const output = deno([
      "run",
      "-A",
      "--no-check",
      "scripts/demo/demo.ts",
      "--epochs",
      "2",
      "--out",
      folder,
    ]);
    const [before, after] = [...output.matchAll(/accuracy .* training: +([\d.]+) %/g)].map(([, x]) =>
      Number(x)
    );
    ok(after >= 80 && after >= before + 20, output);
    match(output, /I love baseball\. -> positive/);
    match(output, /I hate baseball\. -> negative/);
    const report = readFileSync(`${folder}/report.html`, "utf8");
    ok(!/(?:src|href)="(?!#)/.test(report) && report.includes("<svg"));
    for (const file of ["config.json", "model.safetensors", "vocab.txt", "tokenizer.json"]) {
      ok(existsSync(`${folder}/model/${file}`), file);
    }
  }));

Deno.test("the notebook prints the tree, the report, the names and the encoding, and draws the weight", () =>
  withFolder((url) => {
    const folder = fileURLToPath(url);
    const output = deno([
      "run",
      "-A",
      "--no-check",
      "scripts/notebook/notebook.ts",
      "--steps",
      "5",
      "--out",
      folder,
    ]);
    match(output, /^BertModel\(\n {2}\(embeddings\): BertEmbeddings\(/m);
    match(output, /^ {2}"finetuning_task": null,$/m);
    match(output, /are newly initialized: \['classifier.weight', 'classifier.bias'\]/);
    match(output, /^odict_keys\(\['bert.embeddings.word_embeddings.weight', /m);
    match(output, /^\{'input_ids': tensor\(\[\[ +2, +51, 1064, 3776, +18, +3\],\n {8}\[ +2, /m);
    match(
      readFileSync(`${folder}/weight.svg`, "utf8"),
      /^<svg[\s\S]*bert\.encoder\.layer\.3\.output\.dense\.weight\[0\]\[0\]/,
    );
  }));
