/** Fine-tuning MiniLM on SST-2 as a user does it, against PyTorch with dynamic padding. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { Random } from "../../../src/random.ts";
import { type EpochJob, parseExamples } from "../contenders/epoch_job.ts";
import {
  type Bench,
  compare,
  compareChecks,
  type Contender,
  denoContender,
  type Row,
  startContender,
  type Suite,
  takeTurns,
  timing,
} from "../harness.ts";

export const suite: Suite = {
  name: "epoch",
  title: "Fine-tuning MiniLM on SST-2, batches of 32, texts to weights",
  run,
};

/** The largest relative difference of losses. */
const TOLERANCE = 1e-4;
/** berth's time over PyTorch's; the accuracy may be lower by this. */
const TIME_GOAL = 1, ACCURACY_GOAL = 0.01;

const COMMAND = "deno task bench --only epoch", FULL_COMMAND = `${COMMAND} --full`;

async function run(bench: Bench): Promise<Row[]> {
  const checkpoint = bench.shared && new URL("checkpoints/minilm-l6/", bench.shared);
  const train = bench.shared && new URL("data/sst2_train.tsv", bench.shared);
  if (!checkpoint || !train || !existsSync(checkpoint) || !existsSync(train)) {
    bench.say(
      "../shared/checkpoints/minilm-l6 or ../shared/data/sst2_train.tsv is absent, so there are no rows",
    );
    return [];
  }
  const count = parseExamples(readFileSync(train, "utf8")).length;
  const job: EpochJob = {
    ...{ threads: bench.threads, checkpoint: fileURLToPath(checkpoint), train: fileURLToPath(train) },
    dev: fileURLToPath(new URL("sst2_dev.tsv", train)),
    order: new Random(0).shuffle(Array.from({ length: count }, (_, i) => i)),
    ...{ batch_size: 32, max_length: 128, lr: 5e-5, weight_decay: 0.01, warmup_ratio: 0.1, max_grad_norm: 1 },
    ...{ checkSteps: bench.quick ? 2 : 5, turnBatches: bench.quick ? 2 : 20 },
  };
  const folder = mkdtempSync(`${tmpdir()}/berth-epoch-`), started: Contender[] = [];
  try {
    const file = `${folder}/job.json`, python = await bench.peers.python();
    writeFileSync(file, JSON.stringify(job));
    const script = fileURLToPath(new URL("../contenders/torch_epoch.py", import.meta.url));
    bench.say("starting berth and PyTorch");
    started.push(await startContender(denoContender("berth_epoch.ts", file), { name: "berth" }));
    started.push(await startContender([python, script, file], { name: "PyTorch, dynamic padding" }));
    const error = compareChecks(started[0], started[1], TOLERANCE);
    const verified = `losses of ${job.checkSteps} steps without dropout: ${error.toExponential(1)}`;
    bench.say(`turns of ${job.turnBatches} batches`);
    const [ours, theirs] = await takeTurns(started, bench.rounds, 1, "turn");
    const work = `${job.turnBatches} batches of the epoch`, peer = started[1].name;
    const rows = [compare({ work, ours, peer, theirs, verified, command: COMMAND }, { atMost: TIME_GOAL })];
    if (bench.full) rows.push(await wholeEpoch(bench, started[0], started[1]));
    return rows;
  } finally {
    await Promise.all(started.map((contender) => contender.end()));
    rmSync(folder, { recursive: true });
  }
}

/** Each once: the time, and the accuracy on the sentences kept back, which must not be lower than a point. */
async function wholeEpoch(bench: Bench, berth: Contender, pytorch: Contender): Promise<Row> {
  const results = [];
  for (const contender of [berth, pytorch]) {
    bench.say(`a whole epoch of ${contender.name}`);
    const { ms, loss, accuracy } = await contender.ask("epoch") as unknown as Record<string, number>;
    results.push({ time: timing([ms / 1000], "s"), loss, accuracy });
  }
  const [ours, theirs] = results, percent = (accuracy: number) => `${(100 * accuracy).toFixed(1)} %`;
  const row = compare({
    ...{ work: "a whole epoch", ours: ours.time, peer: pytorch.name, theirs: theirs.time },
    verified: `accuracy ${percent(ours.accuracy)} and ${percent(theirs.accuracy)}, mean loss ${
      ours.loss.toFixed(3)
    } and ${theirs.loss.toFixed(3)}`,
    command: FULL_COMMAND,
  }, { atMost: TIME_GOAL });
  const accurate = ours.accuracy >= theirs.accuracy - ACCURACY_GOAL;
  return { ...row, goal: `${row.goal}, accuracy within 1 point`, met: row.met && accurate };
}
