/**
 * One rank of a short training run: `rank_run.ts OPTIONS`, JSON. The first rank prints what came of it as JSON; an error
 * ends all ranks, as in the command line.
 */
import process from "node:process";
import { onAllRanks } from "../../src/cli/ranks.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import type { Communicator } from "../../src/distributed/mod.ts";
import { dispose } from "../../src/runtime/mod.ts";
import { Ranks } from "../../src/train/distributed/ranks.ts";
import { FolderStore, type TrainingArguments } from "../../src/train/mod.ts";
import { defaultDataCollator } from "../../src/train/features.ts";
import { BUSY, smallExamples, smallModel, smallTrainer } from "../train/trainer_helpers.ts";

/** What a run is told. */
export interface RankRun {
  args: TrainingArguments;
  /** Examples that are trained on. */
  examples?: number;
  resume?: boolean;
  /** What is other than in the small model. */
  config?: Record<string, unknown>;
  /** What befalls one of the ranks. */
  mishap?: {
    rank: number;
    /**
     * `kill` and `error`: in its pass of that number; `term`: it gets SIGTERM then; `full`: the disk has room for so many
     * files; `data`, `weights`: it begins with others.
     */
    kind: "kill" | "error" | "term" | "full" | "data" | "weights";
    at?: number;
  };
}

/** What it answers. */
export interface RankResult {
  step: number;
  stopped: string;
  losses: number[];
  grad_norms: (number | null)[];
  evaluation: Record<string, number>;
  log_history: unknown[];
  metrics: Record<string, number>;
  parameters: number;
  /** WASM memory of each rank that is in use after the last step. */
  bytes: number[];
}

/** A folder on a disk that has room for some files. */
class FullStore extends FolderStore {
  #files = 0;

  constructor(folder: string | URL, readonly room: number) {
    super(folder);
  }

  override async write(...[step, files]: Parameters<FolderStore["write"]>): Promise<void> {
    const narrow = files.map(({ name, chunks }) => ({
      name,
      chunks: () => {
        if (this.#files++ === this.room) {
          throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        }
        return chunks();
      },
    }));
    await super.write(step, narrow);
  }
}

async function run(communicator: Communicator): Promise<number> {
  const { args, examples = 37, resume = false, config, mishap } = JSON.parse(process.argv[2]) as RankRun;
  const { kind, at = 0 } = mishap?.rank === communicator.rank ? mishap : {};
  let passes = 0;
  const trainer = await smallTrainer({
    communicator,
    train_dataset: smallExamples(examples, kind === "data" ? 3 : 1),
    args: { ...BUSY, handle_signals: true, ...args },
    store: kind === "full" ? new FullStore(args.output_dir!, at) : undefined,
    data_collator: (features, { training }) => {
      if (training && passes++ === at) {
        if (kind === "kill") process.kill(process.pid, "SIGKILL");
        if (kind === "error") throw new Error("this rank fails");
        if (kind === "term") {
          process.kill(process.pid, "SIGTERM");
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200); // else the last steps may be faster than it
        }
      }
      return defaultDataCollator(features);
    },
  }, await smallModel({ threads: 1, config }));
  if (kind === "weights") trainer.model.parameters()[3].values()[0] += 1;
  const { stopped, metrics } = await trainer.train({ resume_from_checkpoint: resume });
  const bytes = new Ranks(communicator).gather(trainer.model.runtime.heap.bytesInUse);
  const { eval_runtime: _, eval_samples_per_second: _s, ...evaluation } = await trainer.evaluate();
  if (args.output_dir !== undefined && stopped === "finished") {
    await trainer.save_model(`${args.output_dir}/final`);
  }
  const { global_step: step, losses, grad_norms, log_history } = trainer.state;
  const parameters = trainer.model.num_parameters();
  const numbers = { step, stopped, losses, grad_norms, evaluation, log_history, parameters };
  const result: RankResult = { ...numbers, metrics, bytes };
  if (communicator.rank === 0) console.log(JSON.stringify(result));
  await trainer.dispose();
  dispose();
  return 0;
}

process.exitCode = await onAllRanks(new Terminal(), run);
