/** `berth train` on every task: recognised, learnt, measured again by `eval`, proved by `verify`. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { bestAnswers } from "../../src/cli/tasks/best_answers.ts";
import { withFolder } from "../helpers/folder.ts";
import { berth } from "./program.ts";
import { choiceText, conllText, corpusText, squadText, writeFiles } from "./task_data.ts";

interface TaskCase {
  name: string;
  train: string;
  test: string;
  flags?: string[];
  note: RegExp;
  /** The metric that must be at least so high. */
  goal: [metric: string, least: number];
  architecture: string;
}

const CASES: readonly TaskCase[] = [
  {
    ...{ name: "ner", train: "train.conll", test: "test.conll", flags: ["--max-steps", "24"] },
    note:
      /^the task is token-classification: the file has a word and its tag on each line\n[\s\S]*\n {2}LOC +\d+/,
    ...{ goal: ["f1", 0.9], architecture: "BertForTokenClassification" },
  },
  {
    ...{ name: "qa", train: "train.json", test: "test.json", flags: ["--max-steps", "60"] },
    note: /^the task is question-answering: the file is one of SQuAD\n[\s\S]*of them without an answer/,
    ...{ goal: ["f1", 70], architecture: "BertForQuestionAnswering" },
  },
  {
    ...{ name: "choice", train: "train.jsonl", test: "test.jsonl", flags: ["--max-steps", "40"] },
    note: /^the task is multiple-choice: "choices" is a list\n/,
    ...{ goal: ["accuracy", 0.8], architecture: "BertForMultipleChoice" },
  },
];

Deno.test("train tells the task from the file and learns its rule; eval measures the same, verify proves it", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, {
      "train.conll": conllText(120, 1),
      "test.conll": conllText(60, 2),
      "train.json": squadText(200, 1),
      "test.json": squadText(60, 2),
      "train.jsonl": choiceText(200, 1),
      "test.jsonl": choiceText(60, 2),
    });
    await Promise.all(CASES.map(async ({ name, train, test, flags, note, goal, architecture }) => {
      const common = ["--threads", "1", "--profile", "simd", "--learning-rate", "1e-3"];
      const files = ["--train", path(train), "--test", path(test), "--out", path(name)];
      const args = [...common, ...files, "--per-device-train-batch-size", "16", ...flags ?? []];
      const trained = await berth(["train", ...args, "--json", "--save-steps", "0.5"]);
      strictEqual(trained.code, 0, trained.stderr);
      match(trained.stderr, note);
      const { metrics } = JSON.parse(trained.stdout), [metric, least] = goal;
      ok(metrics[`test_${metric}`] >= least, JSON.stringify(metrics));
      const config = JSON.parse(readFileSync(new URL(`${name}/model/config.json`, folder), "utf8"));
      deepStrictEqual(config.architectures, [architecture]);
      const [scored, verified] = await Promise.all([
        berth(["eval", "-m", `${path(name)}/model`, "--test", path(test), "--json", ...common.slice(0, 4)]),
        berth(["verify", path(name), "--steps", "2", "--threads", "1"]),
      ]);
      const found = JSON.parse(scored.stdout).metrics;
      for (const key of Object.keys(found)) strictEqual(found[key], metrics[`test_${key}`], key);
      match(verified.stdout, /^the same bits: /, verified.stderr);
    }));
    const choose = ["predict", "-m", `${path("choice")}/model`, "--threads", "1"];
    const [words, rows] = await Promise.all([
      berth([...choose, "We go to Rome.", "Paris", "Rome", "Tokyo"]),
      berth([...choose, "--json"], '{"text": "We go to Tokyo.", "choices": ["Rome", "Tokyo"]}\n'),
    ]);
    match(words.stdout, /^(Paris|Rome|Tokyo)\t0\.\d{6}\tWe go to Rome\.\n$/, words.stderr);
    const { answer, label, scores } = JSON.parse(rows.stdout);
    strictEqual(["Rome", "Tokyo"][label], answer);
    ok(Math.abs(scores[0] + scores[1] - 1) < 1e-6 && scores[label] >= 0.5);
  });
});

Deno.test("fill-mask learns plain text and tells perplexity; without --task plain text is refused with advice", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, { "corpus.txt": corpusText(60, 1), "other.txt": corpusText(20, 2) });
    const args = ["--train", path("corpus.txt"), "--test", path("other.txt"), "--threads", "1"];
    const [plain, trained] = await Promise.all([
      berth(["train", ...args, "--out", path("no")]),
      berth([
        ...["train", ...args, "--task", "fill-mask", "--out", path("run"), "--max-steps", "6", "--json"],
        ...["--learning-rate", "1e-3", "--max-length", "64", "--whole-word-mask"],
      ]),
    ]);
    deepStrictEqual([plain.code, plain.stdout], [2, ""]);
    match(plain.stderr, /corpus\.txt: it is plain text; --task fill-mask trains a language model/);
    strictEqual(trained.code, 0, trained.stderr);
    const { metrics } = JSON.parse(trained.stdout);
    strictEqual(metrics.test_perplexity, Math.exp(metrics.test_loss));
    ok(metrics.test_loss < metrics.train_loss, JSON.stringify(metrics));
    const filled = await berth([
      "predict",
      "-m",
      `${path("run")}/model`,
      "--json",
      "Ada went to [MASK] by train.",
    ]);
    strictEqual(JSON.parse(filled.stdout).words.length, 5);
  });
});

