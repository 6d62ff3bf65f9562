/** Fine-tuning MiniLM on SST-2 on two ranks of one thread, against one process of two threads: the same steps. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RanksJob } from "../contenders/ranks_train.ts";
import {
  type Bench,
  compare,
  compareChecks,
  type Contender,
  denoContender,
  type Row,
  startContender,
  type Suite,
  timing,
} from "../harness.ts";

export const suite: Suite = {
  name: "ranks",
  title: "Fine-tuning MiniLM on SST-2 on ranks of MPI, tokens per second",
  run,
};

/** The largest relative difference of losses, and of rates the least that is wanted. */
const TOLERANCE = 1e-5, GOAL = 0.85;
const COMMAND = "deno task bench --only ranks";
/** A launcher and what it wants; the first that is there runs. */
const LAUNCHERS = [["mpiexec.mpich"], ["mpiexec.openmpi", "--allow-run-as-root", "--oversubscribe"]];

interface Work {
  work: string;
  job: Partial<RanksJob>;
  /** Of the process that is alone. */
  alone: Partial<RanksJob>;
}

const WORKS: Work[] = [
  { work: "passes of 32", job: { batch_size: 32 }, alone: { batch_size: 32, passes: 2 } },
  {
    work: "passes of 32, moments in parts",
    job: { batch_size: 32, zero_stage: 1 },
    alone: { batch_size: 32, passes: 2 },
  },
  {
    work: "passes of 16 against one of 32, no dropout",
    ...{ job: { batch_size: 16, dropout: false }, alone: { batch_size: 32, dropout: false } },
  },
];

type Metrics = Record<string, number>;

async function run(bench: Bench): Promise<Row[]> {
  const checkpoint = bench.shared && new URL("checkpoints/minilm-l6/", bench.shared);
  const train = bench.shared && new URL("data/sst2_train.tsv", bench.shared);
  const launcher = LAUNCHERS.find(([mpiexec]) => spawnSync(mpiexec, ["--version"]).status === 0);
  if (!checkpoint || !train || !existsSync(checkpoint) || !existsSync(train) || !launcher) {
    bench.say(
      "../shared/checkpoints/minilm-l6, ../shared/data/sst2_train.tsv or mpiexec is absent, so there are no rows",
    );
    return [];
  }
  const job = (more: Partial<RanksJob>): RanksJob => ({
    ...{
      checkpoint: fileURLToPath(checkpoint),
      train: fileURLToPath(train),
      threads: 1,
      passes: 1,
      dropout: true,
    },
    ...{
      batch_size: 32,
      zero_stage: 0,
      checkSteps: bench.quick ? 2 : 4,
      timedSteps: bench.quick ? 3 : 12,
      ...more,
    },
  });
  const rows: Row[] = [];
  for (const { work, job: own, alone } of WORKS) {
    const onRanks = [...launcher, "-n", "2", ...denoContender("ranks_train.ts", JSON.stringify(job(own)))];
    const inOne = denoContender("ranks_train.ts", JSON.stringify(job({ ...alone, threads: 2 })));
    bench.say(work);
    const turns: [Contender, Contender][] = [];
    for (let round = 0; round < bench.rounds; round++) {
      turns.push([await once(onRanks, "2 ranks"), await once(inOne, "1 process, 2 threads")]);
    }
    rows.push(...rowsOf(work, turns));
  }
  return rows;
}

/** Starts a process, or some, which work once and end. */
async function once(command: string[], name: string): Promise<Contender> {
  const contender = await startContender(command, { name });
  await contender.end();
  return contender;
}

function rowsOf(work: string, turns: [Contender, Contender][]): Row[] {
  const metrics = turns.map((pair) => pair.map(({ info }) => info.metrics as Metrics));
  const rate = (side: number) =>
    timing(metrics.map((pair) => pair[side].train_tokens_per_second), "tokens/s");
  const error = Math.max(...turns.map(([ours, theirs]) => compareChecks(ours, theirs, TOLERANCE)));
  const [[{ info: { engine }, check }, { name: peer }]] = turns, own = metrics.map(([ranks]) => ranks);
  const communication = timing(own.map((one) => one.train_communication_seconds), "s");
  const share = timing(own.map((one) => one.train_communication_seconds / one.train_runtime), "s").median;
  const overlap = timing(own.map((one) => one.train_communication_overlap), "s").median;
  return [
    compare({
      ...{ work: `2 ranks of 1 thread (${engine}), ${work}`, ours: rate(0), peer, theirs: rate(1) },
      ...{ verified: `losses of ${check.length} steps: ${error.toExponential(1)}`, command: COMMAND },
    }, { atLeast: GOAL }),
    {
      ...{ work: `of it in MPI, ${work}`, ours: communication, share, command: COMMAND },
      verified: `sums under way during the backward pass: ${(100 * overlap).toFixed(0)} % of their time`,
    },
  ];
}
