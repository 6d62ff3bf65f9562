/** tf.matMul, tf.fused.matMul and tf.einsum on our kernels. */
import { deepStrictEqual, ok, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../../src/runtime/tensor.ts";
import { dispose, registerKernels } from "../../src/tfjs/mod.ts";
import { randomFloats } from "../helpers/kernels.ts";
import { einsumReference } from "./einsum_reference.ts";

const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

function tensor(shape: number[], seed: number): Tensor {
  return tf.tensor(randomFloats(size(shape), seed), shape, "float32");
}

function close(actual: Tensor, equation: string, ...operands: Tensor[]): void {
  const plain = operands.map((t) => ({ values: t.dataSync(), shape: t.shape }));
  const { sums, magnitudes } = einsumReference(equation, ...plain), values = actual.dataSync();
  deepStrictEqual(values.length, sums.length, equation);
  sums.forEach((sum, i) => {
    const error = Math.abs(values[i] - sum);
    ok(
      error <= 4e-7 * magnitudes[i],
      `${equation} ${operands.map((t) => `[${t.shape}]`)}: [${i}] is ${values[i]}, expected ${sum}`,
    );
  });
}

/** m, n, k around the tiles' sizes, with zeros. */
const SIZES = [
  [1, 1, 1],
  [1, 9, 3],
  [4, 8, 5],
  [5, 7, 0],
  [0, 3, 2],
  [6, 17, 33],
  [11, 16, 12],
  [41, 23, 19],
  [121, 259, 6],
  [10, 8, 300],
];
/** Batches of a and of b. */
const BATCHES: [number[], number[], string, string, string][] = [
  [[], [], "", "", ""],
  [[3], [3], "b", "b", "b"],
  [[3], [1], "b", "x", "bx"],
  [[1], [3], "x", "b", "xb"],
  [[2, 3], [2, 3], "bc", "bc", "bc"],
  [[2, 1], [1, 3], "bx", "yc", "bcxy"],
  [[2, 3], [], "bc", "", "bc"],
  [[3], [2, 3], "c", "bc", "bc"],
  [[0], [0], "b", "b", "b"],
];

for (const [transposeA, transposeB] of [[false, false], [false, true], [true, false], [true, true]]) {
  Deno.test(`tf.matMul ${transposeA ? "T" : "N"}${transposeB ? "T" : "N"} matches f64 within 4e-7 of the sum of magnitudes: sizes, batches, broadcasting`, async () => {
    await registerKernels({ threads: 2 });
    for (const [m, n, k] of SIZES) {
      for (const [aBatch, bBatch, a, b, out] of m * n * k > 1e5 ? BATCHES.slice(0, 3) : BATCHES) {
        const x = tensor([...aBatch, ...(transposeA ? [k, m] : [m, k])], 1);
        const y = tensor([...bBatch, ...(transposeB ? [n, k] : [k, n])], 2);
        const terms = `${a}${transposeA ? "km" : "mk"},${b}${transposeB ? "nk" : "kn"}`;
        close(tf.matMul(x, y, transposeA, transposeB), `${terms}->${out}mn`, x, y);
        tf.dispose([x, y]);
      }
    }
    dispose();
  });
}

Deno.test("tf.fused.matMul adds the bias and activates as the separate ops do, for every activation", async () => {
  await registerKernels({ threads: 2 });
  const a = tensor([3, 5, 7], 1),
    b = tensor([3, 7, 6], 2),
    shared = tensor([7, 6], 3),
    alpha = tensor([6], 4);
  const activations: [string, (x: Tensor) => Tensor][] = [
    ["linear", (x) => x],
    ["relu", (x) => tf.relu(x)],
    ["relu6", (x) => tf.relu6(x)],
    ["elu", (x) => tf.elu(x)],
    ["sigmoid", (x) => tf.sigmoid(x)],
    ["leakyrelu", (x) => tf.leakyRelu(x, 0.3)],
    ["prelu", (x) => tf.prelu(x, alpha)],
  ];
  for (const [activation, op] of activations) {
    for (const right of [b, shared]) {
      for (const bias of [undefined, tensor([6], 5), tensor([1], 6), tensor([5, 6], 7)]) {
        const before = tf.memory().numTensors;
        const actual = tf.fused.matMul({
          ...{ a: a as never, b: right as never, bias, activation: activation as "relu" },
          ...{ preluActivationWeights: alpha, leakyreluAlpha: 0.3 },
        });
        deepStrictEqual(tf.memory().numTensors, before + 1);
        const product = tf.matMul(a, right), wanted = op(bias ? tf.add(product, bias) : product);
        deepStrictEqual(actual.shape, wanted.shape);
        ok(tf.max(tf.abs(tf.sub(actual, wanted))).dataSync()[0] < 1e-6, `${activation} [${bias?.shape}]`);
      }
    }
  }
  dispose();
});

/** Equations with the shapes of their tensors: attention's, and each way a layout can fail to fit. */
const EQUATIONS: [string, ...number[][]][] = [
  ["bthd,bshd->bhts", [2, 5, 3, 4], [2, 7, 3, 4]],
  ["bhts,bshd->bthd", [2, 3, 5, 7], [2, 7, 3, 4]],
  ["bthd,hde->bte", [2, 5, 3, 4], [3, 4, 6]],
  ["abc,cd->abd", [2, 3, 5], [5, 4]],
  ["ij,jk->ik", [9, 12], [12, 10]],
  ["ij,jk->ki", [9, 12], [12, 10]],
  ["ij,kj->ik", [1, 12], [10, 12]],
  ["ij,ik->jk", [6, 5], [6, 3]],
  ["iaj,jbk->abik", [2, 3, 5], [5, 4, 2]],
  ["ajb,bkj->ka", [3, 4, 5], [5, 2, 4]],
  ["ijk,jil->kl", [3, 4, 5], [4, 3, 2]],
  ["bij,bjk->ikb", [3, 4, 5], [3, 5, 2]],
  ["abcd,dcb->a", [2, 3, 4, 5], [5, 4, 3]],
  ["ab,bc->c", [3, 4], [4, 5]],
  ["ab,cd->ac", [3, 4], [5, 2]],
  ["ij,ij->", [13, 11], [13, 11]],
  ["bi,bi->b", [3, 17], [3, 17]],
  ["i,j->ji", [4], [6]],
  ["ij,ij->ji", [4, 6], [4, 6]],
  [",ij->ij", [], [2, 3]],
  ["ij->ji", [4, 6]],
  ["ijk->k", [2, 3, 4]],
  ["ijk->ki", [2, 3, 4]],
  ["ij->ij", [2, 3]],
  ["ij->", [5, 7]],
  ["ij,jk->ik", [3, 0], [0, 4]],
  ["ij,jk->ik", [0, 3], [3, 4]],
];

Deno.test("tf.einsum matches f64 within 4e-7 of the sum of magnitudes, and leaves no tensor behind", async () => {
  await registerKernels({ threads: 2 });
  for (const [equation, ...shapes] of EQUATIONS) {
    const operands = shapes.map((shape, i) => tensor(shape, i + 1)), before = tf.memory();
    const actual = tf.einsum(equation, ...operands);
    deepStrictEqual(tf.memory().numTensors, before.numTensors + 1, equation);
    close(actual, equation, ...operands);
    actual.dispose();
    deepStrictEqual(tf.memory(), before, equation);
  }
  const integers = tf.einsum(
    "ij,jk->ik",
    tf.tensor2d([1, 2, 3, 4], [2, 2], "int32"),
    tf.tensor2d([5, 6, 7, 8], [2, 2], "int32"),
  );
  deepStrictEqual([integers.dtype, ...integers.dataSync()], ["int32", 19, 22, 43, 50]);
  dispose();
});

Deno.test("the gradient of every einsum matches that of the same sum in elementwise ops", async () => {
  await registerKernels({ threads: 2 });
  for (const [equation, ...shapes] of EQUATIONS.filter(([, ...s]) => !s.flat().includes(0))) {
    const operands = shapes.map((shape, i) => tensor(shape, i + 1));
    const [left, output] = equation.split("->"), terms = left.split(",");
    const labels = [...new Set(output + terms.join(""))].join("");
    // All labels as dimensions, then the sum over those that the output lacks.
    const elementwise = (...xs: Tensor[]) => {
      const spread = xs.map((x, i) => {
        const order = [...labels].filter((label) => terms[i].includes(label));
        const ordered = tf.transpose(x, order.map((label) => terms[i].indexOf(label)));
        return tf.reshape(
          ordered,
          [...labels].map((l) => terms[i].includes(l) ? x.shape[terms[i].indexOf(l)] : 1),
        );
      });
      const axes = [...labels].map((_, d) => d).filter((d) => !output.includes(labels[d]));
      return tf.sum(spread.length > 1 ? tf.mul(spread[0], spread[1]) : spread[0], axes);
    };
    const dy = tensor(tf.einsum(equation, ...operands).shape, 9);
    const actual = tf.grads((...xs: Tensor[]) => tf.einsum(equation, ...xs))(operands, dy);
    const wanted = tf.grads((...xs: Tensor[]) => elementwise(...xs))(operands, dy);
    actual.forEach((gradient, i) => {
      deepStrictEqual(gradient.shape, shapes[i], equation);
      ok(tf.max(tf.abs(tf.sub(gradient, wanted[i]))).dataSync()[0] < 1e-5, `${equation}, tensor ${i}`);
    });
  }
  dispose();
});

Deno.test("tf.matMul's gradient sums over batches that were broadcast, for every transpose", async () => {
  await registerKernels({ threads: 2 });
  for (const [transposeA, transposeB] of [[false, false], [false, true], [true, false], [true, true]]) {
    for (
      const [aBatch, bBatch] of [[[3], []], [[3, 2], [1, 2]], [[], [3]], [[2, 1], [1, 3]], [[2, 3], [1, 1]]]
    ) {
      const a = tensor([...aBatch, ...(transposeA ? [5, 4] : [4, 5])], 1);
      const b = tensor([...bBatch, ...(transposeB ? [6, 5] : [5, 6])], 2);
      const multiply = (x: Tensor, y: Tensor) => tf.matMul(x, y, transposeA, transposeB) as Tensor;
      // The same product of elementwise ops: [..., m, k, 1] * [..., 1, k, n], summed over k.
      const elementwise = (x: Tensor, y: Tensor) => {
        const swap = (t: Tensor) => {
          const d = t.rank;
          return tf.transpose(t, [...Array(d - 2).keys(), d - 1, d - 2]);
        };
        const left = transposeA ? swap(x) : x, right = transposeB ? swap(y) : y;
        return tf.sum(tf.mul(tf.expandDims(left, -1), tf.expandDims(right, -3)), -2);
      };
      const actual = tf.grads(multiply)([a, b]), wanted = tf.grads(elementwise)([a, b]);
      actual.forEach((gradient, i) => {
        deepStrictEqual(gradient.shape, [a, b][i].shape);
        ok(tf.max(tf.abs(tf.sub(gradient, wanted[i]))).dataSync()[0] < 1e-5);
      });
    }
  }
  dispose();
});

Deno.test("wrong shapes are errors: inner sizes, batches, labels", async () => {
  await registerKernels({ threads: 1 });
  const x = tf.zeros([2, 3]);
  throws(() => tf.matMul(x, x), /inner shapes \(3\) and \(2\)/);
  throws(() => tf.matMul(tf.zeros([2, 2, 3]), tf.zeros([3, 3, 2])), /broadcast/);
  throws(() => tf.einsum("ij->ii", x), /the output repeats a label/);
  throws(() => tf.einsum("ij,jk->ik", x, x), /Expected dimension 3/);
  throws(() => tf.einsum("ijk->k", x), /tensor 0 is float32 \[2, 3\], expected float32 with 3 dimensions/);
  dispose();
});
