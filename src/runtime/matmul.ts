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
const ACCUMULATE = 1, TRANSPOSE_A = 2, MULTIPLY_AUX = 4, PACK_B = 8, TRANSPOSE_B = 16;

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
  /** Adds to C. Default false. */
  accumulate?: boolean;
  /** bias[n], added to each row. */
  bias?: number;
  /** Number of {@linkcode ACTIVATIONS}; with `aux`, its slope is written there. */
  activation?: number;
  /** [m, n]: receives the activation's slope, or, without an activation, is what C is multiplied by. */
  aux?: number;
}

/** B[n, k] is read in place, by dot products, up to this many rows of A: packing it would cost more. */
const DOT_ROWS = 24;
/** Each unit packs its own part of B up to this many rows of A: there is one row of units then. */
const FEW_ROWS = 40;
/** Up to this depth (gradients of weights from few tokens) each unit packs its own part of B, which fits the L1 cache. */
const SHALLOW = 32;
/** Rows and columns of a unit of work, and the depth of a panel: 120 x 512 floats of A stay in the L2 cache. */
const ROW_BLOCK = 120, COLUMN_BLOCK = 256, DEPTH_BLOCK = 512;
/** The same for few rows: wide, shallow blocks of B are packed faster. */
const FEW_COLUMN_BLOCK = 768, FEW_DEPTH_BLOCK = 128;
/** Rows and columns of a tile. */
const MR = 5, NR = 8;

/** Runs one product on the pool. */
export function matMul(runtime: Runtime, product: MatMul): void {
  const { c, a, b, m, n, k, transposeA = false, transposeB = false, bias = 0, activation = 0, aux = 0 } =
    product;
  if (m === 0 || n === 0) return;
  const flags = (product.accumulate ? ACCUMULATE : 0) | (transposeA ? TRANSPOSE_A : 0) |
    (transposeB ? TRANSPOSE_B : 0) | (aux !== 0 && activation === 0 ? MULTIPLY_AUX : 0) | (activation << 5);
  const lda = transposeA ? m : k, ldb = transposeB ? k : n;
  if (transposeB && !transposeA && m <= DOT_ROWS) {
    const nc = blockSize(n, 48, 3, 2 * runtime.threads);
    runtime.pool.run("gemm_dot", Math.ceil(n / nc), 1, c, a, b, bias, aux, n, lda, ldb, m, n, k, nc, flags);
    return;
  }
  const { threads } = runtime;
  const shallow = !transposeB && k <= SHALLOW, few = !transposeA && m <= FEW_ROWS;
  const rowParts = shallow || (!few && n < COLUMN_BLOCK * 2) ? 2 * threads : 1;
  const mc = blockSize(m, ROW_BLOCK, MR, rowParts);
  // Rows of C that few products make go through whole: each page is then touched once.
  const nc = shallow
    ? n
    : few
    ? blockSize(n, FEW_COLUMN_BLOCK, NR, threads)
    : blockSize(n, COLUMN_BLOCK, NR, 2 * threads);
  const kc = blockSize(k, few ? FEW_DEPTH_BLOCK : DEPTH_BLOCK, 4, 1);
  const units = Math.ceil(m / mc) * Math.ceil(n / nc);
  const run = (operand: number, more: number) =>
    runtime.pool.run(
      ...[
        "gemm",
        units,
        1,
        c,
        a,
        operand,
        bias,
        aux,
        n,
        lda,
        ldb,
        m,
        n,
        k,
        mc,
        nc,
        kc,
        flags | more,
      ] as const,
    );
  if (shallow || few) {
    runtime.needScratch(scratchBytes(mc, nc, Math.min(kc, k)));
    return run(b, PACK_B);
  }
  const mark = runtime.arena.mark(), count = Math.ceil(n / NR);
  const strips = runtime.arena.floats(count * stripFloats(k)); // [n / 8, k, 8]
  const grain = Math.max(1, Math.min(8, Math.ceil(count / runtime.threads)));
  runtime.pool.run("gemm_pack", count, grain, strips, b, ldb, transposeB ? 1 : 0, n, k);
  run(strips, 0);
  runtime.arena.release(mark);
}

/** Floats from strip to strip, as stripBytes of the kernels. */
function stripFloats(k: number): number {
  return wholeDepth(k) * NR + 16;
}

/** Bytes of scratch that a unit of gemm needs where it packs its own part of B. */
function scratchBytes(mc: number, nc: number, kc: number): number {
  const panels = Math.ceil(mc / MR) * MR * wholeDepth(kc);
  return 256 + 4 * (panels + Math.ceil(nc / NR) * stripFloats(kc));
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
