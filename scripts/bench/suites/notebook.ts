/** One training step of the notebook's job, from weights that a hash makes, against PyTorch. */
import { trainingJob } from "../contenders/training_job.ts";
import type { Bench, Row, Suite } from "../harness.ts";
import { pytorchPeer, timeTraining } from "./training.ts";

export const suite: Suite = {
  name: "notebook",
  title: "A training step of the notebook: bert-base, 2 x 6 tokens, AdamW",
  run,
};

/** "I love baseball." and "I hate baseball." for bert-base-uncased. */
const INPUT_IDS = [[101, 1045, 2293, 3598, 1012, 102], [101, 1045, 5223, 3598, 1012, 102]];

/** Steps are short here, so there are more of them. */
const SHORT_TURNS = 3;

async function run(bench: Bench): Promise<Row[]> {
  const settings = { threads: bench.threads, checkSteps: 5, dropout: true };
  const job = { ...trainingJob("bert-base", 2, 6, settings), input_ids: INPUT_IDS, labels: [1, 0] };
  const peers = [await pytorchPeer(bench, "default", 0.35), await pytorchPeer(bench, "fused", 0.7)];
  const work = { turns: bench.rounds * SHORT_TURNS, command: "deno task bench --only notebook" };
  return [
    ...await timeTraining(bench, job, peers, { work: "train step, bert-base, 2 x 6", ...work }),
    ...await timeTraining(bench, { ...job, fused_backward: true }, peers, {
      work: "the same, AdamW in the backward pass",
      ...work,
    }),
  ];
}
