/** Products with 8-bit weights against the exact products of the quantized numbers, computed here in f64. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  ACTIVATIONS,
  dispose,
  init,
  int8MatMul,
  int8WeightBytes,
  packInt8,
  type Profile,
  type Runtime,
} from "../../src/runtime/mod.ts";
import { worstError } from "../helpers/errors.ts";
import { Memory, randomFloats } from "../helpers/kernels.ts";

const SIZES: [m: number, n: number, k: number][] = [
  ...[[1, 1, 1], [1, 8, 2], [2, 3, 3], [3, 7, 4], [4, 8, 5], [5, 9, 6], [6, 64, 7], [7, 33, 64]] as [
    number,
    number,
    number,
  ][],
  ...[[64, 192, 40], [65, 193, 41], [130, 200, 96], [12, 40, 3072]] as [number, number, number][],
];

interface Operands {
  a: Float32Array;
  w: Float32Array;
  bias: Float32Array;
}

function operands(m: number, n: number, k: number): Operands {
  const w = randomFloats(n * k, 2);
  w.fill(0, 0, k); // a row without a largest value
  return { a: randomFloats(m * k, 1, 3), w, bias: randomFloats(n, 3) };
}

function compute(
  runtime: Runtime,
  [m, n, k]: number[],
  { a, w, bias }: Operands,
  activation = 0,
): Float32Array {
  const memory = new Memory(runtime), packed = memory.floats(int8WeightBytes(n, k) / 4);
  packInt8(runtime, packed, memory.floats(w), n, k);
  const c = memory.floats(m * n);
  int8MatMul(runtime, { c, a: memory.floats(a), b: packed, bias: memory.floats(bias), m, n, k, activation });
  const result = memory.read(c, m * n);
  memory.free();
  runtime.arena.reset();
  return result;
}

function roundToEven(x: number): number {
  const down = Math.floor(x), rest = x - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

/** Whole numbers up to `limit` and the scale of each row. */
function quantize(values: Float32Array, rows: number, limit: number): { whole: number[]; scales: number[] } {
  const k = values.length / rows, whole: number[] = [], scales: number[] = [];
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * k, r * k + k), top = Math.max(...row.map(Math.abs));
    scales.push(top / limit);
    const factor = top > 0 ? Math.fround(limit / top) : 0;
    for (const x of row) whole.push(roundToEven(Math.fround(x * factor)));
  }
  return { whole, scales };
}

function expected([m, n, k]: number[], { a, w, bias }: Operands): number[] {
  const depth = Math.ceil(k / 4) * 4;
  const left = quantize(a, m, Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * depth))));
  const right = quantize(w, n, 127), result: number[] = [];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let x = 0; x < k; x++) sum += left.whole[i * k + x] * right.whole[j * k + x];
      result.push(sum * left.scales[i] * right.scales[j] + bias[j]);
    }
  }
  return result;
}

Deno.test("8-bit products equal the exact products of the quantized numbers, at all edges, in the same bits on 1 to 3 threads", async () => {
  const seen: Float32Array[][] = [];
  for (
    const [threads, profile] of [[1, "relaxed"], [2, "relaxed"], [3, "simd"], [1, "single"]] as [
      number,
      Profile,
    ][]
  ) {
    const runtime = await init({ threads, profile });
    seen.push(SIZES.map((size) => compute(runtime, size, operands(...size))));
    dispose();
  }
  SIZES.forEach((size, i) => {
    ok(worstError(seen[0][i], expected(size, operands(...size))) < 2e-6, `${size}`);
    for (const other of seen) deepStrictEqual(other[i], seen[0][i], `${size}`);
  });
});

Deno.test("8-bit products are within 1 % of the float products' size, activated too; the largest sums do not overflow", async () => {
  const runtime = await init({ threads: 2 }), [m, n, k] = [9, 40, 3072];
  const { a, w, bias } = operands(m, n, k), quantized = compute(runtime, [m, n, k], { a, w, bias });
  let error = 0, size = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = bias[j];
      for (let x = 0; x < k; x++) sum += a[i * k + x] * w[j * k + x];
      error += (quantized[i * n + j] - sum) ** 2;
      size += sum ** 2;
    }
  }
  ok(Math.sqrt(error / size) < 0.01, `relative error ${Math.sqrt(error / size)}`);
  const positive = compute(runtime, [m, n, k], { a, w, bias }, ACTIVATIONS.relu);
  positive.forEach((x, i) => strictEqual(x, Math.max(0, quantized[i])));
  const ones = new Float32Array(m * k).fill(1), most = new Float32Array(n * k).fill(-1);
  const sums = compute(runtime, [m, n, k], { a: ones, w: most, bias: new Float32Array(n) });
  sums.forEach((x) => ok(Math.abs(x + k) < 1e-6 * k, `${x}`));
  dispose();
});

Deno.test("a NaN or an infinity makes its row NaN, no other; products that do not exist are errors", async () => {
  const runtime = await init({ threads: 2 }), size = [6, 16, 20], given = operands(6, 16, 20);
  given.a[20 * 2 + 3] = NaN;
  given.a[20 * 4 + 19] = Infinity;
  const result = compute(runtime, size, given);
  result.forEach((x, i) => strictEqual(Number.isNaN(x), [2, 4].includes(Math.floor(i / 16))));
  const product = { c: 0, a: 0, b: 0, m: 1, n: 1, k: 1 };
  for (const more of [{ transposeA: true }, { accumulate: true }, { aux: 64 }]) {
    throws(() => int8MatMul(runtime, { ...product, ...more }), /Cannot multiply with 8-bit weights/);
  }
  dispose();
});
