/** The notebook's 100 steps at the full bert-base size, against PyTorch's losses and watched weight. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Bench, denoContender, type Row, startContender, type Suite } from "../harness.ts";

export const suite: Suite = {
  name: "notebook100",
  title: "The notebook's 100 steps, bert-base, 2 x 6 tokens",
  run,
};

/** Relative error of a loss; error of the watched weight. */
const LOSS_GOAL = 1e-4, WATCH_GOAL = 1e-7;

async function run(bench: Bench): Promise<Row[]> {
  const reference = bench.shared && new URL("reference/seed_job.json", bench.shared);
  if (!reference || !existsSync(reference)) {
    bench.say("notebook100: ../shared/reference/seed_job.json is absent, so there are no rows");
    return [];
  }
  const steps = bench.quick ? 10 : 100, rows: Row[] = [];
  const command = denoContender("notebook100.ts", bench.threads, fileURLToPath(reference), steps);
  const contender = await startContender(command, { name: "berth" });
  for (const job of ["notebook", "adamw"]) {
    bench.say(`${steps} steps, ${job}`);
    const { ms, min, max, lossError, watchError } = await contender.ask(job) as Record<string, number> & {
      ms: number;
    };
    if (!(lossError < LOSS_GOAL && watchError < WATCH_GOAL)) {
      throw new Error(
        `Cannot trust the steps of ${job}: losses differ from PyTorch's by ${lossError}, the weight by ${watchError}`,
      );
    }
    rows.push({
      work: job === "notebook" ? "the notebook's AdamW, gradients never zeroed" : "AdamW, gradients zeroed",
      ours: { median: ms, min, max, runs: steps, unit: "ms" },
      ...{
        goal: `losses within ${LOSS_GOAL} of PyTorch's`,
        met: true,
        command: "deno task bench --only notebook100",
      },
      verified: `losses ${lossError.toExponential(1)}, one weight ${
        watchError.toExponential(1)
      } from PyTorch's`,
    });
  }
  await contender.end();
  return rows;
}
