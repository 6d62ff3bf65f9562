/** Times a training job of berth and of peers in turns, after their losses agree. */
import { fileURLToPath } from "node:url";
import {
  type Bench,
  compare,
  compareChecks,
  type Contender,
  denoContender,
  type Row,
  startContender,
  takeTurns,
} from "../harness.ts";
import type { TrainingJob } from "../contenders/training_job.ts";

/** One peer of a training job. */
export interface TrainingPeer {
  name: string;
  /** The command without the job. */
  command: string[];
  /** The goal: berth's time over its time. */
  atMost: number;
}

/** What the rows are called, and how they are timed. */
export interface TrainingWork {
  work: string;
  /** Turns that count. */
  turns: number;
  /** How to make just these rows. */
  command: string;
}

/** The largest relative difference of losses. */
const TOLERANCE = 1e-4;

/** Turns that do not count: memory is taken and code compiled in the first steps. */
const WARM_UPS = 2;

/** PyTorch on the CPU, with its AdamW as it comes or with the fused one. */
export async function pytorchPeer(
  bench: Bench,
  optimizer: "default" | "fused",
  atMost: number,
): Promise<TrainingPeer> {
  const script = fileURLToPath(new URL("../contenders/torch_train.py", import.meta.url));
  const name = optimizer === "fused" ? "PyTorch, fused AdamW" : "PyTorch";
  return { name, command: [await bench.peers.python(), script, optimizer], atMost };
}

/** One row a peer. */
export async function timeTraining(
  bench: Bench,
  job: TrainingJob,
  peers: readonly TrainingPeer[],
  { work, turns, command }: TrainingWork,
): Promise<Row[]> {
  const text = JSON.stringify(job), started: Contender[] = [];
  try {
    bench.say(`${work}: starting berth`);
    started.push(await startContender([...denoContender("berth_train.ts"), text], { name: "berth" }));
    for (const { name, command } of peers) {
      bench.say(`${work}: starting ${name}`);
      started.push(await startContender([...command, text], { name }));
    }
    const [berth, ...others] = started;
    const errors = others.map((peer) => compareChecks(berth, peer, TOLERANCE));
    bench.say(`${work}: ${turns} turns`);
    const [ours, ...theirs] = await takeTurns(started, turns, WARM_UPS);
    return peers.map(({ name, atMost }, i) => {
      const verified = `losses of ${job.checkSteps} steps${job.dropout ? " without dropout" : ""}: ${
        errors[i].toExponential(1)
      }`;
      return compare({ work, ours, peer: name, theirs: theirs[i], verified, command }, { atMost });
    });
  } finally {
    await Promise.all(started.map((contender) => contender.end()));
  }
}
