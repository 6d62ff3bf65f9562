/** LayerNorm, attention and activations against f64 loops; gradients against central differences of those. */
import { ok, strictEqual } from "node:assert/strict";
import { ACTIVATIONS, dispose, init, type Runtime } from "../../src/runtime/mod.ts";
import { worstError } from "../helpers/errors.ts";
import { Memory, randomFloats } from "../helpers/kernels.ts";
import { activations, attention, erf, layerNorm, numericalGradient } from "../reference/layers.ts";

const NO_DROPOUT = [0, 0, 0, 0, 0, 1] as const;

/** Runs a test on a fresh backend of some threads. */
async function on(threads: number, test: (runtime: Runtime, memory: Memory) => void): Promise<void> {
  const runtime = await init({ threads }), memory = new Memory(runtime);
  try {
    test(runtime, memory);
    memory.free();
  } finally {
    dispose();
  }
}

Deno.test("layer_norm forward within 2e-6 and backward within 1e-5 of f64, for sizes around the vector width", () =>
  on(2, (runtime, memory) => {
    for (const [n, h] of [[1, 1], [3, 3], [2, 4], [5, 7], [9, 16], [17, 30], [40, 129]]) {
      const x = randomFloats(n * h, h), weight = randomFloats(h, 2), bias = randomFloats(h, 3), eps = 1e-3;
      const [px, pw, pb] = [x, weight, bias].map((v) => memory.floats(v));
      const [y, z, mean, rstd] = [n * h, n * h, n, n].map((count) => memory.floats(count));
      runtime.pool.run("layer_norm_forward", n, 4, y, z, mean, rstd, px, 0, pw, pb, h, eps, ...NO_DROPOUT);
      const wanted = layerNorm(x, weight, bias, h, eps);
      ok(worstError(memory.read(y, n * h), wanted) < 2e-6, `forward ${n} x ${h}`);
      const dy = randomFloats(n * h, 9), pdy = memory.floats(dy);
      const [dz, dw, db] = [n * h, h, h].map((count) => memory.floats(count));
      runtime.pool.run("layer_norm_backward", n, 4, dz, dz, pdy, z, mean, rstd, pw, h, ...NO_DROPOUT);
      runtime.pool.run(
        "layer_norm_backward_parameters",
        Math.ceil(h / 16),
        1,
        dw,
        db,
        pdy,
        z,
        mean,
        rstd,
        n,
        h,
        0,
      );
      const numeric = (at: 0 | 1 | 2) =>
        numericalGradient(
          (v) => layerNorm(at === 0 ? v : x, at === 1 ? v : weight, at === 2 ? v : bias, h, eps),
          [
            x,
            weight,
            bias,
          ][at],
          dy,
        );
      ok(worstError(memory.read(dz, n * h), numeric(0)) < 1e-5, `dx ${n} x ${h}`);
      ok(worstError(memory.read(dw, h), numeric(1)) < 1e-5, `dweight ${n} x ${h}`);
      ok(worstError(memory.read(db, h), numeric(2)) < 1e-5, `dbias ${n} x ${h}`);
      memory.free();
    }
  }));

/** (rows, keys) of the sequences of a batch; more rows than keys means masked tokens that only ask. */
const BATCHES: { heads: number; d: number; sequences: [rows: number, keys: number][] }[] = [
  { heads: 1, d: 1, sequences: [[1, 1]] },
  { heads: 2, d: 8, sequences: [[3, 3], [1, 1], [7, 5]] },
  { heads: 3, d: 10, sequences: [[13, 13], [9, 4]] },
  { heads: 1, d: 16, sequences: [[123, 121]] },
];

