/**
 * The main job, offline: fine-tunes berth-tiny on 480 sentences about baseball, tests it on 120 others, tries two more,
 * saves a checkpoint that transformers loads and a report to look at.
 *
 *     deno task demo [--model FOLDER] [--epochs 6] [--threads N] [--seed 0] [--out out/demo]
 */
import { parseArgs } from "node:util";
import process from "node:process";
import {
  BertForSequenceClassification,
  BerthError,
  BertTokenizer,
  classificationReport,
  confusionCounts,
  dispose,
  init,
  predict,
} from "../../mod.ts";

import { trainingReport } from "../../src/report/mod.ts";
import { folderUrl, writeFileWhole } from "../../src/runtime/files.ts";
import { runtimeName } from "../../src/runtime/platform.ts";
import { progressLine } from "../progress_line.ts";
import { type Example, LABELS, readExamples } from "./data.ts";
import {
  argmax,
  DEMO_SETTINGS,
  type Evaluation,
  train,
  type TrainRecord,
  type TrainSettings,
} from "./train.ts";

const HELP = `Fine-tunes a small BERT on sentences about baseball.

  --model FOLDER   a checkpoint; default: berth-tiny, which the package carries
  --epochs N       default ${DEMO_SETTINGS.epochs}
  --threads N      default: all logical cores
  --seed N         default ${DEMO_SETTINGS.seed}
  --out FOLDER     where the model and the report go; default: out/demo`;

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", default: "berth-tiny" },
    epochs: { type: "string" },
    threads: { type: "string" },
    seed: { type: "string" },
    out: { type: "string", default: "out/demo" },
    help: { type: "boolean", default: false },
  },
});

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

interface Tried {
  text: string;
  probability: number;
  predicted: string;
}

function prediction(text: string, probabilities: number[]): Tried {
  const best = argmax(probabilities);
  return { text, predicted: LABELS[best], probability: probabilities[best] };
}

/** The examples that the model is most sure of in vain, the worst first. */
function worst(examples: Example[], { probabilities }: Evaluation) {
  return examples
    .map(({ text, label }, i) => ({
      ...prediction(text, probabilities[i]),
      expected: LABELS[label],
      p: probabilities[i][label],
    }))
    .sort((a, b) => a.p - b.p)
    .slice(0, 12)
    .map(({ p: _, ...row }) => row);
}

/** Everything the report shows. */
function report(
  data: { trainSet: Example[]; testSet: Example[] },
  record: TrainRecord,
  after: Evaluation,
  tried: Tried[],
  model: BertForSequenceClassification,
  settings: TrainSettings,
  startedAt: string,
): string {
  const { trainSet, testSet } = data, { config } = model;
  const predicted = after.probabilities.map(argmax), expected = testSet.map(({ label }) => label);
  const counts = confusionCounts(expected, predicted, LABELS.map((_, i) => i));
  const folder = JSON.stringify(`${flags.out}/model`);
  return trainingReport({
    title: "Fine-tuning BERT on sentences about baseball",
    startedAt,
    elapsedMs: record.elapsedMs,
    model: {
      ...{ name: flags.model, parameters: model.num_parameters(), layers: config.num_hidden_layers },
      ...{ hidden_size: config.hidden_size },
    },
    data: {
      ...{ name: "scripts/demo/data", train: trainSet.length, test: testSet.length },
      labelCounts: LABELS.map((label, i) => ({ label, count: trainSet.filter((e) => e.label === i).length })),
    },
    settings: { ...settings, optimizer: "AdamW", schedule: "linear with warm-up" },
    environment: {
      runtime: runtimeName(),
      ...{ profile: model.runtime.profile, threads: model.runtime.threads },
    },
    ...{ steps: record.steps, evaluations: record.evaluations, watch: [record.watch], tried },
    confusion: { labels: LABELS, counts },
    perClass: classificationReport(counts).perClass.map((row, i) => ({ label: LABELS[i], ...row })),
    predictions: testSet.slice(0, 12).map(({ text, label }, i) => ({
      ...prediction(text, after.probabilities[i]),
      expected: LABELS[label],
    })),
    worst: worst(testSet, after),
    code: [
      {
        ...{ title: "Deno and Node", language: "ts" },
        text: `import { BertForSequenceClassification, BertTokenizer, dispose, predict } from "@berth/berth";

const tokenizer = await BertTokenizer.from_pretrained(${folder});
const model = await BertForSequenceClassification.from_pretrained(${folder});
console.log(await predict(model, tokenizer, ["I love baseball."]));
dispose();`,
      },
      {
        ...{ title: "Python", language: "python" },
        text: `from transformers import pipeline

classify = pipeline("text-classification", ${folder})
print(classify("I love baseball."))`,
      },
    ],
  });
}

async function main(): Promise<void> {
  const settings: TrainSettings = {
    ...DEMO_SETTINGS,
    epochs: Number(flags.epochs ?? DEMO_SETTINGS.epochs),
    seed: Number(flags.seed ?? DEMO_SETTINGS.seed),
  };
  const startedAt = new Date().toISOString();
  const runtime = await init({ threads: flags.threads ? Number(flags.threads) : undefined });
  const trainSet = readExamples("train"), testSet = readExamples("test");
  const tokenizer = await BertTokenizer.from_pretrained(flags.model);
  const model = await BertForSequenceClassification.from_pretrained(flags.model, {
    id2label: Object.fromEntries(LABELS.map((label, i) => [String(i), label])),
    seed: settings.seed,
    on_report: () => {}, // a new classifier is what we want
  });
  console.log(
    `${flags.model}: ${
      (model.num_parameters() / 1e6).toFixed(2)
    } M parameters; ${trainSet.length} sentences to train, ` +
      `${testSet.length} to test; ${runtime.threads} threads, profile ${runtime.profile}`,
  );
  const progress = progressLine("train");
  const record = await train(model, tokenizer, trainSet, testSet, settings, {
    onStep: (step, total, { loss }) => progress.update(step, total, `loss ${loss.toFixed(4)}`),
    onEvaluation: ({ step, accuracy }) => {
      if (step === 0) console.log(`accuracy before training: ${percent(accuracy)}`);
    },
  });
  progress.end();
  const after = record.last;
  const { length } = record.steps;
  console.log(
    `accuracy after training:  ${percent(after.accuracy)} (${length} steps in ${
      (record.elapsedMs / 1000).toFixed(1)
    } s)`,
  );
  const sentences = ["I love baseball.", "I hate baseball."];
  const tried = (await predict(model, tokenizer, sentences)).map(({ scores }, i) =>
    prediction(sentences[i], scores)
  );
  for (const { text, predicted, probability } of tried) {
    console.log(`  ${text} -> ${predicted} (${percent(probability)})`);
  }
  const folder = folderUrl(flags.out);
  await model.save_pretrained(new URL("model/", folder));
  await tokenizer.save_pretrained(new URL("model/", folder));
  const html = report({ trainSet, testSet }, record, after, tried, model, settings, startedAt);
  await writeFileWhole(new URL("report.html", folder), [new TextEncoder().encode(html)]);
  console.log(
    `wrote ${flags.out}/model (for transformers too) and ${flags.out}/report.html (open it in a browser)`,
  );
  dispose();
}

if (flags.help) console.log(HELP);
else {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
