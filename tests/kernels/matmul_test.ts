/** Matrix products over size classes (0, 1, tile - 1, tile, tile + 1, primes) against plain f64 loops. */
import { ok, strictEqual } from "node:assert/strict";
import { Random } from "../../src/random.ts";
import { ACTIVATIONS, dispose, init, type MatMul, matMul, type Runtime } from "../../src/runtime/mod.ts";
import { matMulReference } from "../reference/matmul.ts";

const SIZES: [m: number, n: number, k: number][] = [
  ...[[1, 1, 1], [2, 3, 1], [3, 2, 7], [4, 8, 4], [5, 8, 5], [6, 9, 3], [4, 7, 32], [5, 9, 33]] as [
    number,
    number,
    number,
  ][],
  ...[[12, 31, 29], [12, 64, 257], [24, 50, 30], [25, 17, 67], [40, 24, 31], [41, 25, 300]] as [
    number,
    number,
    number,
  ][],
  ...[[121, 40, 19], [127, 263, 13], [7, 521, 64], [130, 67, 131]] as [number, number, number][],
  // few rows: several units of columns and slices, with ends of every kind
  ...[[1, 331, 790], [3, 202, 401], [9, 611, 250], [40, 390, 63]] as [number, number, number][],
];

function random(count: number, seed: number): Float32Array {
  const source = new Random(seed);
  return Float32Array.from({ length: count }, () => source.uniform() - 0.5);
}

function put(runtime: Runtime, values: Float32Array): number {
  const pointer = runtime.heap.alloc(Math.max(4, values.length * 4));
  runtime.heap.f32.set(values, pointer / 4);
  return pointer;
}

/** Runs one product on the kernels and returns C. */
function compute(
  runtime: Runtime,
  product: Omit<MatMul, "c" | "a" | "b">,
  values: Float32Array[],
): Float32Array {
  runtime.arena.reset();
  const [a, b, c, bias] = values.map((v) => put(runtime, v));
  matMul(runtime, { ...product, a, b, c, bias: product.bias ? bias : 0 });
  const result = runtime.heap.floats(c, values[2].length).slice();
  for (const pointer of [a, b, c, bias]) runtime.heap.free(pointer);
  return result;
}

for (const [transposeA, transposeB] of [[false, false], [false, true], [true, false]]) {
  for (const accumulate of [false, true]) {
    const name = `${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}${
      accumulate ? ", added to C" : ", with bias"
    }`;
    Deno.test(`matMul ${name} matches f64 within 4e-7 of the sum of magnitudes, the same bits on 1, 2 and 5 threads`, async () => {
      const results: Float32Array[][] = [];
      for (const threads of [1, 2, 5]) {
        const runtime = await init({ threads });
        results.push(SIZES.map(([m, n, k], i) => {
          const values = [
            random(m * k, i),
            random(k * n, i + 100),
            random(m * n, i + 200),
            random(n, i + 300),
          ];
          const product = { m, n, k, transposeA, transposeB, accumulate, bias: accumulate ? 0 : 1 };
          const actual = compute(runtime, product, values);
          const { sums, magnitudes } = matMulReference(product, values);
          actual.forEach((x, j) => {
            const error = Math.abs(x - sums[j]) / magnitudes[j];
            ok(error < 4e-7, `${m} x ${n} x ${k}: element ${j} is ${x}, expected ${sums[j]}`);
          });
          return actual;
        }));
        dispose();
      }
      for (const others of results.slice(1)) {
        results[0].forEach((values, i) => values.forEach((x, j) => strictEqual(x, others[i][j])));
      }
    });
  }
}

Deno.test("matMul multiplies by aux, and writes the slope of an activation to it", async () => {
  const runtime = await init({ threads: 2 });
  const [m, n, k] = [13, 37, 21], size = m * n;
  const values = [random(m * k, 1), random(n * k, 2), new Float32Array(size), random(n, 3)];
  const plain = compute(runtime, { m, n, k, transposeB: true, bias: 1 }, values);
  const [a, b, c, bias] = values.map((v) => put(runtime, v)), aux = put(runtime, new Float32Array(size));
  runtime.arena.reset();
  matMul(runtime, { a, b, c, bias, aux, m, n, k, transposeB: true, activation: ACTIVATIONS.relu });
  const activated = runtime.heap.floats(c, size).slice(), slope = runtime.heap.floats(aux, size).slice();
  plain.forEach((x, i) => {
    strictEqual(activated[i], Math.max(0, x));
    strictEqual(slope[i], x > 0 ? 1 : 0);
  });
  matMul(runtime, { a, b, c, bias, aux, m, n, k, transposeB: true });
  runtime.heap.floats(c, size).forEach((x, i) => strictEqual(x, plain[i] * slope[i]));
  dispose();
});
