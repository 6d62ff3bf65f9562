/**
 * Plans one matrix product: which kernel, which blocks, whether B is packed first.
 *
 *     C[m, n] (+)= op(A) op(B), then + bias, activation or multiplication by aux
 *
 * @module
 */
import type { Runtime } from "./runtime.ts";

/** The numbers that the kernels know activations by. */
export const ACTIVATIONS = { none: 0, gelu: 1, relu: 2, gelu_new: 3, silu: 4, tanh: 5 } as const;

/** Flag bits of the gemm kernels; the activation stands from bit 5 on. */
const ACCUMULATE = 1, TRANSPOSE_A = 2, MULTIPLY_AUX = 4, PACK_B = 8;

/** One product. Pointers into WASM memory; matrices are row major. */
export interface MatMul {
  /** C[m, n]. */
  c: number;
  /** A[m, k], or A[k, m] with `transposeA`. */
  a: number;
  /** B[k, n], or B[n, k] with `transposeB`. */
  b: number;
  m: number;
  n: number;
  k: number;
  transposeA?: boolean;
  transposeB?: boolean;
  /** B in strips, by {@linkcode packB}; read instead of `b`. */
  packed?: number;
  /** Adds to C. Default false. */
  accumulate?: boolean;
  /** bias[n], added to each row. */
  bias?: number;
  /** Number of {@linkcode ACTIVATIONS}; with `aux`, its slope is written there. */
  activation?: number;
  /** [m, n]: receives the activation's slope, or, without an activation, is what C is multiplied by. */
  aux?: number;
}

/**
 * B is read in place up to this many rows of A: packing it would cost more, or, up to the second number, would gain nothing
 * if it were packed already.
 */
const FEW_ROWS = 40, PACKED_FEW_ROWS = 32;
/** Columns of a unit of dot products at most and, unless threads would have none, at least; those made at a time. */
const WIDEST_DOTS = 288, NARROWEST_DOTS = 96, DOT_STREAMS = 6;
/** Few rows of A times B[k, n]: steps of k of a slice at least, slices at most, and what the steps are a multiple of. */
const SLICE_DEPTH = 192, SLICES = 16, SLICE_ROWS = 6;
/** Columns of a unit of a slice. */
const SLICE_COLUMN_BLOCK = 1536;
/** Up to this depth (gradients of weights from few tokens) each thread packs B for itself: its strips are short. */
const SHALLOW = 32;
/** Rows of a unit of work where there are many, and where B would be read too often; a panel's depth. */
const ROW_BLOCK = 60, SMALL_ROW_BLOCK = 130, DEPTH_BLOCK = 768;
/** Columns of a unit at most and, unless they are needed to keep all threads busy, at least: A is packed for each unit. */
const COLUMN_BLOCK = 768, LEAST_COLUMNS = 96;
/** The same for shallow products. */
const SHALLOW_ROW_BLOCK = 120;
/** Rows and columns of a tile. */
const MR = 5, NR = 8;

/** Runs one product on the pool. */
export function matMul(runtime: Runtime, product: MatMul): void {
  const { c, a, b, m, n, k, transposeA = false, transposeB = false, bias = 0, activation = 0, aux = 0 } =
    product;
  if (m === 0 || n === 0) return;
  runtime.flops += 2 * m * n * k;
  const flags = (product.accumulate ? ACCUMULATE : 0) | (transposeA ? TRANSPOSE_A : 0) |
    (aux !== 0 && activation === 0 ? MULTIPLY_AUX : 0) | (activation << 5);
  const lda = transposeA ? m : k, ldb = transposeB ? k : n;
  if (transposeB && !transposeA && m <= (product.packed ? PACKED_FEW_ROWS : FEW_ROWS)) {
    const { threads } = runtime, narrowest = blockSize(n, NARROWEST_DOTS, DOT_STREAMS, 2 * threads);
    const units = runtime.pool.exports.gemm_dot_units(n, threads, WIDEST_DOTS, narrowest);
    runtime.needScratch((m + 1) * (96 + 4 * k));
    runtime.pool.run(
      ...["gemm_dot", units, 1, c, a, b, bias, aux, n, lda, ldb, m, n, k] as const,
      ...[threads, WIDEST_DOTS, narrowest, flags] as const,
    );
    return;
  }
  const run = (operand: number, { mc, nc, kc }: Blocks, more: number) =>
    runtime.pool.run(
      ...["gemm", Math.ceil(m / mc) * Math.ceil(n / nc), 1, c, a, operand, bias, aux, n, lda, ldb] as const,
      ...[m, n, k, mc, nc, kc, flags | more] as const,
    );
  if (product.packed) return run(product.packed, blocks(m, n, k, runtime.threads), 0);
  if (!transposeB && k <= SHALLOW) {
    const own = shallowBlocks(m, n, k, runtime.threads);
    runtime.needScratch(scratchBytes(own));
    return run(b, own, PACK_B);
  }
  if (!transposeA && !transposeB && m <= FEW_ROWS) return matMulSlices(runtime, product, flags);
  const mark = runtime.arena.mark(), strips = runtime.arena.floats(packedFloats(n, k)); // [n / 8, k, 8]
  packB(runtime, strips, b, n, k, transposeB);
  run(strips, blocks(m, n, k, runtime.threads), 0);
  runtime.arena.release(mark);
}

/** True if {@linkcode matMul} reads B[n, k] packed, where it is given so, for that many rows of A. */
export function usesPacked(m: number): boolean {
  return m > PACKED_FEW_ROWS;
}

