/** How the time of a training step grows with the length, the batch, the layers and the threads; with equal bits. */
import { linePlot } from "../../../src/report/mod.ts";
import { type Bench, denoContender, type Row, startContender, type Suite, timing } from "../harness.ts";

export const suite: Suite = {
  name: "scaling",
  title: "Growth of a training step (MiniLM's shape, dropout, AdamW)",
  run,
};

/** One curve: what grows, its values, and the job of each value. */
interface Sweep {
  name: string;
  axis: string;
  title: string;
  values: number[];
  quick: number[];
  job(value: number): [batch: number, width: number, layers: number];
}

const SWEEPS: Sweep[] = [
  {
    ...{ name: "length", axis: "T, tokens of each of 4 texts", title: "Step time by length" },
    ...{ values: [64, 128, 256, 512], quick: [32, 64], job: (T) => [4, T, 6] },
  },
  {
    ...{ name: "batch", axis: "B, texts of 64 tokens", title: "Step time by batch" },
    ...{ values: [1, 2, 4, 8, 16, 32], quick: [1, 2], job: (B) => [B, 64, 6] },
  },
  {
    ...{ name: "layers", axis: "layers, 4 x 64 tokens", title: "Step time by layers" },
    ...{ values: [1, 2, 4, 6, 8, 12], quick: [1, 2], job: (L) => [4, 64, L] },
  },
];

async function run(bench: Bench): Promise<Row[]> {
  const counts = bench.threads === 1 ? [1] : [1, bench.threads], rows: Row[] = [];
  const contenders = await Promise.all(
    counts.map((threads) =>
      startContender(denoContender("scaling.ts", threads), { name: threadsName(threads) })
    ),
  );
  try {
    for (const sweep of SWEEPS) {
      const values = bench.quick ? sweep.quick : sweep.values, points: Row[][] = [];
      for (const value of values) {
        const [batch, width, layers] = sweep.job(value),
          work = `${batch} x ${width} tokens, ${layers} layers`;
        bench.say(work);
        const times = contenders.map(() => [] as number[]);
        for (let round = 0; round < bench.rounds; round++) {
          const answers = [];
          for (const contender of contenders) {
            answers.push(await contender.ask([batch, width, layers].join(",")));
          }
          checkBits(work, answers.map(({ hash }) => hash));
          answers.forEach(({ ms }, i) => times[i].push(ms));
        }
        const timings = times.map((list) => timing(list, "ms"));
        points.push(counts.map((threads, i) => ({
          ...{ work: `${work}, ${threadsName(threads)}`, ours: timings[i] },
          ...i > 0 &&
            {
              peer: threadsName(counts[0]),
              theirs: timings[0],
              ratio: timings[i].median / timings[0].median,
            },
          verified: `losses and weights of ${bench.rounds + 1} steps, bit for bit on ${
            counts.join(" and ")
          } threads`,
          command: "deno task bench --only scaling",
        })));
      }
      rows.push(...points.flat());
      bench.chart(
        `scaling_${sweep.name}`,
        sweep.title,
        linePlot({
          ...{ title: sweep.title, xLabel: sweep.axis, yLabel: "ms", markers: true, width: 460, height: 280 },
          series: counts.map((threads, i) => ({
            ...{ name: threadsName(threads), x: values, y: points.map((point) => point[i].ours.median) },
          })),
        }),
      );
    }
  } finally {
    await Promise.all(contenders.map((contender) => contender.end()));
  }
  return rows;
}

function threadsName(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}

/** @throws {Error} if the hashes are not one. */
function checkBits(work: string, hashes: unknown[]): void {
  if (new Set(hashes).size > 1) {
    throw new Error(`Cannot time ${work}: threads change the result, hashes are ${hashes.join(" and ")}`);
  }
}
