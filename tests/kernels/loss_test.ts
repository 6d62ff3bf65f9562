/** Losses and embeddings against f64 loops. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { dispose, init } from "../../src/runtime/mod.ts";
import { worstError } from "../helpers/errors.ts";
import { Memory, randomFloats } from "../helpers/kernels.ts";
import { numericalGradient } from "../reference/layers.ts";
import { binaryCrossEntropy, crossEntropy, meanSquaredError } from "../reference/losses.ts";

Deno.test("cross_entropy within 1e-6 and its gradient within 1e-6 of f64: -100 ignored, smoothed, weighted, in place", async () => {
  const runtime = await init({ threads: 2 }), memory = new Memory(runtime);
  for (const [n, k] of [[1, 1], [3, 2], [7, 5], [20, 31], [2, 3000]]) {
    for (const [smoothing, weighted] of [[0, false], [0.1, false], [0, true], [0.3, true]] as const) {
      const x = randomFloats(n * k, n, 8),
        labels = Array.from({ length: n }, (_, i) => i % 3 === 1 ? -100 : (i * 7) % k);
      const weights = weighted ? randomFloats(k, 4).map((w) => 1.5 + w) : undefined;
      const counted = labels.reduce((sum, label) => label === -100 ? sum : sum + (weights?.[label] ?? 1), 0);
      const [px, d, losses] = [memory.floats(x), memory.floats(n * k), memory.floats(n * 2)];
      const own = weights ? memory.floats(weights) : 0, total = weights?.reduce((a, b) => a + b, 0) ?? k;
      const table = memory.integers(labels), rest = [k, -100, total, smoothing, 1 / counted] as const;
      runtime.pool.run("cross_entropy", n, 1, losses, d, px, table, own, ...rest);
      const value = runtime.pool.exports.sum_f64(losses, n) / counted,
        what = `${n} x ${k}, ${smoothing}, ${weighted}`;
      const wanted = crossEntropy(Float64Array.from(x), labels, k, { smoothing, weights });
      ok(Math.abs(value - wanted) < 1e-6 * (1 + wanted), `${what}: ${value}`);
      const few = Math.min(n * k, 100);
      const numeric = numericalGradient(
        (head) => {
          const all = Float64Array.from(x);
          all.set(head);
          return Float64Array.of(crossEntropy(all, labels, k, { smoothing, weights }));
        },
        x.slice(0, few),
        [1],
      );
      ok(worstError(memory.read(d, few), numeric) < 1e-6, `gradient ${what}`);
      const apart = memory.read(d, n * k);
      runtime.pool.run("cross_entropy", n, 1, losses, px, px, table, own, ...rest);
      deepStrictEqual(memory.read(px, n * k), apart);
      memory.free();
    }
  }
  dispose();
});

Deno.test("mean_squared_error and binary_cross_entropy, weighted too, match f64 within 1e-6", async () => {
  const runtime = await init({ threads: 2 }), memory = new Memory(runtime);
  for (const [n, k] of [[1, 1], [6, 5], [11, 3]]) {
    const x = randomFloats(n * k, 5, 20), y = Float32Array.from({ length: n * k }, (_, i) => (i % 3) / 2);
    for (const kind of ["squared", "binary", "weighted"]) {
      const weights = kind === "weighted" ? randomFloats(k, 8).map((w) => 1.5 + w) : undefined;
      const [px, py, d, losses] = [
        memory.floats(x),
        memory.floats(y),
        memory.floats(n * k),
        memory.floats(n * 2),
      ];
      const own = weights ? memory.floats(weights) : 0, scale = 1 / (n * k);
      if (kind === "squared") {
        runtime.pool.run("mean_squared_error", n, 2, losses, d, px, py, k, scale);
      } else runtime.pool.run("binary_cross_entropy", n, 2, losses, d, px, py, own, k, scale);
      const mean = (scores: Float64Array) =>
        kind === "squared" ? meanSquaredError(scores, y) : binaryCrossEntropy(scores, y, weights);
      const wanted = mean(Float64Array.from(x));
      const value = runtime.pool.exports.sum_f64(losses, n) / (n * k);
      ok(Math.abs(value - wanted) < 1e-6 * (1 + wanted), `${kind} ${value}`);
      const numeric = numericalGradient((v) => Float64Array.of(mean(v)), x, [1]);
      ok(worstError(memory.read(d, n * k), numeric) < 1e-6, kind);
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
