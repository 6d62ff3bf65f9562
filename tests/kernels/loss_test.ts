/** Losses and embeddings against f64 loops. */
import { ok, strictEqual } from "node:assert/strict";
import { dispose, init } from "../../src/runtime/mod.ts";
import { worstError } from "../helpers/errors.ts";
import { Memory, randomFloats } from "../helpers/kernels.ts";
import { numericalGradient } from "../reference/layers.ts";

/** Mean softmax cross entropy over the labels that are not -100. */
function crossEntropy(x: ArrayLike<number>, labels: number[], k: number): number {
  let sum = 0, counted = 0;
  labels.forEach((label, i) => {
    if (label === -100) return;
    let total = 0;
    for (let j = 0; j < k; j++) total += Math.exp(x[i * k + j] - x[i * k + label]);
    sum += Math.log(total);
    counted++;
  });
  return sum / counted;
}

Deno.test("cross_entropy within 1e-6 and its gradient within 1e-6 of f64, -100 ignored", async () => {
  const runtime = await init({ threads: 2 }), memory = new Memory(runtime);
  for (const [n, k] of [[1, 1], [3, 2], [7, 5], [20, 31], [2, 3000]]) {
    const x = randomFloats(n * k, n, 8),
      labels = Array.from({ length: n }, (_, i) => i % 3 === 1 ? -100 : (i * 7) % k);
    const counted = labels.filter((label) => label !== -100).length;
    const [px, d, losses] = [memory.floats(x), memory.floats(n * k), memory.floats(n * 2)];
    runtime.pool.run(
      "cross_entropy",
      n,
      1,
      losses,
      d,
      px,
      memory.integers(labels),
      0,
      k,
      -100,
      k,
      0,
      1 / counted,
    );
    const value = runtime.pool.exports.sum_f64(losses, n) / counted;
    ok(Math.abs(value - crossEntropy(x, labels, k)) < 1e-6 * (1 + value), `${n} x ${k}: ${value}`);
    const few = Math.min(n * k, 200);
    const numeric = numericalGradient(
      (head) => {
        const all = Float64Array.from(x);
        all.set(head);
        return Float64Array.of(crossEntropy(all, labels, k));
      },
      x.slice(0, few),
      [1],
    );
    ok(worstError(memory.read(d, few), numeric) < 1e-6, `gradient ${n} x ${k}`);
    memory.free();
  }
  dispose();
});

Deno.test("mean_squared_error and binary_cross_entropy match f64 within 1e-6", async () => {
  const runtime = await init({ threads: 2 }), memory = new Memory(runtime);
  const squared = (x: number, y: number) => (x - y) ** 2;
  const binary = (x: number, y: number) => Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)));
  for (const [kernel, f] of [["mean_squared_error", squared], ["binary_cross_entropy", binary]] as const) {
    for (const [n, k] of [[1, 1], [6, 5], [11, 3]]) {
      const x = randomFloats(n * k, 5, 20), y = Float32Array.from({ length: n * k }, (_, i) => i % 2);
      const [px, py, d, losses] = [
        memory.floats(x),
        memory.floats(y),
        memory.floats(n * k),
        memory.floats(n * 2),
      ];
      if (kernel === "mean_squared_error") runtime.pool.run(kernel, n, 2, losses, d, px, py, k, 1 / (n * k));
      else runtime.pool.run(kernel, n, 2, losses, d, px, py, 0, k, 1 / (n * k));
      const mean = (v: ArrayLike<number>) =>
        Array.from(v).reduce((sum, x, i) => sum + f(x, y[i]), 0) / (n * k);
      ok(
        Math.abs(runtime.pool.exports.sum_f64(losses, n) / (n * k) - mean(x)) < 1e-6 * (1 + mean(x)),
        kernel,
      );
      ok(
        worstError(memory.read(d, n * k), numericalGradient((v) => Float64Array.of(mean(v)), x, [1])) < 1e-6,
        kernel,
      );
      memory.free();
    }
  }
  dispose();
});

Deno.test("embedding_forward sums three rows; embedding_backward adds in token order, skips the padding row, marks rows", async () => {
  const runtime = await init({ threads: 2 }), memory = new Memory(runtime);
  const [n, h, rows] = [9, 19, 5], ids = [0, 1, 1, 4, 0, 1, 4, 2, 1];
  const tables = [1, 2, 3].map((seed) => randomFloats(rows * h, seed)), pid = memory.integers(ids);
  const [word, position, type] = tables.map((t) => memory.floats(t)), z = memory.floats(n * h);
  runtime.pool.run("embedding_forward", n, 2, z, word, position, type, pid, pid, pid, h);
  memory.read(z, n * h).forEach((x, i) => {
    const at = ids[Math.floor(i / h)] * h + i % h;
    strictEqual(x, Math.fround(Math.fround(tables[0][at] + tables[2][at]) + tables[1][at]));
  });
  const dz = randomFloats(n * h, 4),
    table = memory.floats(new Float32Array(rows * h)),
    touched = memory.integers([0, 0]);
  runtime.pool.run(
    "embedding_backward",
    Math.ceil(h / 16),
    1,
    table,
    touched,
    memory.floats(dz),
    pid,
    n,
    h,
    0,
  );
  const wanted = new Float32Array(rows * h);
  ids.forEach((id, i) => {
    if (id !== 0) { for (let j = 0; j < h; j++) wanted[id * h + j] += dz[i * h + j]; }
  });
  memory.read(table, rows * h).forEach((x, i) => strictEqual(x, wanted[i]));
  strictEqual([...runtime.heap.u8.subarray(touched, touched + rows)].join(), "0,1,1,0,1");
  dispose();
});
