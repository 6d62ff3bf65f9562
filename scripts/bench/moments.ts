/**
 * What AdamW's short moments cost: fine-tunes berth-tiny with each `state_dtype` from the same seeds, on the demo's
 * sentences or on a file of lines `text<tab>label`.
 *
 *     deno run -A scripts/bench/moments.ts [--train train.tsv --test test.tsv] [--epochs 4] [--seeds 3] [--threads 2]
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  AdamW,
  BertForSequenceClassification,
  BertTokenizer,
  get_linear_schedule_with_warmup,
  init,
  type StateDtype,
} from "../../mod.ts";
import { Random } from "../../src/random.ts";
import { type Example, readExamples } from "../demo/data.ts";
import { evaluate } from "../demo/train.ts";

const { values: flags } = parseArgs({
  options: {
    train: { type: "string" },
    test: { type: "string" },
    epochs: { type: "string", default: "4" },
    seeds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
  },
});
const BATCH = 16, RATE = 2e-4;

function read(file: string | undefined, name: "train" | "test"): Example[] {
  if (!file) return readExamples(name);
  return readFileSync(file, "utf8").trimEnd().split("\n").map((line) => line.split("\t"))
    .map(([text, label]) => ({ text, label: Number(label) }));
}

await init({ threads: Number(flags.threads) });
const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
const trainSet = read(flags.train, "train"), testSet = read(flags.test, "test");
const total = Number(flags.epochs) * Math.ceil(trainSet.length / BATCH);

/** The mean loss of the last quarter of the steps, and loss and accuracy on the test set. */
async function run(state_dtype: StateDtype, seed: number) {
  const model = await BertForSequenceClassification.from_pretrained("berth-tiny", {
    ...{ num_labels: 2, seed, on_report: () => {} },
  });
  const optimizer = new AdamW(model.parameters(), { lr: RATE, state_dtype });
  const schedule = get_linear_schedule_with_warmup(optimizer, Math.round(total / 10), total);
  const shuffler = new Random(seed, 2), losses: number[] = [];
  model.seed(seed);
  model.train();
  for (let epoch = 0; epoch < Number(flags.epochs); epoch++) {
    const order = shuffler.shuffle(trainSet.slice());
    for (let at = 0; at < order.length; at += BATCH) {
      const batch = order.slice(at, at + BATCH);
      const encoded = tokenizer(batch.map(({ text }) => text), { truncation: true });
      losses.push(model.forward({ ...encoded, labels: batch.map(({ label }) => label) }).loss!);
      model.backward();
      optimizer.step({ max_grad_norm: 1 });
      schedule.step();
      optimizer.zero_grad();
    }
  }
  const { loss, accuracy } = await evaluate(model, tokenizer, testSet);
  model.dispose();
  optimizer.dispose();
  const last = losses.slice(-Math.ceil(losses.length / 4));
  return { train: last.reduce((a, b) => a + b) / last.length, loss, accuracy };
}

console.log(`${trainSet.length} examples, ${total} steps; mean over ${flags.seeds} seeds`);
for (const dtype of ["float32", "bfloat16", "int8"] as const) {
  const results: Awaited<ReturnType<typeof run>>[] = [];
  for (let seed = 0; seed < Number(flags.seeds); seed++) results.push(await run(dtype, seed));
  const show = (key: "train" | "loss" | "accuracy") => {
    const values = results.map((result) => result[key]),
      mean = values.reduce((a, b) => a + b) / values.length;
    return `${mean.toFixed(4)} (${values.map((x) => x.toFixed(4)).join(" ")})`;
  };
  console.log(
    `${dtype.padEnd(9)} last training losses ${show("train")}  test loss ${show("loss")}  accuracy ${
      show("accuracy")
    }`,
  );
}
process.exit(0);
