/** Ordinary tfjs ops on tfjs's own WASM kernels and on ours, on the same threads. */
import {
  type Answer,
  type Bench,
  compare,
  denoContender,
  type Row,
  startContender,
  type Suite,
  timing,
} from "../harness.ts";

export const suite: Suite = { name: "tfjs_ops", title: "tfjs ops with our kernels under them", run };

/** The largest difference of an element; sums of 3,072 products of normal numbers reach 200. */
const TOLERANCE = 1e-3;
/** A quick run takes every so many of the cases. */
const QUICK_STEP = 6;

interface OpAnswer extends Answer {
  name: string;
  shape: string;
  difference: number;
}

async function run(bench: Bench): Promise<Row[]> {
  const contender = await startContender(denoContender("tfjs_ops.ts", bench.threads), { name: "tfjs ops" });
  const rows: Row[] = [], step = bench.quick ? QUICK_STEP : 1;
  for (let i = 0; i < Number(contender.info.cases); i += step) {
    const times = { stock: [] as number[], ours: [] as number[] };
    const { name, shape, difference } = await contender.ask(`${i} ours`) as OpAnswer;
    bench.say(`${name} ${shape}`);
    if (!(difference < TOLERANCE)) {
      throw new Error(`Cannot time ${name} ${shape}: results differ by ${difference}`);
    }
    for (let round = 0; round < bench.rounds; round++) {
      times.stock.push(await contender.run(`${i} stock`));
      times.ours.push(await contender.run(`${i} ours`));
    }
    rows.push(compare({
      ...{ work: `${name} ${shape}`, ours: timing(times.ours, "ms"), peer: "tfjs wasm" },
      ...{ theirs: timing(times.stock, "ms"), command: "deno task bench --only tfjs_ops" },
      verified: `all elements: ${difference.toExponential(1)}`,
    }));
  }
  await contender.end();
  return rows;
}
