/** BertModel in inference mode against onnxruntime-web and transformers.js, on the same hash weights. */
import { mkdtempSync, rmSync } from "node:fs";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tokens } from "../contenders/bits.ts";
import { CHECKED } from "../contenders/inference.mjs";
import { SHAPES } from "../contenders/training_job.ts";
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
} from "../harness.ts";

export const suite: Suite = {
  name: "inference",
  title: "Inference in Deno against onnxruntime-web and transformers.js in Node",
  run,
};

/** 1 / 1.6. */
const GOAL = 0.625;

const WORKS: [shape: keyof typeof SHAPES, batches: string[]][] = [
  ["MiniLM", ["1 x 16", "1 x 128", "32 x 64"]],
  ["bert-base", ["1 x 6", "1 x 128"]],
];
const QUICK: typeof WORKS = [["MiniLM", ["1 x 16"]]];

/** Tokens of a batch from which a turn takes long enough. */
const LONG_TURN = 1000;
/** Short turns are this many times as many. */
const SHORT_TURNS = 2;

/** The largest difference of an element of the last hidden state. */
const TOLERANCE = 1e-4;

const VOCABULARY = 30522;

async function run(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [shape, batches] of bench.quick ? QUICK : WORKS) {
    const folder = mkdtempSync(`${tmpdir()}/berth-inference-`);
    try {
      bench.say(`exporting ${shape} to ONNX`);
      const script = fileURLToPath(new URL("../contenders/torch_export.py", import.meta.url));
      await promisify(execFile)(await bench.peers.python(), [script, folder, JSON.stringify(SHAPES[shape])]);
      rows.push(...await timeShape(bench, shape, batches, folder));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return rows;
}

/** All batches of one model. */
async function timeShape(
  bench: Bench,
  shape: keyof typeof SHAPES,
  batches: string[],
  folder: string,
): Promise<Row[]> {
  const sizes = batches.map((batch) => batch.split(" x ").map(Number) as [number, number]);
  const inputs = batches.map((batch, i) => [batch, tokens(...sizes[i], VOCABULARY)]);
  const job = { threads: bench.threads, config: SHAPES[shape], batches: Object.fromEntries(inputs) };
  const text = JSON.stringify(job), modules = await bench.peers.nodeModules();
  const node = (file: string, ...rest: string[]) => {
    const program = fileURLToPath(new URL(`../contenders/${file}`, import.meta.url));
    return [`${modules}/.bin/node`, program, modules, folder, text, ...rest];
  };
  const peers = [
    { name: "onnxruntime-web", command: node("ort_inference.mjs"), goal: { atMost: GOAL } },
    {
      name: "transformers.js, its onnxruntime-web",
      command: node("transformersjs_inference.mjs", "wasm"),
      goal: { atMost: GOAL },
    },
    {
      name: "transformers.js, onnxruntime-node (native)",
      command: node("transformersjs_inference.mjs", "native"),
      goal: {},
    },
  ];
  const started: Contender[] = [], rows: Row[] = [];
  try {
    bench.say(`starting four programs with ${shape}`);
    started.push(await startContender([...denoContender("berth_inference.ts"), text], { name: "berth" }));
    for (const { name, command } of peers) started.push(await startContender(command, { name }));
    const [berth, ...others] = started;
    const errors = others.map((peer) => compareChecks(berth, peer, TOLERANCE));
    for (const [i, batch] of batches.entries()) {
      const turns = bench.rounds * (sizes[i][0] * sizes[i][1] < LONG_TURN ? SHORT_TURNS : 1);
      const work = `inference, ${shape}, ${batch}`;
      bench.say(`${work}: ${turns} turns`);
      const [ours, ...theirs] = await takeTurns(started, turns, 2, batch);
      rows.push(...peers.map(({ name, goal }, p) => {
        const verified = `${CHECKED} elements of the last hidden state: ${errors[p].toExponential(1)}`;
        const command = "deno task bench --only inference";
        return compare({ work, ours, peer: name, theirs: theirs[p], verified, command }, goal);
      }));
    }
  } finally {
    await Promise.all(started.map((contender) => contender.end()));
  }
  return rows;
}
