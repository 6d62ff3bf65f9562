/**
 * The demo's training, with a clock around every kernel and around what runs between them: `profile.ts MODEL THREADS`.
 * Each run is one epoch and answers with the milliseconds of a step and of its parts.
 */
import process from "node:process";
import { AdamW, BertForSequenceClassification, BertTokenizer, init } from "../../../mod.ts";
import { readExamples } from "../../demo/data.ts";
import { DEMO_SETTINGS, train } from "../../demo/train.ts";
import { speak } from "./speak.mjs";

const [name, threads] = process.argv.slice(2);
const runtime = await init({ threads: Number(threads) });
const tokenizer = await BertTokenizer.from_pretrained(name);
const model = await BertForSequenceClassification.from_pretrained(name, { on_report: () => {} });
const trainSet = readExamples("train"), testSet = readExamples("test").slice(0, 8);
const settings = { ...DEMO_SETTINGS, epochs: 1 };

type Phase = "forward" | "backward" | "optimizer";

/** TRANSPOSE_A of the kernel's flags, its last argument. */
const TRANSPOSE_A = 2;

let parts = new Map<string, { ms: number; calls: number }>(), phase: Phase | undefined, inKernels = 0;
let stepStart = 0, inSteps = 0, steps = 0;

function add(part: string, ms: number): void {
  const entry = parts.get(part) ?? { ms: 0, calls: 0 };
  parts.set(part, { ms: entry.ms + ms, calls: entry.calls + 1 });
}

/** Products by what they are for: the gradients of weights read A transposed. */
function partOf(kernel: string, args: number[]): string {
  if (!kernel.startsWith("gemm")) return kernel;
  if (phase !== "backward" || kernel === "gemm_pack") return `${kernel}, ${phase}`;
  return `${kernel}, ${args.at(-1)! & TRANSPOSE_A ? "dW" : "dX"}`;
}

const pool = runtime.pool as unknown as {
  run(kernel: string, count: number, grain: number, ...args: number[]): void;
};
const runKernel = pool.run.bind(pool);
pool.run = (kernel, count, grain, ...args) => {
  const start = performance.now();
  runKernel(kernel, count, grain, ...args);
  if (phase === undefined) return;
  const ms = performance.now() - start;
  inKernels += ms;
  add(partOf(kernel, args), ms);
};

/** Times a phase; what is left of it beside its kernels is JavaScript. */
function inPhase<T>(name: Phase, run: () => T): T {
  if (!model.training) return run();
  phase = name;
  inKernels = 0;
  const start = performance.now(), result = run();
  add(`JavaScript, ${name}`, performance.now() - start - inKernels);
  phase = undefined;
  return result;
}

const forward = model.forward.bind(model), backward = model.backward.bind(model), step = AdamW.prototype.step;
model.forward = (...args) => {
  if (model.training) {
    stepStart = encoding.start;
    add("tokenizer", encoding.ms);
  }
  return inPhase("forward", () => forward(...args));
};
model.backward = (...args) => inPhase("backward", () => backward(...args));
AdamW.prototype.step = function (...args) {
  return inPhase("optimizer", () => step.apply(this, args));
};

/** The last call of the tokenizer; part of a step if the next forward pass is one of training. */
let encoding = { start: 0, ms: 0 };
const timedTokenizer = new Proxy(tokenizer, {
  apply(target, self, args) {
    const start = performance.now(), result = Reflect.apply(target as never, self, args);
    encoding = { start, ms: performance.now() - start };
    return result;
  },
});

/** One epoch of the demo; its last loss. */
async function epoch(): Promise<number> {
  parts = new Map();
  inSteps = steps = 0;
  let last = 0;
  await train(model, timedTokenizer, trainSet, testSet, settings, {
    onStep: (_step, _total, { loss }) => {
      inSteps += performance.now() - stepStart;
      steps++;
      last = loss;
    },
    onEvaluation: () => {},
  });
  return last;
}

const loss = await epoch();
await speak([loss], async () => {
  await epoch();
  const perStep = [...parts].map(([part, { ms, calls }]) => [part, { ms: ms / steps, calls: calls / steps }]);
  return { ms: inSteps / steps, parts: Object.fromEntries(perStep) };
}, { parameters: model.num_parameters(), sentences: trainSet.length });
