/**
 * The matrix products that are timed, C[m, n] = A[m, k] B[k, n], `batch` of them: one list for all contenders, their
 * inputs, the elements that are compared, and the child's side for those that run in Deno.
 */
import { speak } from "./speak.mjs";

/** One product. Weights stand as each program keeps them: [outputs, inputs] in PyTorch and here, [inputs, outputs] in tfjs and jax. */
export interface GemmCase {
  name: string;
  kind: "forward" | "dX" | "dW" | "QK^T" | "PV";
  m: number;
  n: number;
  k: number;
  batch: number;
  /** Part of a quick run. */
  quick?: boolean;
  /** tfjs's own kernel takes about 8 s. */
  stockTakesSeconds?: boolean;
}

const single = (name: string, kind: GemmCase["kind"], m: number, n: number, k: number, quick = false) => ({
  ...{ name: `${kind}, ${name}`, kind, m, n, k, batch: 1, quick },
});
const heads = (kind: "QK^T" | "PV", batch: number, T: number, quick = false): GemmCase => ({
  ...{ name: `${kind}, ${batch} x 12 heads, T = ${T}`, kind, m: T, batch: batch * 12, quick },
  ...kind === "PV" ? { n: 64, k: T } : { n: T, k: 64 },
});

export const GEMM_CASES: readonly GemmCase[] = [
  single("bert-base, 1024 rows", "forward", 1024, 3072, 768),
  single("bert-base, 1024 rows", "dX", 1024, 768, 3072),
  { ...single("bert-base, 1024 rows", "dW", 3072, 768, 1024), stockTakesSeconds: true },
  single("MiniLM, 1024 rows", "forward", 1024, 1536, 384, true),
  single("MiniLM, 1024 rows", "dX", 1024, 384, 1536, true),
  single("MiniLM, 1024 rows", "dW", 1536, 384, 1024, true),
  single("bert-base, 12 rows", "forward", 12, 3072, 768),
  single("bert-base, 12 rows", "dX", 12, 768, 3072),
  single("bert-base, 12 rows", "dW", 3072, 768, 12),
  heads("QK^T", 8, 128, true),
  heads("PV", 8, 128, true),
  heads("QK^T", 32, 32),
  heads("PV", 32, 32),
];

/** Elements of C that are compared. */
export const CHECKED = 16;

/** Single products of many rows, not of 12. */
export function isLarge({ m, k, batch }: GemmCase): boolean {
  return batch === 1 && m > 100 && k > 100;
}

/** Multiplications and additions. */
export function operations({ m, n, k, batch }: GemmCase): number {
  return 2 * m * n * k * batch;
}

/** Element i of A, and of B, both counted row by row as A[batch, m, k] and B[batch, k, n]. */
export const valueA = (i: number): number => (i * 7919 % 1000) / 1000 - 0.5;
export const valueB = (i: number): number => (i * 104729 % 1009) / 1009 - 0.5;

/** A in memory, [batch, m, k] or [batch, k, m]. */
export function matrixA({ m, k, batch }: GemmCase, transposed: boolean): Float32Array {
  return matrix(valueA, batch, m, k, transposed);
}

/** B in memory, [batch, k, n] or [batch, n, k]. */
export function matrixB({ n, k, batch }: GemmCase, transposed: boolean): Float32Array {
  return matrix(valueB, batch, k, n, transposed);
}

function matrix(
  value: (i: number) => number,
  batch: number,
  rows: number,
  columns: number,
  transposed: boolean,
) {
  const result = new Float32Array(batch * rows * columns);
  for (let at = 0, i = 0; at < batch; at++) {
    const start = at * rows * columns;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++, i++) result[transposed ? start + c * rows + r : i] = value(i);
    }
  }
  return result;
}

/** Where in C[batch, m, n] the compared elements stand. */
export function checkedPlaces({ m, n, batch }: GemmCase): { at: number; i: number; j: number }[] {
  return Array.from({ length: CHECKED }, (_, t) => {
    if (t === CHECKED - 1) return { at: batch - 1, i: m - 1, j: n - 1 };
    return { at: t * 5 % batch, i: t * 389 % m, j: t * 677 % n };
  });
}

/** The compared elements by f64 sums, over sqrt(k), as all contenders give them. */
export function reference(gemm: GemmCase): number[] {
  const { m, n, k } = gemm;
  return checkedPlaces(gemm).map(({ at, i, j }) => {
    let sum = 0;
    for (let x = 0; x < k; x++) {
      const a = Math.fround(valueA((at * m + i) * k + x)), b = Math.fround(valueB((at * k + x) * n + j));
      sum += a * b;
    }
    return sum / Math.sqrt(k);
  });
}

/** A product that stands ready: runs it, reads C, and frees it. */
export interface Prepared {
  run(): void | Promise<void>;
  read(): ArrayLike<number> | Promise<ArrayLike<number>>;
  free(): void;
}

/**
 * Sets of operands that products of few rows go round, so that weights come from memory as they do in training: 9 MB
 * each for bert-base.
 */
const FEW_ROWS_SETS = 8;

/** A turn lasts at least so long: several products if one takes less. */
const TURN_MS = 50;
/** Products go on for so long before the clock starts: threads and cores that rested are slow at first. */
const WARM_UP_MS = 100;
/** Products that take longer run once a turn, without any before. */
const SLOW_MS = 400;

/** Speaks as a contender that knows the products of these numbers. */
export async function serveGemm(
  numbers: readonly number[],
  prepare: (gemm: GemmCase) => Prepared | Promise<Prepared>,
): Promise<void> {
  const sets: Prepared[] = [], lastMs = new Map<number, number>();
  let current = -1, turn = 0;
  const once = async (): Promise<number> => {
    const { run } = sets[turn++ % sets.length], start = performance.now();
    await run();
    return performance.now() - start;
  };
  const choose = async (number: number): Promise<void> => {
    if (current === number) return;
    for (const { free } of sets.splice(0)) free();
    const gemm = GEMM_CASES[number], count = gemm.batch > 1 || isLarge(gemm) ? 1 : FEW_ROWS_SETS;
    for (let i = 0; i < count; i++) sets.push(await prepare(gemm));
    current = number;
    turn = 0;
  };
  const check: number[] = [];
  for (const number of numbers) {
    await choose(number);
    lastMs.set(number, await once());
    const gemm = GEMM_CASES[number], { m, n, k } = gemm, c = await sets[0].read();
    check.push(...checkedPlaces(gemm).map(({ at, i, j }) => c[(at * m + i) * n + j] / Math.sqrt(k)));
  }
  await speak(check, async (job) => {
    const number = Number(job);
    await choose(number);
    if (lastMs.get(number)! < SLOW_MS) { for (let ms = 0; ms < WARM_UP_MS;) ms += await once(); }
    let runs = 0, total = 0;
    for (; total < TURN_MS; runs++) total += await once();
    lastMs.set(number, total / runs);
    return total / runs;
  });
}
