/** The tables and plots of docs/scaling.md, from what was measured and the cost model. */
import { linePlot, type LineSeries } from "../../src/report/mod.ts";
import {
  BERT_BASE,
  BERT_LARGE,
  denseParameters,
  efficiency,
  gradientBytes,
  type Network,
  operations,
  type Run,
  type Shape,
  stateBytes,
  step,
  sumSeconds,
  tokensPerSecond,
  type Work,
} from "./model.ts";

/** docs/scaling/measured.json. */
export interface Measured {
  /** When, and on what. */
  date: string;
  machine: string;
  /** Sums of two ranks, the best of several turns. */
  sums: { engine: string; transport: string; bytes: number; ms: number }[];
  /** Sums of ranks with links of their own. */
  links: { engine: string; ranks: number; bytes: number; megabits: number; ms: number }[];
  /** A training step of bert-base in one process, on all cores. */
  step: { batch: number; tokens: number; threads: number; ms: number };
}

/** A text of 128 tokens is one that most classifiers are trained on; 8 of them fill a core. */
const WORK: Work = { batch: 8, tokens: 128, accumulation: 1 };
const RANKS = Array.from({ length: 11 }, (_, i) => 2 ** i).map((ranks) => Math.min(ranks, 1000));
const ENGINES = ["MPICH", "Open MPI"];
/** What a link of a network carries beside headers and acknowledgements. */
const USABLE = 0.9;
/** A node with so many times the cores of the measured machine. */
const LARGE_NODE = 32;

/** The time of a sum, measured. */
function sumMs({ sums }: Measured, engine: string, transport: string, bytes: number): number {
  const found = sums.find((sum) =>
    sum.engine === engine && sum.transport === transport && sum.bytes === bytes
  );
  if (!found) {
    throw new RangeError(`Cannot draw the plots: no sum of ${bytes} bytes by ${engine} through ${transport}`);
  }
  return found.ms;
}

/** Two ranks' link as measured: a small sum is two messages, a large one sends as many bytes as it has. */
function link(measured: Measured, transport: string): Network {
  const bytes = 4 * 2 ** 20, latency = sumMs(measured, "MPICH", transport, 4) / 2 / 1000;
  return {
    ...{ name: transport, latency },
    bytesPerSecond: bytes / (sumMs(measured, "MPICH", transport, bytes) / 1000 - 2 * latency),
  };
}

/** The networks between nodes that are assumed: their links, or what one thread of MPI moved here, if that is less. */
function networks(measured: Measured): Network[] {
  const tcp = link(measured, "TCP"), memory = link(measured, "shared memory");
  const assume = (name: string, gigabits: number, latency: number, here: Network): Network => ({
    ...{ name, latency },
    bytesPerSecond: Math.min(USABLE * gigabits * 1e9 / 8, here.bytesPerSecond),
  });
  return [
    assume("1 Gb/s Ethernet", 1, 5e-5, tcp),
    assume("10 Gb/s Ethernet", 10, 3e-5, tcp),
    assume("100 Gb/s with RDMA", 100, 3e-6, memory),
  ];
}

/** Operations per second of the measured machine, in training steps of bert-base. */
function measuredRate({ step: { batch, tokens, ms } }: Measured): number {
  return operations(BERT_BASE, { batch, tokens, accumulation: 1 }) / (ms / 1000);
}

/** The plots by file name. */
function plots(measured: Measured): Record<string, string> {
  const rate = measuredRate(measured), all = networks(measured), size = { width: 760, height: 380 };
  const curve = (name: string, y: (ranks: number) => number): LineSeries => ({
    name,
    x: RANKS,
    y: RANKS.map(y),
  });
  const kinds = [...new Set(measured.sums.map(({ engine, transport }) => `${engine}, ${transport}`))];
  const efficiencies = (shape: Shape) =>
    linePlot({
      ...{ ...size, title: `${shape.name} on nodes of ${2 * LARGE_NODE} cores: efficiency`, xLabel: "nodes" },
      ...{ yLabel: "share of n single nodes' speed, no overlap", xScale: "log", yFormat: "percent" },
      series: [1, 8].flatMap((accumulation) =>
        all.map((network) => {
          const run: Run = {
            ...{ shape, network, rate: rate * LARGE_NODE, overlap: 0, work: { ...WORK, accumulation } },
          };
          const passes = accumulation === 1 ? "1 pass a step" : `${accumulation} passes`;
          return curve(`${network.name}, ${passes}`, (ranks) => efficiency(run, ranks));
        })
      ),
    });
  return {
    sums: linePlot({
      ...{
        ...size,
        title: "Sum of two ranks of one machine, measured",
        xLabel: "bytes",
        yLabel: "milliseconds",
      },
      ...{ xScale: "log", yScale: "log", markers: true },
      series: kinds.map((name) => {
        const points = measured.sums.filter(({ engine, transport }) => `${engine}, ${transport}` === name);
        return { name, x: points.map(({ bytes }) => bytes), y: points.map(({ ms }) => ms) };
      }),
    }),
    throughput: linePlot({
      ...{
        ...size,
        title: "Tokens per second, nodes as the measured one",
        xLabel: "nodes",
        yLabel: "tokens per second",
      },
      ...{ xScale: "log", yScale: "log" },
      series: [BERT_BASE, BERT_LARGE].flatMap((shape) =>
        all.slice(0, 2).map((network) =>
          curve(
            `${shape.name}, ${network.name}`,
            (ranks) => tokensPerSecond({ shape, network, rate, work: WORK, overlap: 0 }, ranks),
          )
        )
      ),
    }),
    efficiency_base: efficiencies(BERT_BASE),
    efficiency_large: efficiencies(BERT_LARGE),
    memory: linePlot({
      ...{ ...size, title: "Weights, gradients and moments of one rank", xLabel: "ranks", yLabel: "GiB" },
      ...{ xScale: "log", baseline: { value: 4, label: "WebAssembly's memory" } },
      series: [BERT_LARGE, BERT_BASE].flatMap((shape) =>
        [false, true].map((zero) =>
          curve(
            `${shape.name}, ${zero ? "ZeRO-1" : "all moments"}`,
            (ranks) => stateBytes(shape, ranks, zero) / 2 ** 30,
          )
        )
      ),
    }),
  };
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i === 0 ? "---" : "---:")), ...rows.map(line)].join("\n");
}

