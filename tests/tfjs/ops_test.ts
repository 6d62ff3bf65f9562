/** The other ops on our kernels against f64, and what goes to tfjs's own kernels. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../../src/runtime/tensor.ts";
import { dispose, registerKernels } from "../../src/tfjs/mod.ts";
import { worstError } from "../helpers/errors.ts";
import { randomFloats } from "../helpers/kernels.ts";
import { erf } from "../reference/layers.ts";

const SIZES = [0, 1, 3, 4, 5, 1023, 1025, 20_011];
const SIMD = { threads: 2, profile: "simd" } as const, SINGLE = { threads: 1, profile: "single" } as const;
const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, Math.fround(1e-40), 100, -100, 88, -88];

Deno.test("tf.exp, tf.erf and tf.tanh match f64 within 3e-7, NaN and infinities included", async () => {
  await registerKernels({ threads: 2 });
  const ops: [(x: Tensor) => Tensor, (x: number) => number][] = [
    [(x) => tf.exp(x), (x) => Math.fround(Math.exp(x))],
    [(x) => tf.erf(x), (x) => Math.abs(x) === Infinity ? Math.sign(x) : erf(x)],
    [(x) => tf.tanh(x), Math.tanh],
  ];
  for (const [op, reference] of ops) {
    for (const size of SIZES) {
      const x = randomFloats(size, size, 8);
      ok(
        worstError(op(tf.tensor1d(x)).dataSync(), Array.from(x, reference), 1e-30) < 3e-7,
        `${op} of ${size}`,
      );
    }
    const special = op(tf.tensor1d(SPECIAL)).dataSync();
    SPECIAL.forEach((x, i) => {
      const wanted = reference(x);
      ok(
        Object.is(special[i], wanted) || Math.abs(special[i] - wanted) <= 1e-6 * Math.abs(wanted) + 3e-45,
        `${op} of ${x}: ${special[i]}`,
      );
    });
  }
  dispose();
});

Deno.test("tf.softmax matches f64 within 4e-6 (the rounding of differences up to 60) for rows around the vector width; NaN and infinities make NaN of their row only", async () => {
  await registerKernels({ threads: 2 });
  for (const n of [1, 2, 3, 4, 5, 7, 8, 129, 1000]) {
    const rows = 37, x = randomFloats(rows * n, n, 30);
    const wanted = Array.from({ length: rows }, (_, i) => {
      const row = x.subarray(i * n, (i + 1) * n),
        top = Math.max(...row),
        powers = Array.from(row, (v) => Math.exp(v - top));
      const sum = powers.reduce((a, b) => a + b, 0);
      return powers.map((p) => p / sum);
    }).flat();
    ok(worstError(tf.softmax(tf.tensor(x, [rows, n])).dataSync(), wanted, 1e-30) < 4e-6, `n = ${n}`);
  }
  const rows = [[1, 2, NaN, 4, 5], [-Infinity, 0, 0, -Infinity, -500], [Infinity, 0, 0, 0, 0], [
    -Infinity,
    -Infinity,
    -Infinity,
    -Infinity,
    -Infinity,
  ]];
  const y = tf.softmax(tf.tensor2d(rows)).arraySync() as number[][];
  ok(y[0].every(Number.isNaN) && y[2].every(Number.isNaN) && y[3].every(Number.isNaN));
  deepStrictEqual(y[1], [0, 0.5, 0.5, 0, 0]);
  for (const shape of [[0, 3], [3, 0], [0]]) deepStrictEqual(tf.softmax(tf.zeros(shape)).shape, shape);
  dispose();
});

Deno.test("tf.gather picks rows, its gradient adds them up; indices out of range are errors", async () => {
  await registerKernels({ threads: 2 });
  for (const [rows, width] of [[5, 7], [9, 1], [3, 33], [4, 0]]) {
    const values = randomFloats(rows * width, 1), x = tf.tensor(values, [rows, width]);
    const ids = [rows - 1, 0, 0, 2, rows - 1, 0], indices = tf.tensor2d(ids, [2, 3], "int32");
    const y = tf.gather(x, indices);
    deepStrictEqual([y.shape, Array.from(y.dataSync())], [
      [2, 3, width],
      ids.flatMap((id) => [...values.subarray(id * width, (id + 1) * width)]),
    ]);
    const dy = randomFloats(6 * width, 2), wanted = new Float64Array(rows * width);
    ids.forEach((id, i) => {
      for (let j = 0; j < width; j++) wanted[id * width + j] += dy[i * width + j];
    });
    const dx = tf.grad((t: Tensor) => tf.gather(t, indices))(x, tf.tensor(dy, [2, 3, width]));
    ok(width === 0 || worstError(dx.dataSync(), wanted) < 1e-6);
  }
  deepStrictEqual(
    Array.from(tf.gather(tf.tensor1d([4, 5, 6], "int32"), tf.tensor1d([2, 0], "int32")).dataSync()),
    [6, 4],
  );
  throws(() => tf.gather(tf.zeros([3, 2]), tf.tensor1d([0, 3], "int32")), /index value 3 is not in \[0, 2\]/);
  throws(() => tf.gather(tf.zeros([3, 2]), tf.tensor1d([-1], "int32")), /index value -1/);
  const second = tf.grad((t: Tensor) => tf.gather(t, tf.tensor1d([1, 1], "int32"), 1))(tf.zeros([2, 3]));
  deepStrictEqual(Array.from(second.dataSync()), [0, 2, 0, 0, 2, 0]);
  dispose();
});

Deno.test("tf.unsortedSegmentSum adds floats and integers, and drops ids outside the segments", async () => {
  await registerKernels({ threads: 2 });
  const ids = tf.tensor1d([2, -1, 0, 2, 7, 0], "int32");
  for (const dtype of ["float32", "int32"] as const) {
    const x = tf.tensor2d(Array.from({ length: 6 * 21 }, (_, i) => i), [6, 21], dtype);
    const y = tf.unsortedSegmentSum(x, ids, 4),
      wanted = Array.from({ length: 4 * 21 }, (_, i) => {
        const [segment, j] = [Math.floor(i / 21), i % 21];
        return [2, -1, 0, 2, 7, 0].reduce((sum, id, row) => id === segment ? sum + row * 21 + j : sum, 0);
      });
    deepStrictEqual([y.dtype, Array.from(y.dataSync())], [dtype, wanted]);
  }
  const scalars = tf.unsortedSegmentSum(tf.tensor1d([1, 2, 3, 4, 5, 6]), ids, 3);
  deepStrictEqual(Array.from(scalars.dataSync()), [9, 0, 5]);
  throws(() => tf.unsortedSegmentSum(tf.zeros([5, 2]), ids, 3), /the ids' shape is \[6\], expected \[5\]/);
  const dx = tf.grad((t: Tensor) => tf.unsortedSegmentSum(t, ids, 3))(tf.zeros([6, 2]));
  deepStrictEqual(Array.from(dx.dataSync()), [1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1]);
  dispose();
});

Deno.test("tf.sum and tf.mean over first, last, all and middle axes match f64 within 4e-7 of the sum of magnitudes", async () => {
  await registerKernels({ threads: 2 });
  const shapes = [[7, 5, 3], [1, 4, 6], [2, 3, 17], [33, 2, 40], [3, 2, 5000]];
  for (const shape of shapes) {
    const [a, b, c] = shape, values = randomFloats(a * b * c, c), x = tf.tensor(values, shape);
    for (const axes of [[], [0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2], [-1], [-1, -2]]) {
      const at = axes.map((axis) => (axis + 3) % 3), out = shape.map((size, d) => at.includes(d) ? 1 : size);
      const wanted = new Float64Array(out[0] * out[1] * out[2]), count = values.length / wanted.length;
      values.forEach((value, i) => {
        const index = [Math.floor(i / (b * c)), Math.floor(i / c) % b, i % c].map((j, d) =>
          out[d] === 1 ? 0 : j
        );
        wanted[(index[0] * out[1] + index[1]) * out[2] + index[2]] += value;
      });
      for (const keep of [false, true]) {
        const wantedShape = keep ? out : shape.filter((_, d) => !at.includes(d)), sum = tf.sum(x, axes, keep);
        const mean = tf.mean(x, axes, keep);
        deepStrictEqual([sum.shape, mean.shape], [wantedShape, wantedShape]);
        const floor = Math.max(1, count / 2);
        ok(worstError(sum.dataSync(), wanted, floor) < 4e-7, `sum [${shape}] over ${axes}`);
        ok(
          worstError(mean.dataSync(), wanted.map((value) => value / count)) < 4e-7,
          `mean [${shape}] over ${axes}`,
        );
      }
    }
  }
  strictEqual(tf.sum(tf.ones([3_000_001])).dataSync()[0], 3_000_001);
  const tenths = tf.sum(tf.fill([1_000_001, 3], 0.1), 0).dataSync();
  ok(worstError(tenths, new Array(3).fill(1_000_001 * Math.fround(0.1))) < 2e-5);
  deepStrictEqual(Array.from(tf.sum(tf.zeros([0, 3]), 0).dataSync()), [0, 0, 0]);
  deepStrictEqual(Array.from(tf.sum(tf.zeros([3, 0, 2]), 1).dataSync()), [0, 0, 0, 0, 0, 0]);
  ok(Number.isNaN(tf.mean(tf.zeros([0])).dataSync()[0]));
  dispose();
});

Deno.test("tf.transpose moves every value to its place, for all orders of dimensions", async () => {
  await registerKernels({ threads: 2 });
  const orders = (rest: number[]): number[][] =>
    rest.length < 2
      ? [rest]
      : rest.flatMap((d) => orders(rest.filter((e) => e !== d)).map((order) => [d, ...order]));
  for (
    const shape of [[5, 7], [64, 33], [3, 4, 5], [1, 6, 1, 2], [2, 3, 4, 5], [2, 37, 3, 9], [2, 3, 2, 5, 4], [
      0,
      3,
      2,
    ]]
  ) {
    const size = shape.reduce((a, b) => a * b, 1), dtype = shape.length === 3 ? "int32" : "float32";
    const x = tf.tensor(Array.from({ length: size }, (_, i) => i), shape, dtype);
    const strides = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
    for (const perm of orders(shape.map((_, d) => d))) {
      const y = tf.transpose(x, perm), out = perm.map((d) => shape[d]);
      const wanted = Array.from({ length: size }, (_, i) => {
        let rest = i, from = 0;
        for (let d = perm.length - 1; d >= 0; d--) {
          from += rest % out[d] * strides[perm[d]];
          rest = Math.floor(rest / out[d]);
        }
        return from;
      });
      deepStrictEqual(
        [y.shape, y.dtype, Array.from(y.dataSync())],
        [out, dtype, wanted],
        `[${shape}] by ${perm}`,
      );
    }
  }
  dispose();
});

Deno.test("tf.tile and tf.broadcastTo repeat every dimension, and the gradient adds the copies up", async () => {
  await registerKernels({ threads: 2 });
  const cases = [[[5], [3]], [[4, 1], [1, 7]], [[1, 6], [40, 1]], [[3, 1, 5], [2, 3, 1]], [[2, 1, 3, 1], [
    3,
    2,
    2,
    9,
  ]]];
  for (
    const [shape, reps] of [...cases, [[1, 1], [3, 4]], [[2, 3], [1, 1]], [[2, 0], [2, 2]], [[2, 3], [0, 2]]]
  ) {
    const size = shape.reduce((a, b) => a * b, 1),
      x = tf.tensor(Array.from({ length: size }, (_, i) => i + 1), shape);
    const y = tf.tile(x, reps),
      out = shape.map((n, d) => n * reps[d]),
      counts = new Array<number>(size).fill(0);
    const wanted = Array.from({ length: out.reduce((a, b) => a * b, 1) }, (_, i) => {
      let rest = i, from = 0;
      for (let d = out.length - 1, stride = 1; d >= 0; stride *= shape[d--]) {
        from += rest % out[d] % shape[d] * stride;
        rest = Math.floor(rest / out[d]);
      }
      counts[from]++;
      return from + 1;
    });
    deepStrictEqual([y.shape, Array.from(y.dataSync())], [out, wanted]);
    const dx = tf.grad((t: Tensor) => tf.tile(t, reps))(x);
    deepStrictEqual([dx.shape, Array.from(dx.dataSync())], [shape, counts]);
  }
  const spread = tf.broadcastTo(tf.tensor2d([[1], [2]], [2, 1]), [3, 2, 2]).dataSync();
  deepStrictEqual(Array.from(spread), [1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2]);
  dispose();
});

Deno.test("other types go to tfjs's own kernels", async () => {
  await registerKernels({ threads: 1 });
  const integers = tf.tensor1d([3, 1, 2], "int32"), booleans = tf.tensor2d([1, 0, 1, 1], [2, 2], "bool");
  deepStrictEqual(Array.from(tf.sum(integers).dataSync()), [6]);
  deepStrictEqual(Array.from(tf.transpose(booleans).dataSync()), [1, 1, 0, 1]);
  deepStrictEqual(tf.clone(booleans).dtype, "bool");
  deepStrictEqual(tf.clone(tf.tensor1d(["a", "b"])).dataSync() as unknown as string[], ["a", "b"]);
  ok(Math.abs(tf.mean(integers).dataSync()[0] - 2) < 1e-6);
  throws(() => tf.matMul(tf.zeros([2, 2], "int32"), tf.zeros([2, 2], "int32")), /not yet supported/);
  dispose();
});

Deno.test("every op gives the same bits on 1, 2 and 3 threads, and in the profiles simd and single", async () => {
  const results: Float32Array[][] = [];
  for (const options of [{ threads: 1 }, { threads: 2 }, { threads: 3 }, SIMD, SINGLE]) {
    await registerKernels(options);
    const tensor = (seed: number, ...shape: number[]) =>
      tf.tensor(randomFloats(shape.reduce((a, b) => a * b, 1), seed), shape);
    const x = tensor(1, 130, 259),
      y = tensor(2, 130, 259),
      q = tensor(3, 3, 41, 5, 24),
      s = tensor(4, 3, 5, 41, 41);
    const ids = tf.tensor1d(Array.from({ length: 130 }, (_, i) => i * 7 % 11), "int32");
    const all = [
      ...[
        tf.matMul(x, y, false, true),
        tf.matMul(x, y, true, false),
        tf.einsum("bthd,bshd->bhts", q, q),
        tf.einsum("bhts,bshd->bthd", s, q),
      ],
      ...[
        tf.matMul(tf.transpose(q, [0, 2, 1, 3]), tf.transpose(q, [0, 2, 3, 1])),
        tf.softmax(x),
        tf.exp(x),
        tf.erf(x),
        tf.tanh(x),
      ],
      ...[tf.sum(x, 0), tf.sum(x, 1), tf.mean(x), tf.unsortedSegmentSum(x, ids, 11), tf.transpose(x)],
    ];
    results.push(all.map((t) => t.dataSync() as Float32Array));
    dispose();
  }
  deepStrictEqual(results[1], results[0]);
  deepStrictEqual(results[2], results[0]);
  deepStrictEqual(results[4], results[3]);
});

Deno.test("unregister and dispose put back what was there; registering twice is once; other options are refused", async () => {
  const names = ["BatchMatMul", "Einsum", "Softmax", "Identity", "UnsortedSegmentSum"];
  const kernels = () => names.map((name) => tf.getKernel(name, "wasm"));
  const gradients = () => ["Einsum", "BatchMatMul", "Add"].map((name) => tf.getGradient(name));
  const [kernelsBefore, gradientsBefore] = [kernels(), gradients()];
  for (const end of ["unregister", "dispose"]) {
    const registration = await registerKernels({ threads: 2 });
    strictEqual(await registerKernels(), registration);
    strictEqual(registration.runtime.threads, 2);
    ok(
      kernels().every((kernel, i) => kernel !== kernelsBefore[i]) && registration.kernels.includes("Einsum"),
    );
    await rejects(registerKernels({ threads: 7 }), /2 threads .* run already/);
    const held = registration.runtime.heap.bytesInUse;
    for (let i = 0; i < 5; i++) tf.tidy(() => void tf.matMul(tf.ones([300, 400]), tf.ones([400, 500])));
    ok(registration.runtime.heap.bytesInUse > held);
    if (end === "unregister") {
      registration.unregister();
      strictEqual(registration.runtime.heap.bytesInUse, held);
      strictEqual(tf.sum(tf.ones([4])).dataSync()[0], 4);
    }
    dispose();
    deepStrictEqual([kernels(), gradients()], [kernelsBefore, gradientsBefore]);
  }
});

Deno.test("tf.memory() is exact, tf.tidy frees, and scratch memory does not grow", async () => {
  const { runtime } = await registerKernels({ threads: 2 });
  const x = tf.ones([60, 70]), y = tf.ones([70, 80]), before = tf.memory();
  const product = tf.matMul(x, y);
  deepStrictEqual(tf.memory().numTensors, before.numTensors + 1);
  deepStrictEqual(tf.memory().numBytes, before.numBytes + 60 * 80 * 4);
  product.dispose();
  const step = () =>
    tf.tidy(() => {
      const scores = tf.einsum("ij,jk->ki", x, y);
      return tf.sum(tf.softmax(tf.matMul(scores, scores, true) as Tensor)).dataSync()[0];
    });
  step();
  const held = runtime.heap.bytesInUse;
  for (let i = 0; i < 50; i++) step();
  strictEqual(runtime.heap.bytesInUse, held);
  deepStrictEqual(tf.memory(), before);
  dispose();
});
