/** Training steps without dropout against the same encoder, loss and AdamW written in jax-js. */
import { SHAPES, trainingJob } from "../contenders/training_job.ts";
import { type Bench, denoContender, type Row, type Suite } from "../harness.ts";
import { timeTraining } from "./training.ts";

export const suite: Suite = {
  name: "jax_step",
  title: "Training steps against jax-js on its wasm device",
  run,
};

/** 1 / 1.5. */
const GOAL = 0.666;

/** Of bert-base's layers as many as jax-js has room for: all 12 need more than the 4 GiB that its memory has. */
const CASES: [shape: keyof typeof SHAPES, batch: number, width: number][] = [
  ["berth-tiny", 32, 64],
  ["MiniLM", 32, 64],
  ["4 layers of bert-base", 8, 128],
];
const QUICK: typeof CASES = [["berth-tiny", 4, 32]];

async function run(bench: Bench): Promise<Row[]> {
  const command = denoContender("jax_train.ts", await bench.peers.nodeModules()), rows: Row[] = [];
  for (const [shape, batch, width] of bench.quick ? QUICK : CASES) {
    const job = trainingJob(shape, batch, width, { threads: bench.threads, checkSteps: 3, dropout: false });
    rows.push(
      ...await timeTraining(bench, job, [{ name: "jax-js", command, atMost: GOAL }], {
        work: `train step, ${shape}, ${batch} x ${width}`,
        turns: bench.rounds,
        command: "deno task bench --only jax_step",
      }),
    );
  }
  return rows;
}
