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
  dispose,
  init,
  predict,
} from "../../mod.ts";

import { compareWithBaseline } from "../../src/cli/baseline.ts";
import { explained } from "../../src/cli/explain.ts";
import { writeResults } from "../../src/cli/run_results.ts";
import { textCard } from "../../src/cli/tasks/text_card.ts";
import { textResults } from "../../src/cli/tasks/text_results.ts";
import { useCode } from "../../src/cli/use_code.ts";
import { type RunReport, verdictSentence } from "../../src/report/mod.ts";
import { folderUrl } from "../../src/runtime/files.ts";
import { runtimeName } from "../../src/runtime/platform.ts";
import { progressLine } from "../progress_line.ts";
import { type Example, LABELS, readExamples } from "./data.ts";
import { argmax, DEMO_SETTINGS, train, type TrainRecord, type TrainSettings } from "./train.ts";

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

/** Everything the report shows: what the model did on the test sentences, beside a simpler method, and why. */
async function report(
  data: { trainSet: Example[]; testSet: Example[] },
  record: TrainRecord,
  tried: Tried[],
  model: BertForSequenceClassification,
  tokenizer: BertTokenizer,
  settings: TrainSettings,
  startedAt: string,
): Promise<RunReport> {
  const { trainSet, testSet } = data, { config } = model;
  const known = { problem_type: "single_label_classification", labels: LABELS } as const;
  const { answers, ...results } = textResults(
    { predictions: record.last.logits, label_ids: testSet.map(({ label }) => label) },
    testSet,
    known,
  );
  const max_length = tokenizer.model_max_length, progress = progressLine("explain");
  const comparison = compareWithBaseline(trainSet, testSet, LABELS, answers!, () => {})!;
  const rows = [tried, results.worst, results.uncertain!, comparison.only_model!, comparison.only_baseline!];
  const [sentences, worst, uncertain, only_model, only_baseline] = await explained(
    model,
    tokenizer,
    rows,
    LABELS,
    {
      ...{ max_length, onProgress: (done: number, total: number) => progress.update(done, total) },
    },
  );
  progress.end();
  return {
    title: "Fine-tuning BERT on sentences about baseball",
    startedAt,
    elapsedMs: record.elapsedMs,
    model: {
      ...{ name: flags.model, parameters: model.num_parameters(), layers: config.num_hidden_layers },
      ...{ hidden_size: config.hidden_size },
    },
    data: {
      ...{ name: "scripts/demo/data", train: trainSet.length, test: testSet.length },
      ...textCard({ train: trainSet, test: testSet }, { settings: {}, tokenizer, known, max_length }),
    },
    settings: { ...settings, optimizer: "AdamW", schedule: "linear with warm-up" },
    environment: {
      runtime: runtimeName(),
      ...{ profile: model.runtime.profile, threads: model.runtime.threads },
    },
    ...{ steps: record.steps, evaluations: record.evaluations, watch: [record.watch] },
    ...{ ...results, worst, uncertain, tried: sentences },
    comparison: { ...comparison, only_model, only_baseline },
    speed: { wasm_bytes: record.peak.wasmBytes, process_bytes: record.peak.processBytes },
    code: useCode("text-classification", `${flags.out}/model`, model.typeName),
  };
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
  const run = await report({ trainSet, testSet }, record, tried, model, tokenizer, settings, startedAt);
  console.log(`Was BERT worth it? ${verdictSentence(run.comparison!)}`);
  await writeResults(folder, run);
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
