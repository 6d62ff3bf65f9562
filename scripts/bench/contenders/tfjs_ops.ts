/**
 * tfjs's ops on its own kernels and on ours, in one process, on the same threads: `tfjs_ops.ts THREADS`. Jobs are
 * `NUMBER stock` and `NUMBER ours`; the first one of a number compares the results.
 */
import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../../../src/runtime/tensor.ts";
import { adamw, registerKernels } from "../../../src/tfjs/mod.ts";
import { speak } from "./speak.mjs";

const threads = Number(process.argv[2]);

interface Case {
  name: string;
  shape: string;
  run: () => Tensor;
  /** The same on tfjs's own kernels, where they lack the op. */
  stock?: () => Tensor;
}

const random = (...shape: number[]) => tf.randomNormal(shape) as Tensor;

function product(
  name: string,
  a: number[],
  b: number[],
  transposeA: boolean,
  transposeB: boolean,
): () => Case {
  return () => {
    const x = random(...a), y = random(...b);
    return { name, shape: `[${a}] [${b}]`, run: () => tf.matMul(x, y, transposeA, transposeB) as Tensor };
  };
}

function unary(name: string, shape: number[], op: (x: Tensor) => Tensor): () => Case {
  return () => {
    const x = random(...shape);
    return { name, shape: `[${shape}]`, run: () => op(x) };
  };
}

const B = 8, T = 128, N = 12, D = 64, H = N * D, I = 4 * H, V = 30522;

const CASES: (() => Case)[] = [
  product("matMul", [B * T, H], [H, H], false, false),
  product("matMul", [B * T, H], [H, I], false, false),
  product("matMul", [B * T, I], [I, H], false, false),
  product("matMul", [12, H], [H, H], false, false),
  product("matMul, shared B", [B, T, H], [H, H], false, false),
  product("matMul b^T (dX)", [B * T, H], [H, H], false, true),
  product("matMul a^T (dW)", [B * T, H], [B * T, H], true, false),
  product("matMul b^T (QK^T)", [B, N, T, D], [B, N, T, D], false, true),
  product("matMul (PV)", [B, N, T, T], [B, N, T, D], false, false),
  product("matMul a^T (dV)", [B, N, T, T], [B, N, T, D], true, false),
  product("matMul b^T (QK^T)", [32, N, 32, D], [32, N, 32, D], false, true),
  product("matMul (PV)", [32, N, 32, 32], [32, N, 32, D], false, false),
  () => {
    const x = random(B * T, H), w = random(H, I), bias = random(I);
    const run = () => tf.fused.matMul({ a: x as never, b: w as never, bias, activation: "relu" }) as Tensor;
    return {
      name: "fused.matMul, relu",
      shape: `[${B * T},${H}] [${H},${I}]`,
      run,
    };
  },
  () => {
    const q = random(B, T, N, D),
      k = random(B, T, N, D),
      heads = (x: Tensor) => tf.transpose(x, [0, 2, 1, 3]);
    return {
      ...{ name: "einsum bthd,bshd->bhts", shape: `[${q.shape}]` },
      run: () => tf.einsum("bthd,bshd->bhts", q, k),
      stock: () => tf.tidy(() => tf.matMul(heads(q), heads(k), false, true) as Tensor),
    };
  },
  unary("softmax", [B, N, T, T], (x) => tf.softmax(x)),
  unary("exp", [B * T, H], (x) => tf.exp(x)),
  unary("erf", [B * T, H], (x) => tf.erf(x)),
  unary("tanh", [B * T, H], (x) => tf.tanh(x)),
  unary("sum, last axis", [B * T, H], (x) => tf.sum(x, -1)),
  unary("sum, first axis", [B * T, H], (x) => tf.sum(x, 0)),
  unary("mean, last axis", [B * T, H], (x) => tf.mean(x, -1)),
  unary("transpose heads", [B, T, N, D], (x) => tf.transpose(x, [0, 2, 1, 3])),
  unary("transpose", [B * T, H], (x) => tf.transpose(x)),
  unary("tile", [B, T, 1], (x) => tf.tile(x, [1, 1, H])),
  unary("clone", [B * T, H], (x) => tf.clone(x)),
  () => {
    const table = random(V, H), ids = tf.randomUniform([B, T], 0, V, "int32") as Tensor;
    return { name: "gather", shape: `[${table.shape}] [${ids.shape}]`, run: () => tf.gather(table, ids) };
  },
  () => {
    const x = random(B * T, H), ids = tf.randomUniform([B * T], 0, 1000, "int32") as never;
    return {
      ...{ name: "unsortedSegmentSum", shape: `[${x.shape}] to [1000]` },
      run: () => tf.unsortedSegmentSum(x, ids, 1000),
      stock: () => tf.tidy(() => tf.matMul(tf.cast(tf.oneHot(ids, 1000), "float32"), x, true) as Tensor),
    };
  },
  () => {
    const start = random(H, I), gradient = random(H, I);
    const [ours, theirs] = [0, 1].map(() => tf.tidy(() => tf.variable(tf.mul(start, 1))));
    const own = adamw(1e-3, { weightDecay: 0, epsilon: 1e-7 }), stock = tf.train.adam(1e-3);
    return {
      ...{ name: "adamw against train.adam", shape: `[${start.shape}]` },
      run: () => (own.applyGradients([{ name: ours.name, tensor: gradient }]), tf.clone(ours) as Tensor),
      stock:
        () => (stock.applyGradients([{ name: theirs.name, tensor: gradient }]), tf.clone(theirs) as Tensor),
    };
  },
];

/** Runs twice on one set of kernels, so that its threads are awake; the second time, and its result. */
async function once(run: () => Tensor, own: boolean): Promise<{ ms: number; result: Tensor }> {
  const registration = await registerKernels({ threads });
  if (!own) registration.unregister();
  run().dispose();
  const start = performance.now(), result = run();
  return { ms: performance.now() - start, result };
}

/** Makes a case and compares its two results. */
async function prepare(number: number): Promise<{ made: Case; difference: number }> {
  await registerKernels({ threads });
  const made = CASES[number](), { run, stock = run } = made;
  const theirs = await once(stock, false), ours = await once(run, true);
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(theirs.result, ours.result))).dataSync()[0]);
  tf.dispose([theirs.result, ours.result]);
  return { made, difference };
}

let current = -1, prepared: { made: Case; difference: number };
await speak([], async (job) => {
  const [number, side] = job.split(" ");
  if (Number(number) !== current) {
    current = Number(number);
    tf.disposeVariables();
    prepared = await prepare(current);
  }
  const { made: { name, shape, run, stock = run }, difference } = prepared;
  const { ms, result } = await once(side === "ours" ? run : stock, side === "ours");
  result.dispose();
  return { ms, name, shape, difference };
}, { cases: CASES.length });
