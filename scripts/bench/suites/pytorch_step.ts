/** One training step of bert-base on full rows against PyTorch. */
import { trainingJob } from "../contenders/training_job.ts";
import type { Bench, Row, Suite } from "../harness.ts";
import { pytorchPeer, timeTraining } from "./training.ts";

export const suite: Suite = {
  name: "pytorch_step",
  title: "A training step of bert-base, 8 x 128 tokens, every row full",
  run,
};

async function run(bench: Bench): Promise<Row[]> {
  const [batch, width] = bench.quick ? [2, 32] : [8, 128];
  const settings = { threads: bench.threads, checkSteps: bench.quick ? 2 : 3, dropout: true };
  const job = trainingJob("bert-base", batch, width, settings);
  return timeTraining(bench, job, [await pytorchPeer(bench, "default", 1.6)], {
    work: `train step, bert-base, ${batch} x ${width}`,
    turns: bench.rounds,
    command: "deno task bench --only pytorch_step",
  });
}
