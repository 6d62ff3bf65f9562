/**
 * One rank of the suite `ranks`, or a process that is alone: `ranks_train.ts JOB`, JSON. Makes the steps that are compared,
 * some that do not count and those that are timed, prints one line, and ends with its input.
 */
import process from "node:process";
import { readFileSync } from "node:fs";
import { BertForSequenceClassification, BertTokenizer, init, openCommunicator } from "../../../mod.ts";
import { fullArguments } from "../../../src/train/arguments.ts";
import { Ranks } from "../../../src/train/distributed/ranks.ts";
import { measureRun } from "../../../src/train/distributed/run_metrics.ts";
import { defaultDataCollator, featureMaker, InputMaker } from "../../../src/train/features.ts";
import { parameterGroups } from "../../../src/train/parameter_groups.ts";
import { TrainingData } from "../../../src/train/training_data.ts";
import { TrainingRun } from "../../../src/train/training_run.ts";
import { fillHashed } from "../../notebook/hashed_weights.ts";
import { parseExamples } from "./epoch_job.ts";

/** What a contender is given. */
export interface RanksJob {
  checkpoint: string;
  train: string;
  threads: number;
  /** Examples of a pass, and passes of a step on each rank. */
  batch_size: number;
  passes: number;
  /** Masks of dropout follow from passes, so contenders with others cannot be compared with it. */
  dropout: boolean;
  zero_stage: 0 | 1;
  checkSteps: number;
  timedSteps: number;
}

const job = JSON.parse(process.argv[2]) as RanksJob, communicator = openCommunicator();
await init({ threads: job.threads });
const tokenizer = await BertTokenizer.from_pretrained(job.checkpoint);
const model = await BertForSequenceClassification.from_pretrained(job.checkpoint, {
  ...{ num_labels: 2, on_report: () => {} },
  ...(job.dropout ? {} : { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 }),
});
for (const [name, parameter] of model.named_parameters()) {
  if (!name.startsWith("classifier")) continue;
  fillHashed(parameter.values(), name);
  parameter.markWritten();
}
const given = { per_device_train_batch_size: job.batch_size, gradient_accumulation_steps: job.passes };
const args = fullArguments({ ...given, weight_decay: 0.01, max_length: 128 }, false, communicator.size);
const features = featureMaker(model.config, tokenizer, {}, args.max_length), ranks = new Ranks(communicator);
const data = new TrainingData(parseExamples(readFileSync(job.train, "utf8")), args, features);
const inputs = new InputMaker(features, defaultDataCollator, args.seed);
const run = new TrainingRun(model, args, data, inputs, ranks, parameterGroups(model, args), {
  isSharded: job.zero_stage === 1,
});

async function steps(count: number): Promise<number[]> {
  const losses: number[] = [];
  while (losses.length < count) {
    const batches = await run.nextBatches();
    if (batches.length === 0) throw new Error("Cannot time so many steps: the epoch is over");
    const step = await run.step(batches, { tell: () => Promise.resolve(), interrupted: () => false });
    losses.push(step!.loss);
  }
  return losses;
}

const check = await steps(job.checkSteps);
communicator.barrier();
const measured = measureRun(ranks, run.state);
await steps(job.timedSteps);
const metrics = measured(run.state);
if (communicator.rank === 0) {
  console.log(JSON.stringify({ ready: true, check, metrics, engine: communicator.engine }));
}
communicator.close();
process.exit(0);
