/**
 * One rank of a short training run: `rank_run.ts OPTIONS`, JSON. The first rank prints what came of it as JSON.
 * An error ends all ranks, as in the command line.
 */
import process from "node:process";
import { openCommunicator } from "../../src/distributed/mod.ts";
import { dispose } from "../../src/runtime/mod.ts";
import type { TrainingArguments } from "../../src/train/mod.ts";
import { BUSY, smallExamples, smallModel, smallTrainer } from "../train/trainer_helpers.ts";

/** What a run is told. */
export interface RankRun {
  args: TrainingArguments;
  /** Examples that are trained on. */
  examples?: number;
  resume?: boolean;
  /** What is other than in the small model. */
  config?: Record<string, unknown>;
}

/** What it answers. */
export interface RankResult {
  step: number;
  losses: number[];
  grad_norms: (number | null)[];
  evaluation: Record<string, number>;
  log_history: unknown[];
  metrics: Record<string, number>;
}

const { args, examples = 37, resume = false, config } = JSON.parse(process.argv[2]) as RankRun;
const communicator = openCommunicator();
const trainer = await smallTrainer({
  communicator,
  train_dataset: smallExamples(examples),
  args: { ...BUSY, ...args },
}, await smallModel({ threads: 1, config }));
const { metrics } = await trainer.train({ resume_from_checkpoint: resume });
const { eval_runtime: _, eval_samples_per_second: _s, ...evaluation } = await trainer.evaluate();
if (args.output_dir !== undefined) await trainer.save_model(`${args.output_dir}/final`);
const { global_step: step, losses, grad_norms, log_history } = trainer.state;
const result: RankResult = { step, losses, grad_norms, evaluation, log_history, metrics };
if (communicator.rank === 0) console.log(JSON.stringify(result));
await trainer.dispose();
communicator.close();
dispose();
