/**
 * Plans products of many matrices of one shape; single ones go to the runtime's `matMul`.
 *
 *     C_i[m, n] = op(A_i) op(B_i) + bias[n]
 *
 * @module
 */
import { matMul, type Runtime } from "../runtime/mod.ts";

/** Products of one shape. Pointers into WASM memory; leading dimensions in floats. */
export interface Products {
  c: number;
  a: number;
  b: number;
  /** bias[n] or 0. */
  bias: number;
  m: number;
  n: number;
  k: number;
  ldc: number;
  /** From row to row of A[m, k], or of A[k, m] with `transposeA`. */
  lda: number;
  /** From row to row of B[k, n], or of B[n, k] with `transposeB`. */
  ldb: number;
  transposeA: boolean;
  transposeB: boolean;
  /** [count, 3]: where each C, A and B starts, in floats from the pointers. Together the products fill C. */
  starts: Int32Array;
}

/** Flags of the kernel batch_matmul. */
const TRANSPOSE_A = 1, TRANSPOSE_B = 2;

/** Rows and columns of a block, and its depth: 120 x 256 floats of A stay in the L2 cache. */
const ROW_BLOCK = 120, COLUMN_BLOCK = 256, DEPTH_BLOCK = 256;

/** Single products of at most this many multiplications take one dispatch here, two by `matMul`. */
const TINY = 1 << 15;

/** Multiplications and additions that a thread takes at a time, at least. */
const WORK = 1 << 18;

/** Runs the products on the pool. */
export function multiply(runtime: Runtime, products: Products): void {
  const { c, a, b, bias, m, n, k, ldc, lda, ldb, transposeA, transposeB, starts } = products;
  const count = starts.length / 3;
  if (count * m * n === 0) return;
  if (k === 0) runtime.heap.floats(c, count * m * n).fill(0);
  const dense = ldc === n && lda === (transposeA ? m : k) && ldb === (transposeB ? k : n);
  if (count === 1 && dense && m * n * k > TINY) {
    return matMul(runtime, { c, a, b, m, n, k, transposeA, transposeB, bias });
  }
  const { threads, heap } = runtime;
  const parts = count < 2 * threads ? Math.ceil(2 * threads / count) : 1;
  const mc = Math.min(ROW_BLOCK, up(Math.ceil(m / parts), 5)), nc = Math.min(COLUMN_BLOCK, up(n, 8));
  const units = count * Math.ceil(m / mc) * Math.ceil(n / nc);
  const grain = Math.max(1, Math.min(Math.ceil(units / threads), Math.floor(WORK / (mc * nc * (k + 1)))));
  const flags = (transposeA ? TRANSPOSE_A : 0) | (transposeB ? TRANSPOSE_B : 0);
  const mark = runtime.arena.mark(), table = runtime.arena.floats(starts.length);
  heap.i32.set(starts, table / 4);
  runtime.pool.run(
    ...["batch_matmul", units, grain, c, a, b, bias, table] as const,
    ...[ldc, lda, ldb, m, n, k, mc, nc, DEPTH_BLOCK, flags] as const,
  );
  runtime.arena.release(mark);
}

/** At least `size`, a multiple of `multiple`. */
function up(size: number, multiple: number): number {
  return Math.ceil(size / multiple) * multiple;
}

/** Where the matrices of each index of a batch start: one stride a dimension for C, A and B each. */
export function startsOf(sizes: readonly number[], strides: readonly (readonly number[])[]): Int32Array {
  const count = sizes.reduce((a, b) => a * b, 1), starts = new Int32Array(count * 3);
  const index = sizes.map(() => 0), at = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    starts.set(at, i * 3);
    for (let d = sizes.length - 1; d >= 0; d--) {
      index[d]++;
      for (let t = 0; t < 3; t++) at[t] += strides[t][d];
      if (index[d] < sizes[d]) break;
      for (let t = 0; t < 3; t++) at[t] -= sizes[d] * strides[t][d];
      index[d] = 0;
    }
  }
  return starts;
}

/** The stride of each dimension of a contiguous tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let d = shape.length - 1, stride = 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}
