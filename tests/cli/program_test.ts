/** What the program says without computing: help, version, errors. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withFolder } from "../helpers/folder.ts";
import { FakeHub } from "../hub/fake_hub.ts";
import { berth, demoData, start } from "./program.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("--version is that of deno.json", async () => {
  const { version } = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
  deepStrictEqual(await berth(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
});

Deno.test("--help lists every command, and each has a help with its flags and examples", async () => {
  const { code, stdout } = await berth(["--help"]);
  strictEqual(code, 0);
  const names = Array.from(stdout.matchAll(/^ {2}([\w-]+) {2,}\S/gm), ([, name]) => name);
  ok(names.includes("train") && names.includes("doctor"), stdout);
  for (const { code, stdout, stderr } of await Promise.all(names.map((name) => berth([name, "--help"])))) {
    deepStrictEqual([code, stderr], [0, ""]);
    match(stdout, /^berth [\w-]+.*\n\n[\s\S]+\n {2}-h, --help[\s\S]+\nExamples\n {2}# .+\n {2}berth /);
  }
});

const WRONG: readonly [args: string[], message: RegExp][] = [
  [[], /^berth: Cannot run berth without a command\n/],
  [["trian"], /^berth: Cannot run "berth trian": there is no such command; do you mean train\?\n$/],
  [["train", "--lerning-rate=1"], /^berth: Cannot use --lerning-rate: .*do you mean --learning-rate\?\n$/],
  [["train"], /^berth: Cannot go on without --train FILE/],
  [["train", "--train"], /^berth: Cannot use --train: it has no value, FILE is wanted\n$/],
  [["train", "--train", "--seed", "3"], /^berth: Cannot use --train: it has no value/],
  [["train", "--train", "x.tsv", "--seed", "abc"], /^berth: Cannot use --seed "abc": a number is wanted\n$/],
  [
    ["train", "--train", "x.tsv", "--learning_rate", "-1"],
    /^berth: Cannot train with learning_rate -1: .*\n$/,
  ],
  [
    ["train", "--train", "x.tsv", "--optim", "sgd"],
    /^berth: Cannot use --optim "sgd": one of adamw_torch, .*\n$/,
  ],
  [
    ["train", "--train", "x", "--lora-alpha", "4"],
    /^berth: Cannot use --lora-alpha without LoRA: --lora-rank N is wanted\n$/,
  ],
  [
    ["train", "--train", "x", "--lora-rank", "0"],
    /^berth: Cannot use LoRA with r 0: a whole number from 1 .*\n$/,
  ],
  [
    ["train", "--train", "x", "--lora-rank", "2", "--bitfit"],
    /^berth: Cannot use --lora-rank and --bitfit together: .*\n$/,
  ],
  [
    ["train", "--train", "x", "--layer-decay", "2"],
    /^berth: Cannot use --layer-decay 2: a number above 0, .*\n$/,
  ],
  [["train", "x.tsv"], /^berth: Cannot run "berth train": "x.tsv" is one word too many; wanted is: .*\n$/],
  [["train", "--config", "no/run.json"], /^berth: Cannot use no\/run.json: there is no such file\n$/],
  [["doctor", "--threads", "0"], /^berth: Cannot use --threads 0: a whole number above 0 is wanted\n$/],
  [["inspect"], /^berth: Cannot run "berth inspect": wanted is: berth inspect MODEL/],
];

Deno.test("a wrong call ends with 2 and one line that says what is wanted, and nothing on stdout", async () => {
  const all = await Promise.all(WRONG.map(([args]) => berth(args)));
  all.forEach(({ code, stdout, stderr }, i) => {
    deepStrictEqual([code, stdout], [2, ""], WRONG[i][0].join(" "));
    match(stderr, WRONG[i][1]);
  });
});

Deno.test("what cannot be done ends with 1 and one line; --debug adds where it came from", async () => {
  const [missing, noHead, debug] = await Promise.all([
    berth(["train", "--train", "no/such.tsv"]),
    berth(["eval", "-m", "berth-tiny", "--test", demoData("test"), "--task", "text-classification"]),
    berth(["train", "--train", "no/such.tsv", "--debug"]),
  ]);
  deepStrictEqual([missing.code, noHead.code, debug.code], [1, 1, 1]);
  strictEqual(missing.stderr, 'berth: Cannot read "no/such.tsv": there is no such file\n');
  match(
    noHead.stderr,
    /^berth: Cannot measure "berth-tiny": it is a BertForMaskedLM, one ForSequenceClassification is wanted; [^\n]*berth train makes one\n$/,
  );
  match(debug.stderr, /\n {4}at .*open\.ts/);
  strictEqual(missing.stdout + noHead.stdout + debug.stdout, "");
});

Deno.test("tokenize reads arguments, lines and JSON, and writes only tokens to stdout", async () => {
  const [words, lines, json] = await Promise.all([
    berth(["tokenize", "Unbelievable plays!"]),
    berth(["tokenize", "--ids"], "a b\r\na b\n"),
    berth(["tokenize", "--json", "--input_format", "jsonl"], '{"text": "Hi", "text_pair": "you"}\n'),
  ]);
  strictEqual(words.stdout, "[CLS] unb ##el ##ie ##v ##able plays ! [SEP]\n");
  const [first, second, ...rest] = lines.stdout.split("\n");
  match(first, /^\d+( \d+){3}$/);
  deepStrictEqual([second, rest], [first, [""]]);
  const { tokens, offsets, token_type_ids } = JSON.parse(json.stdout);
  deepStrictEqual(tokens.at(-1), "[SEP]");
  deepStrictEqual(token_type_ids[0] + 2 * token_type_ids.at(-1), 2);
  strictEqual(offsets.length, tokens.length);
  strictEqual(words.stderr + lines.stderr + json.stderr, "");
});

Deno.test("inspect shows modules, parameters and the plan of a step", async () => {
  const [text, json] = await Promise.all([
    berth(["inspect", "berth-tiny", "--batch-size", "4"]),
    berth(["inspect", "berth-tiny", "--tensors", "--json"]),
  ]);
  match(text.stdout, /^BertForMaskedLM\(\n[\s\S]*\(word_embeddings\): Embedding\(8192, 128/);
  match(text.stdout, /training on 4 sequences, 512 tokens[\s\S]*\ntotal .* MiB of 4\.00 GiB\n/);
  const { parameters, tensors, plan } = JSON.parse(json.stdout);
  const sum = parameters.reduce(
    (all: number, { shape }: { shape: number[] }) => all + shape.reduce((a, b) => a * b, 1),
    0,
  );
  strictEqual(sum, plan.parameters.total);
  ok(tensors.length > 60 && tensors[0].dtype === "F16");
});

Deno.test("doctor tells runtime, kernels and a speed", async () => {
  const { code, stdout } = await berth(["doctor", "--threads", "1", "--profile", "simd", "--json"]);
  const facts = JSON.parse(stdout);
  deepStrictEqual([code, facts.profile, facts.threads], [0, "simd", 1]);
  ok(facts.training_gflops > 0 && /^deno /.test(facts.runtime), stdout);
});

Deno.test("schema has every TrainingArgument with its default", async () => {
  const { properties } = JSON.parse((await berth(["schema"])).stdout);
  deepStrictEqual([properties.weight_decay.type, properties.weight_decay.default], ["number", 0.01]);
  ok(!("default" in properties.learning_rate) && properties.lora_rank.type === "number");
  deepStrictEqual(properties.optim.enum, ["adamw_torch", "adamw_hf"]);
  const source = readFileSync(new URL("src/train/arguments.ts", ROOT), "utf8");
  const [, body] = /export interface TrainingArguments \{([\s\S]*?)\n\}/.exec(source)!;
  const names = Array.from(body.matchAll(/^ {2}(\w+)\?:/gm), ([, name]) => name)
    .filter((name) => !["output_dir", "handle_signals"].includes(name));
  ok(names.length > 40);
  deepStrictEqual(names.filter((name) => !(name in properties)), []);
});

Deno.test("download fetches what berth reads of a model, into the cache and a folder; offline it is found again", async () => {
  const hub = await FakeHub.start();
  try {
    const vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb";
    hub.add("own/model", {
      "config.json": "{}",
      "vocab.txt": vocab,
      "model.safetensors": new Uint8Array(70_000).fill(7),
      "pytorch_model.bin": new Uint8Array(70_000),
      "onnx/model.onnx": "no",
    });
    await withFolder(async (folder) => {
      const cache = ["--cache-dir", fileURLToPath(new URL("cache", folder))], out = new URL("copy/", folder);
      const online = { HF_HUB_OFFLINE: "0", HF_ENDPOINT: hub.url };
      const args = ["download", "own/model", ...cache, "--out", fileURLToPath(out), "--json"];
      const { code, stdout, stderr } = await berth(args, "", online);
      strictEqual(code, 0, stderr);
      const files = { "config.json": 2, "vocab.txt": vocab.length, "model.safetensors": 70_000 };
      deepStrictEqual(JSON.parse(stdout), { model: "own/model", files });
      match(stderr, /model\.safetensors 70\.0 kB, done/);
      deepStrictEqual(readFileSync(new URL("model.safetensors", out)), Buffer.alloc(70_000, 7));
      strictEqual(
        (await berth(["tokenize", "-m", "own/model", ...cache, "a b c"])).stdout,
        "[CLS] a b [UNK] [SEP]\n",
      );
      const unknown = await berth(["download", "own/other", ...cache], "", online);
      deepStrictEqual([unknown.code, unknown.stdout], [1, ""]);
      match(unknown.stderr, /^berth: Cannot [^\n]*own\/other[^\n]*\n$/);
    });
  } finally {
    await hub.close();
  }
});

Deno.test("predict fills gaps, refuses a model without a head, and ends quietly when nobody reads any more", async () => {
  const [filled, bare] = await Promise.all([
    berth(["predict", "-m", "berth-tiny", "--json", "I love [MASK] ball."]),
    berth(["predict", "-m", "berth-tiny", "--task", "token-classification", "A text."]),
  ]);
  strictEqual(JSON.parse(filled.stdout).words.length, 5);
  strictEqual(bare.code, 1);
  match(bare.stderr, /^berth: Cannot make a token-classification pipeline of "berth-tiny": [^\n]+\n$/);
  const { process, wrote, ended } = start(["tokenize"]);
  process.stdin!.on("error", () => {});
  process.stdin!.write("a\n");
  await wrote("stdout", "[SEP]");
  process.stdout!.destroy();
  process.stdin!.end("b\n".repeat(100_000));
  const { code, stderr } = await ended;
  deepStrictEqual([code, stderr], [0, ""]);
});
