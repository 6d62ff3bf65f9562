/** How soon a fresh process has the first loss of berth-tiny, and where the time goes. */
import {
  type Bench,
  compareChecks,
  type Contender,
  denoContender,
  type Row,
  startContender,
  type Suite,
  timing,
} from "../harness.ts";

export const suite: Suite = {
  name: "start",
  title: "From import to the first loss of berth-tiny, in a fresh Deno process",
  run,
};

const GOAL_MS = 700;
/** At least; a first process before them fills the caches of modules and compiled code. */
const RUNS = 7;

interface Start {
  ms: number;
  parts: Record<string, number>;
}

async function run(bench: Bench): Promise<Row[]> {
  const starts: Start[] = [];
  let first: Contender | undefined, difference = 0;
  const runs = bench.quick ? 3 : Math.max(RUNS, bench.rounds);
  for (let i = 0; i <= runs; i++) {
    const contender = await startContender(denoContender("start.ts"), { name: "berth" });
    await contender.end();
    first ??= contender;
    difference = Math.max(difference, compareChecks(contender, first, 0));
    if (i > 0) starts.push(contender.info as unknown as Start);
  }
  const total = timing(starts.map(({ ms }) => ms), "ms"), command = "deno task bench --only start";
  return [
    {
      ...{ work: "import to first loss", ours: total, share: 1, command },
      ...{ goal: `below ${GOAL_MS} ms`, limit: GOAL_MS, met: total.median < GOAL_MS },
      verified: `the loss of ${runs + 1} processes is ${first!.check[0]}, difference ${difference}`,
    },
    ...Object.keys(starts[0].parts).map((work) => {
      const ours = timing(starts.map(({ parts }) => parts[work]), "ms");
      return { work, ours, share: ours.median / total.median, verified: "part of it", command };
    }),
  ];
}
