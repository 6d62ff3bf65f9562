/** Pipelines against Python's on texts made anew: 100 a task, odd ones of every kind. BERTH_SEED chooses others. */
import { strictEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  BertForSequenceClassification,
  BertForTokenClassification,
  BertTokenizer,
  dispose,
  pipeline,
} from "../../mod.ts";
import { Random } from "../../src/random.ts";
import { withFolder } from "../helpers/folder.ts";
import { hasPython, runPython } from "../helpers/python.ts";
import { answerRows, entityRows, same } from "./same.ts";

const SEED = Number(Deno.env.get("BERTH_SEED") ?? 20261125), COUNT = 100;
const GOLDEN = new URL("golden/", import.meta.url);

/** Pieces of text that are easy to get wrong: each block of Unicode that the tokenizer treats in a way of its own. */
const ODD = [
  ..."\u00e9\u0130\u00df\ufb01\u0301\u200b\u00a0\u3000\t\n\u4e2d\u65e5\u30c6\uac00\u0e44\u0905\u05d0\u0627.,!?-'\"()[]{}$%&/\\@#_~^`|<>=+*0129",
  ...[
    "\u{1f389}",
    "\u{1f469}\u200d\u{1f467}",
    "\u{1d54f}",
    "[SEP]",
    "[MASK]",
    "[UNK]",
    "[PAD]",
    "##s",
    "...",
    "x".repeat(101),
  ],
];

/** Texts of words of the vocabulary and odd pieces, from none to far more than the model takes. */
function makeTexts(random: Random, words: readonly string[]): string[] {
  const pick = <T>(all: readonly T[]) => all[Math.floor(random.uniform() * all.length)];
  return Array.from({ length: COUNT }, (_, i) => {
    const count = i === 0 ? 0 : Math.floor(2 ** (random.uniform() * (i % 20 === 1 ? 9 : 5.5)));
    const piece = () => {
      const word = random.uniform() < 0.2 ? pick(ODD) : pick(words), kind = random.uniform();
      return kind < 0.1 ? word.toUpperCase() : kind < 0.2 ? word + pick(words) : word;
    };
    return Array.from({ length: count }, piece).join(random.uniform() < 0.1 ? "" : " ");
  });
}

interface Job {
  task: string;
  folder: URL;
  options: Record<string, unknown>;
  inputs: unknown[];
}

/** What berth's pipeline says, in the form of outputs.py. */
async function runHere({ task, folder, options, inputs }: Job): Promise<unknown[]> {
  const run = await pipeline(task as "ner", folder) as unknown as {
    (inputs: unknown, options: object): Promise<never[]>;
    dispose(): Promise<void>;
  };
  const pooled = task === "feature-extraction" ? { pooling: "mean" } : {};
  const found = await run(inputs, { ...options, ...pooled });
  await run.dispose();
  if (task === "token-classification") return found.map(entityRows);
  if (task === "question-answering") return found.map(answerRows);
  return task === "feature-extraction" ? (found as unknown as { tolist(): number[][] }).tolist() : found;
}

/** Checkpoints whose labels all have the same score. */
async function withTies(folder: URL): Promise<Job[]> {
  const inputs = ["a film", "the story of it all", ""];
  const classes = {
    "text-classification": BertForSequenceClassification,
    "token-classification": BertForTokenClassification,
  };
  const jobs: Job[] = [];
  for (const [task, Class] of Object.entries(classes)) {
    const source = new URL(`${task}/`, GOLDEN), target = new URL(`${task} ties/`, folder);
    const model = await (Class as typeof BertForSequenceClassification).from_pretrained(source);
    for (const name of ["classifier.weight", "classifier.bias"]) {
      model.get_parameter(name).values().fill(0);
      model.get_parameter(name).markWritten();
    }
    await model.save_pretrained(target);
    await (await BertTokenizer.from_pretrained(source)).save_pretrained(target);
    model.dispose();
    const options = task === "text-classification"
      ? { top_k: null }
      : { aggregation_strategy: "average", ignore_labels: [] };
    jobs.push({ task, folder: target, options, inputs });
  }
  return jobs;
}

Deno.test({
  name: `pipelines on ${COUNT} texts of seed ${SEED} say what Python's say, within 1e-5`,
  ignore: !hasPython("transformers"),
  fn: () =>
    withFolder(async (folder) => {
      const random = new Random(SEED),
        tokenizer = await BertTokenizer.from_pretrained(new URL("fill-mask/", GOLDEN));
      const words = [...tokenizer.get_vocab().keys()].filter((word) => /^[a-z]{2,}$/.test(word));
      const texts = makeTexts(random, words), strategies = ["none", "simple", "first", "average", "max"];
      const gaps = texts.map((text) => `${text.slice(0, 60)} [MASK] ${text.slice(60, 90)}`.toWellFormed());
      const pairs = texts.map((text) => ({ question: words.slice(0, 5).join(" "), context: text }))
        .filter(({ context }) => context.trim() !== "");
      const job = (task: string, inputs: unknown[], options: Job["options"]): Job => ({
        task,
        folder: new URL(`${task}/`, GOLDEN),
        options,
        inputs,
      });
      const jobs = [
        job("text-classification", texts, { top_k: null }),
        job("text-classification", texts, { top_k: 2, function_to_apply: "sigmoid" }),
        ...strategies.map((aggregation_strategy) =>
          job("token-classification", texts, { aggregation_strategy })
        ),
        ...strategies.slice(3).map((aggregation_strategy) =>
          job("token-classification", texts, { aggregation_strategy, stride: 7, ignore_labels: [] })
        ),
        job("fill-mask", gaps, { top_k: 3 }),
        job("feature-extraction", texts, {}),
        job("question-answering", pairs, { top_k: 2, doc_stride: 11, max_seq_len: 48, max_question_len: 20 }),
        ...await withTies(folder),
      ];
      const own: unknown[][] = [];
      for (const one of jobs) own.push(await runHere(one));
      dispose();
      const list = new URL("jobs.json", folder);
      writeFileSync(list, JSON.stringify(jobs.map((one) => ({ ...one, folder: fileURLToPath(one.folder) }))));
      const theirs = await runPython(
        new URL("run_pipelines.py", import.meta.url),
        list,
      ) as (unknown[] | null)[];
      theirs.forEach((said, i) => {
        const { task, options, inputs } = jobs[i];
        if (said === null) return console.log(`Skipped: ${task}; BERTH_PYTHON has no such pipeline`);
        strictEqual(own[i].length, said.length, task);
        said.forEach((wanted, k) =>
          same(own[i][k], wanted, `${task} ${JSON.stringify(options)} ${JSON.stringify(inputs[k])}`)
        );
      });
    }),
});