const percent = (share: number) => `${Math.round(100 * share)} %`;
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

/** The tables by the names that the page gives them. */
function tables(measured: Measured): Record<string, string> {
  const { sums, links, step: { batch, tokens, threads, ms } } = measured,
    rate = measuredRate(measured);
  const sizes = [...new Set(sums.map(({ bytes }) => bytes))], all = networks(measured);
  const kinds = ENGINES.flatMap((engine) =>
    ["shared memory", "TCP"].map((transport) => [engine, transport] as const)
  );
  const shapes = [BERT_BASE, BERT_LARGE];
  const forecast = shapes.flatMap((shape) =>
    [1, LARGE_NODE].flatMap((times) =>
      all.map((network) => {
        const run: Run = { shape, network, rate: rate * times, work: WORK, overlap: 0 };
        const most = { ...run, overlap: 1 };
        const { compute, sums } = step(run, 1000),
          share = (n: number) => `${percent(efficiency(run, n))} - ${percent(efficiency(most, n))}`;
        return [
          ...[shape.name, 2 * times, network.name, `${compute.toPrecision(2)} s`, `${sums.toPrecision(2)} s`],
          ...[share(2), share(16), share(128), share(1000)],
        ];
      })
    )
  );
  return {
    sums: table(
      ["bytes", ...kinds.map((kind) => kind.join(", "))],
      sizes.map((
        bytes,
      ) => [
        bytes,
        ...kinds.map(([engine, transport]) =>
          `${sumMs(measured, engine, transport, bytes).toPrecision(3)} ms`
        ),
      ]),
    ),
    measured: [
      `Measured on ${measured.date}: ${measured.machine}. A step of bert-base, ${batch} x ${tokens} tokens, takes`,
      `${(ms / 1000).toPrecision(3)} s there on ${threads} threads, ${
        Math.round(batch * tokens / ms * 1000)
      } tokens per second or`,
      `${Math.round(rate / 1e9)} GFLOPS.`,
    ].join("\n"),
    links: table(
      [
        "ranks",
        "by shares (formula)",
        "by a tree (formula)",
        ...ENGINES.map((engine) => `${engine}, measured`),
      ],
      [...new Set(links.map(({ ranks }) => ranks))].map((ranks) => {
        const { bytes, megabits } = links[0];
        const network = {
          name: "",
          latency: link(measured, "TCP").latency,
          bytesPerSecond: megabits * 1e6 / 8,
        };
        const found = (engine: string) =>
          links.find((one) => one.engine === engine && one.ranks === ranks)!.ms;
        return [
          ...[
            ranks,
            ...(["halving", "tree"] as const).map((way) =>
              `${Math.round(1000 * sumSeconds(bytes, ranks, network, way))} ms`
            ),
          ],
          ...ENGINES.map((engine) => `${Math.round(found(engine))} ms`),
        ];
      }),
    ),
    bytes: table(
      ["", "dense parameters", "sum, 1 rank's rows", "sum, all rows", "weights + gradients", "moments"],
      shapes.map((shape) => [
        ...[shape.name, `${(denseParameters(shape) / 1e6).toFixed(1)} M`],
        ...[megabytes(gradientBytes(shape, WORK, 1)), megabytes(gradientBytes(shape, WORK, 1000))],
        ...[megabytes(stateBytes(shape, 1, false) / 2), megabytes(stateBytes(shape, 1, false) / 2)],
      ]),
    ),
    networks: table(
      ["network", "latency", "bytes per second", "sum of bert-base, 2 nodes", "16", "1000"],
      all.map((network) => [
        ...[
          network.name,
          `${network.latency * 1e6} us`,
          `${(network.bytesPerSecond / 1e9).toPrecision(2)} GB/s`,
        ],
        ...[2, 16, 1000].map((ranks) =>
          `${sumSeconds(gradientBytes(BERT_BASE, WORK, ranks), ranks, network).toPrecision(2)} s`
        ),
      ]),
    ),
    forecast: table(
      ["model", "cores", "network", "compute", "sums, 1000 nodes", "2 nodes", "16", "128", "1000"],
      forecast,
    ),
  };
}

/** The page with its tables renewed, and the plots by file name. */
export function documents(measured: Measured, page: string): { page: string; plots: Record<string, string> } {
  let renewed = page;
  for (const [name, text] of Object.entries(tables(measured))) {
    const begin = `<!-- ${name} -->`, end = `<!-- end of ${name} -->`;
    const from = renewed.indexOf(begin), to = renewed.indexOf(end);
    if (from < 0 || to < from) {
      throw new RangeError(`Cannot write the table "${name}": the page lacks ${begin} or ${end}`);
    }
    renewed = `${renewed.slice(0, from)}${begin}\n${text}\n${renewed.slice(to)}`;
  }
  return { page: renewed, plots: plots(measured) };
}