Deno.test("tags that name no entities are scored word by word; rows of lists are read, --label-names names numbers", async () => {
  await withFolder(async (folder) => {
    const rows = ["the dog runs", "a cat sleeps", "the cat runs", "a dog sleeps"].map((text) =>
      JSON.stringify({ words: text.split(" "), tags: [0, 1, 2] }) + "\n"
    );
    const path = writeFiles(folder, { "rows.jsonl": rows.join("").repeat(8) });
    const args = [
      "--train",
      path("rows.jsonl"),
      "--test",
      path("rows.jsonl"),
      "--label-names",
      "DET,NOUN,VERB",
    ];
    const { code, stdout, stderr } = await berth([
      ...["train", ...args, "--out", path("run"), "--max-steps", "20", "--learning-rate", "1e-3"],
      ...["--threads", "1", "--json"],
    ]);
    strictEqual(code, 0, stderr);
    const { metrics, classes } = JSON.parse(stdout);
    ok(metrics.test_accuracy > 0.9 && metrics.test_f1_macro > 0.9, stdout);
    deepStrictEqual(classes.map(({ label }: { label: string }) => label), ["DET", "NOUN", "VERB"]);
  });
});

Deno.test("the best answer of all windows is chosen, and none only where [CLS] scores higher in every window", () => {
  const context = "Ada wrote it", offsets = [null, null, null, [0, 3], [4, 9], [10, 12], null] as const;
  const windows = [0, 0, 1].map((example) => ({ example, offsets }));
  const examples = [{ context }, { context }];
  const start = [[0, 9, 9, 1, 0, 0, 9], [0, 0, 0, 2, 0, 3, 0], [5, 0, 0, 4, 0, 0, 0]];
  const end = [[0, 9, 9, 0, 2, 0, 9], [0, 0, 0, 2, 0, 0, 0], [5, 0, 0, 0, 0, 4, 0]];
  const texts = (mayBeEmpty: boolean) =>
    bestAnswers(examples, windows, start, end, { mayBeEmpty }).map(({ text }) => text);
  deepStrictEqual(texts(false), ["Ada", "Ada wrote it"]); // 2 + 2 beats 1 + 2; a span never ends before it begins
  deepStrictEqual(texts(true), ["Ada", ""]);
});

const WRONG: readonly [file: string, content: string, flags: string[], message: RegExp][] = [
  ["columns.conll", "Ada B-PER\nran O O\n", [], /line 2: there are 3 columns, expected 2 as in line 1/],
  ["word.conll", "Ada\n", [], /line 1: there are 1 columns, a word and its tag are wanted/],
  ["empty.conll", "\n\n", [], /line 3: it has no words/],
  [
    "tags.jsonl",
    '{"words": ["a"], "tags": ["O"]}\n{"words": ["a"], "tags": []}\n',
    [],
    /line 2: there are 1 words and 0 tags/,
  ],
  [
    "kind.jsonl",
    '{"words": ["a", 1, null], "tags": ["O"]}\n',
    [],
    /line 1: the words are .*a list of texts is wanted/,
  ],
  [
    "answer.json",
    '{"data": [\n{"paragraphs": [{"context": "abc", "qas": [\n{"id": "1", "question": "?", "answers": [{"text": "x", "answer_start": 0}]}]}]}]}',
    [],
    /line 3, column 42: .*the answer "x" is not at answer_start 0; its context does not have it/,
  ],
  ["cut.json", '{"data": [\n{"paragraphs": [', [], /line 2, column \d+: there is no JSON/],
  ["shape.json", '{"data":\n {}}', [], /line 2, column 2: data is something else, a list is wanted/],
  [
    "qa.jsonl",
    '{"question": "?", "context": "abc", "answers": {"text": ["b"], "answer_start": [0]}}\n',
    [],
    /line 1, column "answers": .*"b" is not at answer_start 0; it is elsewhere/,
  ],
  [
    "count.jsonl",
    '{"text": "a", "choices": ["b", "c"], "label": 0}\n{"text": "a", "choices": ["b"], "label": 0}\n',
    [],
    /line 2: there are 1 choices, expected 2/,
  ],
  [
    "which.jsonl",
    '{"text": "a", "choices": ["b", "c"], "label": 2}\n',
    [],
    /line 1, column "label": the label is "2", wanted 0 to 1/,
  ],
  [
    "none.jsonl",
    '{"text": "a", "choices": ["b", "c"]}\n',
    [],
    /line 1, column "label": the label is missing/,
  ],
  ["blank.txt", " \n", ["--task", "fill-mask"], /blank\.txt": it has no text/],
  [
    "rows.jsonl",
    '{"a": ["x"], "tags": ["O"]}\n',
    ["--task", "token-classification"],
    /line 1: no column holds the words; there are "a", "tags"/,
  ],
];

Deno.test("malformed files of each task are refused with their line", async () => {
  await withFolder(async (folder) => {
    const path = writeFiles(folder, Object.fromEntries(WRONG.map(([file, content]) => [file, content])));
    await Promise.all(WRONG.map(async ([file, , flags, message]) => {
      const { code, stdout, stderr } = await berth(["train", "--train", path(file), "-q", ...flags]);
      deepStrictEqual([code, stdout], [1, ""], file);
      match(stderr, /^berth: [^\n]+\n$/, file);
      match(stderr, message);
    }));
    const train = writeFiles(folder, { "ok.conll": "Ada B-PER\n", "new.conll": "a O\n\nb B-ORG\n" });
    const unknown = await berth(["train", "--train", train("ok.conll"), "--test", train("new.conll"), "-q"]);
    match(unknown.stderr, /new\.conll", line 1: the tag "O" is unknown; there are "B-PER"/);
  });
});
