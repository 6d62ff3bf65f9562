/** Heads on berth-tiny learn rules that need the context, far beyond what guessing gives, on examples not seen before. */
import { ok } from "node:assert/strict";
import { BertTokenizer } from "../../src/hub/mod.ts";
import { BertForMultipleChoice, BertForTokenClassification } from "../../src/model/mod.ts";
import { Random } from "../../src/random.ts";
import {
  type EvalPrediction,
  type Example,
  Trainer,
  type TrainerCallback,
  type TrainingArguments,
} from "../../src/train/mod.ts";
import { withBackend } from "./trainer_helpers.ts";

const NOUNS = ("apple ball bell bird boat book bread chair clock coin cup dog door flag flower fish " +
  "glass guitar hat horse key knife lamp letter map mirror paper pen plate ring shoe spoon table tree").split(
    " ",
  );
const PLACES =
  ("garden kitchen school church park river station hotel bank office street house market hospital " +
    "library museum").split(" ");
const ARGS: TrainingArguments = {
  ...{ per_device_train_batch_size: 16, per_device_eval_batch_size: 32, warmup_ratio: 0.1, seed: 1 },
};

const QUIET = { on_report: () => {}, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };

/** Different items of a list. */
function some<T>(random: Random, list: readonly T[], count: number): T[] {
  return random.shuffle([...list]).slice(0, count);
}

const progress: TrainerCallback = {
  on_step_end: ({ step, state }) => {
    if (step.step % 40 === 0) {
      console.log(`step ${step.step} of ${state.max_steps}: loss ${step.loss.toFixed(3)}`);
    }
  },
};

const highest = (row: number[]): number => row.indexOf(Math.max(...row));

/** Prints and checks the share of right answers, and that of the best guess. */
function report(task: string, accuracy: number, baseline: string, guessed: number): void {
  console.log(
    `${task}: ${(100 * accuracy).toFixed(1)} % right; ${baseline}: ${(100 * guessed).toFixed(1)} %`,
  );
  ok(accuracy >= 0.95 && guessed < 0.8, `${accuracy}, ${guessed}`);
}

/** One after the word "with" is a tool, one after "at" a place to be; the same words elsewhere are nothing. */
function tagged(seed: number, count: number): Example[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const tokens: string[] = [], labels: string[] = [];
    for (const noun of some(random, NOUNS, 6)) {
      const kind = random.below(3), before = ["with", "at", random.below(2) ? "the" : "and"][kind];
      tokens.push(before, noun);
      labels.push("O", ["B-TOOL", "B-LOC", "O"][kind]);
    }
    return { tokens, labels };
  });
}

Deno.test("a tagger learns what a word is from the word before it, in sentences that it never saw", async () => {
  await withBackend(async () => {
    const id2label = { 0: "O", 1: "B-TOOL", 2: "B-LOC" }, label2id = { O: 0, "B-TOOL": 1, "B-LOC": 2 };
    const model = await BertForTokenClassification.from_pretrained("berth-tiny", {
      ...{ num_labels: 3, id2label, label2id, ...QUIET },
    });
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
    const held = tagged(2, 100);
    const trainer = new Trainer({
      ...{ model, tokenizer, train_dataset: tagged(1, 2000) },
      callbacks: [progress],
      args: { ...ARGS, max_steps: 160, learning_rate: 1e-3 },
    });
    await trainer.train();
    const { predictions, label_ids } = await trainer.predict(held) as EvalPrediction;
    await trainer.dispose();
    const labels = (label_ids as number[][]).flat(),
      guesses = (predictions as number[][][]).flat().map(highest);
    const places = labels.flatMap((label, i) => label >= 0 ? [i] : []);
    const right = places.filter((i) => guesses[i] === labels[i]).length;
    report(
      "tags",
      right / places.length,
      "O everywhere",
      places.filter((i) => labels[i] === 0).length / places.length,
    );
  });
});

/** A sentence about a thing, and endings of which one is about the same thing. */
function choices(seed: number, count: number): Example[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const nouns = some(random, NOUNS, 4), label = random.below(4);
    const place = PLACES[random.below(PLACES.length)];
    return {
      text: `she saw a ${nouns[label]} in the ${place}.`,
      choices: nouns.map((noun) => `the ${noun} was hers.`),
      label,
    };
  });
}

Deno.test("multiple choice learns to choose the ending about the thing of the beginning", async () => {
  await withBackend(async () => {
    const model = await BertForMultipleChoice.from_pretrained("berth-tiny", QUIET);
    const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
    const trainer = new Trainer({
      ...{ model, tokenizer, train_dataset: choices(1, 1200) },
      args: { ...ARGS, max_steps: 60, learning_rate: 5e-4 },
      callbacks: [progress],
    });
    await trainer.train();
    const held = choices(2, 200), { test_accuracy } = (await trainer.predict(held)).metrics;
    await trainer.dispose();
    report("choices", test_accuracy, "any of the four", 1 / 4);
  });
});
