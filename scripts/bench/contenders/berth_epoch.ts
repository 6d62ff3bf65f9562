/**
 * berth's side of the suite `epoch`: `berth_epoch.ts JOBFILE`, see epoch_job.ts. The job `turn` takes the next batches,
 * from texts to the optimizer's step; `epoch` takes all of them from the start, then evaluates.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import {
  AdamW,
  BertForSequenceClassification,
  BertTokenizer,
  get_linear_schedule_with_warmup,
  init,
  type Parameter,
  predict,
} from "../../../mod.ts";
import { fillHashed } from "../../notebook/hashed_weights.ts";
import { type EpochJob, type Example, parseExamples } from "./epoch_job.ts";
import { speak } from "./speak.mjs";

const job = JSON.parse(readFileSync(process.argv[2], "utf8")) as EpochJob;
const read = (file: string) => parseExamples(readFileSync(file, "utf8"));
const train = read(job.train), dev = read(job.dev), examples = job.order.map((i) => train[i]);
const steps = Math.ceil(examples.length / job.batch_size);

await init({ threads: job.threads });
const tokenizer = await BertTokenizer.from_pretrained(job.checkpoint);

interface Run {
  model: BertForSequenceClassification;
  /** Trains on examples, a batch at a time; the losses. */
  take(examples: Example[]): number[];
  dispose(): void;
}

/** A fresh model, with dropout as in config.json or without. */
async function prepare(withDropout: boolean): Promise<Run> {
  const rates = withDropout ? {} : { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
  const options = { num_labels: 2, on_report: () => {}, ...rates };
  const model = await BertForSequenceClassification.from_pretrained(job.checkpoint, options);
  const decayed: Parameter[] = [], plain: Parameter[] = [];
  for (const [name, parameter] of model.named_parameters()) {
    (/bias|LayerNorm\.weight/.test(name) ? plain : decayed).push(parameter);
    if (!name.startsWith("classifier")) continue;
    fillHashed(parameter.values(), name);
    parameter.markWritten();
  }
  const groups = [{ params: decayed, weight_decay: job.weight_decay }, { params: plain, weight_decay: 0 }];
  const optimizer = new AdamW(groups, { lr: job.lr });
  const schedule = get_linear_schedule_with_warmup(optimizer, Math.floor(job.warmup_ratio * steps), steps);
  model.train();
  return {
    model,
    take: (examples) => {
      const { input_ids } = tokenizer(examples.map(({ text }) => text), {
        truncation: true,
        max_length: job.max_length,
      });
      const losses: number[] = [];
      for (let at = 0; at < examples.length; at += job.batch_size) {
        const labels = examples.slice(at, at + job.batch_size).map(({ label }) => label);
        const { loss } = model.forward({ input_ids: input_ids.slice(at, at + job.batch_size), labels });
        model.backward();
        optimizer.step({ max_grad_norm: job.max_grad_norm });
        schedule.step();
        optimizer.zero_grad();
        losses.push(loss!);
      }
      return losses;
    },
    dispose: () => (optimizer.dispose(), model.dispose()),
  };
}

const checked = await prepare(false),
  losses = checked.take(examples.slice(0, job.checkSteps * job.batch_size));
checked.dispose();

let turns: Run | undefined, at = 0;

async function turn(): Promise<number> {
  turns ??= await prepare(true);
  const count = job.turnBatches * job.batch_size, start = performance.now();
  if (at + count > examples.length) at = 0;
  turns.take(examples.slice(at, at += count));
  return performance.now() - start;
}

async function epoch(): Promise<{ ms: number; loss: number; accuracy: number }> {
  turns?.dispose();
  const run = await prepare(true), start = performance.now(), losses = run.take(examples);
  const ms = performance.now() - start, loss = losses.reduce((a, b) => a + b) / losses.length;
  const predictions = await predict(run.model, tokenizer, dev.map(({ text }) => text), {
    max_length: job.max_length,
  });
  const right = predictions.filter(({ scores }, i) => Number(scores[1] > scores[0]) === dev[i].label).length;
  run.dispose();
  return { ms, loss, accuracy: right / dev.length };
}

await speak(losses, (job: string) => job === "epoch" ? epoch() : turn());
