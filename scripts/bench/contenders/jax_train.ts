/**
 * Training steps of the same encoder written in jax-js, on its wasm device: `jax_train.ts MODULES JOB`, see
 * training_job.ts. The loss and its gradient are one jitted function; AdamW is another, of a tensor, so that old weights
 * are freed one by one (jax-js gives results new memory, and has 4 GiB at most). The word embedding stands outside: the
 * gradient of a gather is a scatter, which jax-js 0.1.25 does not compile ("routine primitive scatter input is not imm").
 */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { fillHashed } from "../../notebook/hashed_weights.ts";
import { speak } from "./speak.mjs";
import type { TrainingJob } from "./training_job.ts";

const [modules, text] = process.argv.slice(2), job = JSON.parse(text) as TrainingJob;
// jax-js starts as many workers as this says.
Object.defineProperty(navigator, "hardwareConcurrency", { value: job.threads, configurable: true });

/** What is used of jax-js. Functions own their arguments; `ref` keeps one. */
interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: number[];
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  /** A number takes that index, a pair a range, nothing all. */
  slice(...at: (number | [] | [number, number])[]): JaxArray;
  reshape(shape: number[]): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}
type Tree = Record<string, JaxArray>;
interface Jax {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  jit<F>(f: F): F;
  valueAndGrad(f: (p: Tree, answers: JaxArray) => JaxArray): (p: Tree, answers: JaxArray) => [JaxArray, Tree];
  vjp(f: (x: JaxArray) => JaxArray, at: JaxArray[]): [JaxArray, (dy: JaxArray) => JaxArray[]];
  blockUntilReady(tree: unknown): Promise<unknown>;
  numpy: {
    array(values: Float32Array | Int32Array): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    matrixTranspose(a: JaxArray): JaxArray;
    take(a: JaxArray, indices: JaxArray, axis: number): JaxArray;
    sqrt(a: JaxArray): JaxArray;
    square(a: JaxArray): JaxArray;
    tanh(a: JaxArray): JaxArray;
    sum(a: JaxArray): JaxArray;
  };
  nn: {
    gelu(x: JaxArray, options: { approximate: boolean }): JaxArray;
    logSoftmax(x: JaxArray, axis: number): JaxArray;
    standardize(x: JaxArray, axis: number, options: { epsilon: number }): JaxArray;
    dotProductAttention(query: JaxArray, key: JaxArray, value: JaxArray): JaxArray;
  };
}

const jax: Jax = await import(pathToFileURL(`${modules}/@jax-js/jax/dist/index.js`).href);
await jax.init("wasm");
jax.defaultDevice("wasm");
const { numpy: np, nn } = jax;

const { hidden_size: H = 768, num_hidden_layers: L = 12, num_attention_heads: N = 12 } = job.config;
const { intermediate_size: I = 3072, max_position_embeddings: P = 512, vocab_size: V = 30522 } = job.config;
const WORDS = "bert.embeddings.word_embeddings.weight";
const B = job.input_ids.length, T = job.input_ids[0].length;

/** Every parameter's shape, by transformers' names. */
function shapes(): Record<string, number[]> {
  const all: Record<string, number[]> = {
    [WORDS]: [V, H],
    "bert.embeddings.position_embeddings.weight": [P, H],
    "bert.embeddings.token_type_embeddings.weight": [2, H],
  };
  const linear = (name: string, inputs: number, outputs: number) => {
    all[`${name}.weight`] = [outputs, inputs];
    all[`${name}.bias`] = [outputs];
  };
  const norm = (name: string) => all[`${name}.weight`] = all[`${name}.bias`] = [H];
  norm("bert.embeddings.LayerNorm");
  for (let i = 0; i < L; i++) {
    const layer = `bert.encoder.layer.${i}`;
    for (const part of ["query", "key", "value"]) linear(`${layer}.attention.self.${part}`, H, H);
    linear(`${layer}.attention.output.dense`, H, H);
    norm(`${layer}.attention.output.LayerNorm`);
    linear(`${layer}.intermediate.dense`, H, I);
    linear(`${layer}.output.dense`, I, H);
    norm(`${layer}.output.LayerNorm`);
  }
  linear("bert.pooler.dense", H, H);
  linear("classifier", H, 2);
  return all;
}