Deno.test("attention forward within 3e-6 and backward within 1e-4 of f64, ragged, masked and longer than a block", () =>
  on(2, (runtime, memory) => {
    for (const { heads, d, sequences } of BATCHES) {
      const h = heads * d, total = sequences.reduce((sum, [rows]) => sum + rows, 0);
      const values = [1, 2, 3, 4].map((seed) => randomFloats(total * h, seed, 1.5)), [q, k, v, dout] = values;
      const [pq, pk, pv, pdout] = values.map((x) => memory.floats(x));
      const [out, dq, dk, dv] = [0, 0, 0, 0].map(() => memory.floats(total * h));
      const rowMax = memory.floats(total * heads), rowInverse = memory.floats(total * heads);
      const units: number[] = [], table: number[] = [];
      let first = 0;
      for (const [rows, keys] of sequences) {
        for (let at = 0; at < rows; at += 120) units.push(first, keys, at, Math.min(120, rows - at));
        table.push(first, keys, rows);
        first += rows;
      }
      runtime.needScratch(
        runtime.pool.exports.attention_scratch_bytes(Math.max(...sequences.map(([r]) => r)), d),
      );
      const entries = memory.integers(units), pairs = memory.integers(table);
      runtime.pool.run(
        ...[
          "attention_forward",
          units.length / 4 * heads,
          1,
          out,
          rowMax,
          rowInverse,
          pq,
          pk,
          pv,
          entries,
        ] as const,
        ...[heads, d, ...NO_DROPOUT] as const,
      );
      runtime.pool.run(
        ...[
          "attention_backward",
          sequences.length * heads,
          1,
          dq,
          dk,
          dv,
          pdout,
          pq,
          pk,
          pv,
          rowMax,
          rowInverse,
        ] as const,
        ...[pairs, heads, d, ...NO_DROPOUT] as const,
      );
      first = 0;
      for (const [rows, keys] of sequences) {
        const part = (x: Float32Array, count = rows) => x.slice(first * h, (first + count) * h);
        const run = (a: ArrayLike<number>, b: ArrayLike<number>, c: ArrayLike<number>) =>
          attention(a, b, c, rows, keys, heads, d);
        const read = (pointer: number) => part(memory.read(pointer, total * h));
        const inputs = [part(q), part(k, keys), part(v, keys)] as const;
        ok(worstError(read(out), run(...inputs)) < 3e-6, `forward ${rows} x ${keys} x ${d}`);
        // Differences of every input of a long sequence would take minutes: its loss is checked on 40 of them.
        const sample = rows > 50 ? 40 : Infinity, dy = part(dout);
        [dq, dk, dv].forEach((pointer, at) => {
          const x = inputs[at], some = Math.min(sample, x.length);
          const numeric = numericalGradient(
            (changed) => {
              const full = Float64Array.from(x);
              full.set(changed);
              return run(
                at === 0 ? full : inputs[0],
                at === 1 ? full : inputs[1],
                at === 2 ? full : inputs[2],
              );
            },
            x.slice(0, some),
            dy,
          );
          ok(
            worstError(read(pointer).subarray(0, some), numeric) < 1e-4,
            `gradient ${at} of ${rows} x ${keys} x ${d}`,
          );
          if (at > 0) ok(read(pointer).subarray(keys * h).every((g) => g === 0), "masked tokens are no keys");
        });
        first += rows;
      }
      memory.free();
    }
  }));

for (const [name, f] of Object.entries(activations)) {
  Deno.test(`${name} is within 3e-7 and its slope within 2e-6 (absolute + relative) of f64 on 4001 points`, () =>
    on(2, (runtime, memory) => {
      const n = 4001, x = Float32Array.from({ length: n }, (_, i) => (i - 2000) / 200);
      const [px, y, slope] = [memory.floats(x), memory.floats(n), memory.floats(n)];
      const kind = ACTIVATIONS[name as keyof typeof ACTIVATIONS];
      runtime.pool.run("activation_forward", Math.ceil(n / 1024), 1, y, slope, px, kind, n);
      ok(worstError(memory.read(y, n), x.map(f)) < 3e-7);
      const away = Array.from(x.keys()).filter((i) => name !== "relu" || x[i] !== 0);
      const slopes = memory.read(slope, n);
      const numeric = (at: number) => (f(at + 1e-5) - f(at - 1e-5)) / 2e-5;
      ok(worstError(away.map((i) => slopes[i]), away.map((i) => numeric(x[i])), 1) < 2e-6);
    }));
}

/** Units in the last place of the right value. */
function ulps(actual: number, wanted: number): number {
  if (actual === wanted) return 0;
  const rounded = Math.fround(wanted), magnitude = Math.max(Math.abs(rounded), 2 ** -126);
  return Math.abs(actual - wanted) / 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}

Deno.test("exp, tanh and erf are within 2 ulp of f64, at special values too", () =>
  on(1, (runtime, memory) => {
    const points = Float32Array.from({ length: 20_001 }, (_, i) => (i - 10_000) / 120);
    const small = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 1500);
    const special = Float32Array.of(
      0,
      1e-30,
      -1e-30,
      88.7,
      -87.3,
      -100,
      -103,
      200,
      -200,
      Infinity,
      -Infinity,
    );
    const x = Float32Array.of(...points, ...small, ...special),
      n = x.length,
      px = memory.floats(x),
      y = memory.floats(n);
    const blocks = Math.ceil(n / 1024);
    const check = (name: string, f: (x: number) => number) => {
      memory.read(y, n).forEach((actual, i) => {
        const error = ulps(actual, Math.fround(f(x[i])) === Infinity ? Infinity : f(x[i]));
        ok(error <= 2, `${name}(${x[i]}) is ${actual}, expected ${f(x[i])}: ${error} ulp`);
      });
    };
    runtime.pool.run("exp_forward", blocks, 4, y, px, n);
    check("exp", Math.exp);
    runtime.pool.run("erf_forward", blocks, 4, y, px, n);
    check("erf", (v) => Math.abs(v) > 6 ? Math.sign(v) : erf(v));
    runtime.pool.run("activation_forward", blocks, 4, y, 0, px, ACTIVATIONS.tanh, n);
    check("tanh", Math.tanh);
    runtime.heap.f32[px / 4] = NaN;
    runtime.pool.run("exp_forward", 1, 1, y, px, 4);
    strictEqual(memory.read(y, 1)[0], NaN);
  }));
