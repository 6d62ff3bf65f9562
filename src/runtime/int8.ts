/**
 * Products with 8-bit weights: whole numbers from -127 to 127 with a scale a row. The other side is quantized for each
 * product to whole numbers as large as a sum of k products can bear: 32,767 up to k = 516, 5,504 at k = 3,072.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import type { MatMul } from "./matmul.ts";
import type { Runtime } from "./runtime.ts";

/** Rows and columns of a tile, and of a unit of work. */
const MR = 4, NR = 8, ROW_BLOCK = 64, COLUMN_BLOCK = 192;

/** Bytes that W[n, k] takes: strips, then the scales of its rows. */
export function int8WeightBytes(n: number, k: number): number {
  return stripsBytes(n, k) + roundUp(n, NR) * 4;
}

/** Quantizes W[n, k] into `packed` ({@linkcode int8WeightBytes} bytes). */
export function packInt8(runtime: Runtime, packed: number, w: number, n: number, k: number): void {
  runtime.pool.run("int8_pack", Math.ceil(n / NR), 2, packed, packed + stripsBytes(n, k), w, n, k);
}

/** C[m, n] = A[m, k] W[n, k]^T + bias, activated; `b` is what {@linkcode packInt8} made of W. */
export function int8MatMul(runtime: Runtime, product: MatMul): void {
  const { c, a, b, m, n, k, bias = 0, activation = 0 } = product;
  if (product.transposeA || product.accumulate || product.aux) {
    throw new RuntimeError("Cannot multiply with 8-bit weights: only A W^T + bias, activated, exists");
  }
  if (m === 0 || n === 0) return;
  const mark = runtime.arena.mark(), rows = roundUp(m, MR);
  const panels = runtime.arena.floats(rows * roundUp(k, 4) / 2); // [m / 4, k / 2, 4, 2] i16
  const scales = runtime.arena.floats(rows);
  const limit = Math.min(32_767, Math.floor((2 ** 31 - 1) / (127 * roundUp(k, 4))));
  const grain = Math.max(1, Math.min(4, Math.floor(rows / MR / runtime.threads)));
  runtime.pool.run("int8_rows", rows / MR, grain, panels, scales, a, m, k, limit);
  const mc = Math.min(rows, ROW_BLOCK);
  const nc = Math.min(COLUMN_BLOCK, roundUp(Math.ceil(n / (2 * runtime.threads)), NR));
  runtime.pool.run(
    ...["int8_gemm", Math.ceil(m / mc) * Math.ceil(n / nc), 1, c, panels, scales, b] as const,
    ...[b + stripsBytes(n, k), bias, m, n, k, mc, nc, activation << 5] as const,
  );
  runtime.arena.release(mark);
}

function stripsBytes(n: number, k: number): number {
  return roundUp(n, NR) * roundUp(k, 4);
}

function roundUp(size: number, multiple: number): number {
  return Math.ceil(size / multiple) * multiple;
}