/** The mean loss. The parameter WORDS is the tokens' rows of it [B * T, H]; `answers` is one-hot [B, 2]. */
function lossOf(p: Tree, answers: JaxArray): JaxArray {
  const linear = (x: JaxArray, name: string) =>
    np.matmul(x, np.matrixTranspose(p[`${name}.weight`])).add(p[`${name}.bias`]);
  const norm = (x: JaxArray, name: string) =>
    nn.standardize(x, -1, { epsilon: 1e-12 }).mul(p[`${name}.weight`]).add(p[`${name}.bias`]);
  const positions = p["bert.embeddings.position_embeddings.weight"].slice([0, T]); // [T, H]
  const type = p["bert.embeddings.token_type_embeddings.weight"].slice(0); // [H]
  const sum = p[WORDS].reshape([B, T, H]).add(positions.add(type)).reshape([B * T, H]);
  let x = norm(sum, "bert.embeddings.LayerNorm"); // [B * T, H]
  for (let i = 0; i < L; i++) {
    const layer = `bert.encoder.layer.${i}`, self = `${layer}.attention.self`;
    const heads = (part: string) => linear(x.ref, `${self}.${part}`).reshape([B, T, N, H / N]);
    const context = nn.dotProductAttention(heads("query"), heads("key"), heads("value"));
    const attended = linear(context.reshape([B * T, H]), `${layer}.attention.output.dense`);
    const y = norm(x.add(attended), `${layer}.attention.output.LayerNorm`);
    const inner = nn.gelu(linear(y.ref, `${layer}.intermediate.dense`), { approximate: false });
    x = norm(y.add(linear(inner, `${layer}.output.dense`)), `${layer}.output.LayerNorm`);
  }
  const pooled = np.tanh(linear(x.reshape([B, T, H]).slice([], 0), "bert.pooler.dense")); // [B, H]
  return np.sum(nn.logSoftmax(linear(pooled, "classifier"), -1).mul(answers)).mul(-1 / B);
}

const ids = np.array(Int32Array.from(job.input_ids.flat()));
const answers = np.array(Float32Array.from(job.labels.flatMap((label) => [1 - label, label]))).reshape([
  B,
  2,
]);
const lossAndGradient = jax.jit(jax.valueAndGrad(lossOf));

/** One tensor's step; `rates` are lr / (1 - beta1^t) and 1 / (1 - beta2^t). */
const adamw = jax.jit((p: JaxArray, g: JaxArray, m: JaxArray, v: JaxArray, lr: JaxArray, scale: JaxArray) => {
  const mNew = m.mul(0.9).add(g.ref.mul(0.1)), vNew = v.mul(0.999).add(np.square(g).mul(0.001));
  const change = mNew.ref.mul(lr).div(np.sqrt(vNew.ref.mul(scale)).add(1e-8));
  return [p.sub(change), mNew, vNew];
});

let parameters: Tree = {}, steps = 0;
const moments: Record<string, [JaxArray, JaxArray]> = {};
for (const [name, shape] of Object.entries(shapes())) {
  const size = shape.reduce((a, b) => a * b, 1), values = new Float32Array(size);
  const zeros = () => np.array(new Float32Array(size)).reshape(shape);
  moments[name] = [zeros(), zeros()];
  fillHashed(values, name);
  parameters[name] = np.array(values).reshape(shape);
}

async function step(): Promise<number> {
  steps++;
  const refs = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, value.ref]));
  const [rows, scatter] = jax.vjp((words) => np.take(words, ids.ref, 0), [refs[WORDS]]);
  const [loss, gradients] = lossAndGradient({ ...refs, [WORDS]: rows }, answers.ref);
  [gradients[WORDS]] = scatter(gradients[WORDS]);
  const next: Tree = {};
  for (const [name, g] of Object.entries(gradients)) {
    const lr = np.array(Float32Array.of(job.lr / (1 - 0.9 ** steps)));
    const scale = np.array(Float32Array.of(1 / (1 - 0.999 ** steps)));
    const [m, v] = moments[name];
    const [p, mNew, vNew] = adamw(parameters[name], g, m, v, lr, scale);
    next[name] = p;
    moments[name] = [mNew, vNew];
  }
  parameters = next;
  await jax.blockUntilReady([parameters, moments]);
  return (await loss.data())[0];
}

const losses: number[] = [];
for (let i = 0; i < job.checkSteps; i++) losses.push(await step());
await speak(losses, async () => {
  const start = performance.now();
  await step();
  return performance.now() - start;
});