/** Few rows: the sum is cut in slices, as many for any number of threads, and their results are added. */
function matMulSlices(runtime: Runtime, product: MatMul, flags: number): void {
  const { c, a, b, m, n, k, bias = 0, aux = 0 } = product;
  const depth = blockSize(k, Math.max(SLICE_DEPTH, k / SLICES), SLICE_ROWS, 1), slices = Math.ceil(k / depth);
  const nc = blockSize(n, SLICE_COLUMN_BLOCK, NR, Math.ceil(runtime.threads / slices)),
    blocks = Math.ceil(n / 64);
  const mark = runtime.arena.mark(),
    partials = runtime.arena.floats(slices * Math.ceil(m / 2) * pairFloats(n));
  runtime.needScratch(4 * (m + 1) * depth);
  runtime.pool.run("gemm_slices", slices * Math.ceil(n / nc), 1, partials, a, b, k, n, m, n, k, depth, nc);
  const grain = Math.ceil(blocks / runtime.threads);
  runtime.pool.run("gemm_slices_sum", blocks, grain, c, partials, bias, aux, m, n, slices, flags);
  runtime.arena.release(mark);
}

/** How AdamW changes a matrix; see adamw_update of the kernels. */
export interface MatrixUpdate {
  /** The matrix [m, n] and its moments. */
  p: number;
  first_moment: number;
  second_moment: number;
  /** Settings. */
  group: number;
  /** How moments are stored, and how many values have some of their own. */
  state: number;
  run: number;
  /** The number of the matrix's first value. */
  first: number;
}

/** Floats of a gradient that one thread holds in its cache between the product and the update. */
const GRADIENT_BLOCK = 49_152;

/** True if a product of this depth takes so little time that {@linkcode matMulUpdate} pays. */
export function isShallow(k: number): boolean {
  return k <= SHALLOW;
}

/** Changes a matrix by its gradient A[k, m]^T B[k, n], of a shallow product, without storing the gradient. */
export function matMulUpdate(
  runtime: Runtime,
  { a, b, m, n, k }: Pick<MatMul, "a" | "b" | "m" | "n" | "k">,
  update: MatrixUpdate,
): void {
  let multiple = MR;
  while (multiple * n % update.run !== 0) multiple += MR;
  const mc = blockSize(m, Math.max(multiple, Math.floor(GRADIENT_BLOCK / n)), multiple, 2 * runtime.threads);
  const { kc } = shallowBlocks(m, n, k, runtime.threads), { p, first_moment, second_moment } = update;
  runtime.needScratch(UPDATE_BYTES + 4 * mc * n + scratchBytes({ mc, nc: n, kc }));
  runtime.flops += 2 * m * n * k;
  runtime.pool.run(
    ...["gemm_adamw", Math.ceil(m / mc), 1, p, first_moment, second_moment, a, b, m, n, k, mc, kc] as const,
    ...[TRANSPOSE_A | PACK_B, update.group, update.state, update.first] as const,
  );
}

/** Scratch bytes in which a block's moments are floats. */
const UPDATE_BYTES = 2048;

/** A unit computes mc x nc of C, in steps of kc along the sum. */
interface Blocks {
  mc: number;
  nc: number;
  kc: number;
}

function blocks(m: number, n: number, k: number, threads: number): Blocks {
  const small = m <= 2 * SMALL_ROW_BLOCK, mc = blockSize(m, small ? SMALL_ROW_BLOCK : ROW_BLOCK, MR, 1);
  const parts = Math.ceil((small ? 2 : 8) * threads / Math.ceil(m / mc));
  const most = Math.max(1, threads, Math.floor(n / LEAST_COLUMNS));
  const nc = blockSize(n, COLUMN_BLOCK, NR, Math.min(parts, most));
  return { mc, nc, kc: blockSize(k, DEPTH_BLOCK, 4, 1) };
}

/** Rows of C that few products make go through whole: each page is then touched once. */
function shallowBlocks(m: number, n: number, k: number, threads: number): Blocks {
  return { mc: blockSize(m, SHALLOW_ROW_BLOCK, MR, 2 * threads), nc: n, kc: blockSize(k, SHALLOW, 4, 1) };
}

/** Floats that B[k, n] takes in strips. */
export function packedFloats(n: number, k: number): number {
  return Math.ceil(n / NR) * stripFloats(k);
}

/** Writes B[k, n], or B[n, k] if `transposed`, to `strips` ({@linkcode packedFloats} floats). */
export function packB(
  runtime: Runtime,
  strips: number,
  b: number,
  n: number,
  k: number,
  transposed: boolean,
): void {
  const count = Math.ceil(n / NR), grain = Math.max(1, Math.min(8, Math.ceil(count / runtime.threads)));
  runtime.pool.run("gemm_pack", count, grain, strips, b, transposed ? k : n, Number(transposed), n, k);
}

/** Floats from strip to strip, as stripBytes of the kernels. */
function stripFloats(k: number): number {
  return wholeDepth(k) * NR + 16;
}

/** Floats from pair to pair of a slice's rows, as pairBytes of the kernels. */
function pairFloats(n: number): number {
  return Math.ceil(n / 4) * 8 + 16;
}

/** Bytes of scratch that gemm needs where each thread packs B. */
function scratchBytes({ mc, nc, kc }: Blocks): number {
  return 256 + 4 * (mc * wholeDepth(kc) + packedFloats(nc, kc));
}

/** k rounded up to the steps of the tile. */
function wholeDepth(k: number): number {
  return Math.ceil(k / 4) * 4;
}

/** At most `limit`, a multiple of `multiple`, and small enough that there are `parts` blocks; blocks are about equal. */
function blockSize(size: number, limit: number, multiple: number, parts: number): number {
  const blocks = Math.max(parts, Math.ceil(size / limit));
  return Math.max(multiple, Math.ceil(size / blocks / multiple) * multiple);
}
