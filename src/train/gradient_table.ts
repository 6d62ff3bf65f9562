/**
 * A table of chunks that covers many gradients, so that one dispatch works on all of them: norms, clipping, AdamW.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import type { Parameter } from "../model/mod.ts";
import type { Communicator } from "../distributed/communicator.ts";
import { type Runtime, runtime } from "../runtime/mod.ts";
import { momentOffset, type Moments, type StateDtype } from "./moments.ts";

/** Floats of a chunk: enough that a dispatch has few of them, few enough that threads share them evenly. */
export const CHUNK = 16_384;
/** Words of a chunk, as the kernels read them. */
const CHUNK_WORDS = 9;

/** Values of a parameter's chunks: whole rows of an embedding. */
export function chunkLength({ touched, shape }: Parameter): number {
  return touched === 0 ? CHUNK : Math.max(1, Math.floor(CHUNK / shape[1])) * shape[1];
}

/**
 * Scales all gradients together so that their norm is at most `max_norm`, as PyTorch does.
 *
 * @returns The norm before.
 * @throws {RuntimeError} if a parameter belongs to a fused optimizer, which keeps no gradient.
 */
export function clip_grad_norm_(parameters: Iterable<Parameter>, max_norm: number): number {
  const own = runtime(), table = new GradientTable(own);
  try {
    const all = [...parameters], fused = all.find((parameter) => parameter.isFused);
    if (fused) {
      throw new RuntimeError(
        `Cannot clip the gradient of "${fused.name}": a fused optimizer has used it; make AdamW without fused_backward`,
      );
    }
    const entries = all.filter((p) => p.gradientPointer !== 0);
    if (entries.length === 0) return 0;
    table.set(entries.map((parameter) => ({ parameter, m: 0, v: 0, dtype: "float32", group: 0, first: 0 })));
    const norm = table.norm(), factor = clipFactor(norm, max_norm);
    if (factor < 1) own.pool.run("scale_gradients", table.count, table.grain, table.pointer, factor);
    return norm;
  } finally {
    table.dispose();
  }
}

/** PyTorch's: max / (norm + 1e-6), at most 1. A norm that is no number stays one. */
export function clipFactor(norm: number, max_norm: number): number {
  const factor = max_norm / (norm + 1e-6);
  return factor < 1 || Number.isNaN(factor) ? factor : 1;
}

/** A parameter's gradient, and where its moments and settings are; clipping needs none of these. */
interface TableEntry extends Moments {
  parameter: Parameter;
  /** The values that the table has; default: all. */
  range?: { readonly from: number; readonly to: number };
  dtype: StateDtype;
  /** The number of its settings. */
  group: number;
  /** The number of its first value, counted over all parameters. */
  first: number;
}

/** Chunks of parameters and gradients in WASM memory; see the kernels' optimizer.ts for the layout. */
export class GradientTable {
  readonly #runtime: Runtime;
  /** What the table was made of. */
  #key: number[] = [];
  #bytes = 0;
  #sums = 0;
  /** Of each chunk: its number among those of all ranks. */
  #numbers: readonly number[] = [];
  /** Chunks of all ranks. */
  #all = 0;
  pointer = 0;
  count = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Chunks of one grab of a thread. */
  get grain(): number {
    return Math.max(1, Math.min(16, Math.ceil(this.count / (4 * this.#runtime.threads))));
  }

  /** Writes the table, unless it stands there already: pointers hardly ever change between steps. */
  set(entries: readonly TableEntry[]): void {
    const key = entries.flatMap((
      { parameter: p, m, v, group },
    ) => [p.pointer, p.gradientPointer, m, v, p.size, group]);
    if (key.length === this.#key.length && key.every((word, i) => word === this.#key[i])) return;
    const { words, numbers, all } = tableWords(entries);
    if (words.length * 4 > this.#bytes || all > this.#all) {
      this.dispose();
      this.#bytes = words.length * 4;
      this.pointer = this.#runtime.heap.alloc(this.#bytes);
      this.#sums = this.#runtime.heap.alloc(all * 8);
    }
    this.#numbers = numbers;
    this.#all = all;
    this.count = words.length / CHUNK_WORDS;
    this.#runtime.heap.i32.set(words, this.pointer / 4);
    this.#key = key;
  }

  /**
   * The norm of all gradients together.
   *
   * @param ranks Those that have the other chunks.
   */
  norm(ranks?: Communicator): number {
    const { pool } = this.#runtime;
    pool.run("sum_squares", this.count, this.grain, this.#sums, this.pointer);
    if (ranks) this.#gatherSums(ranks);
    return Math.sqrt(pool.exports.sum_f64(this.#sums, this.#all));
  }

  /** Puts the sums of all ranks' chunks in their order, so that their sum has the same bits on any number of ranks. */
  #gatherSums(ranks: Communicator): void {
    const all = new Float64Array(this.#all), { buffer } = this.#runtime.heap.memory;
    const own = new Float64Array(buffer, this.#sums, this.#all);
    this.#numbers.forEach((number, i) => all[number] = own[i]);
    ranks.allReduce(all);
    own.set(all);
  }

  dispose(): void {
    this.#runtime.heap.free(this.pointer);
    this.#runtime.heap.free(this.#sums);
    this.pointer =
      this.#sums =
      this.#bytes =
      this.#all =
        0;
    this.#key = [];
  }
}

/** The words of the table's chunks, their numbers among the chunks of all entries, and how many these are. */
function tableWords(
  entries: readonly TableEntry[],
): { words: Int32Array; numbers: number[]; all: number } {
  const words: number[] = [], numbers: number[] = [];
  let all = 0;
  for (const { parameter, m, v, dtype, group, first, range } of entries) {
    const p = parameter.pointer, g = parameter.gradientPointer, { size, touched } = parameter;
    if (g === 0) throw new RuntimeError(`Cannot step: "${parameter.name}" has no gradient`);
    const width = touched === 0 ? 1 : parameter.shape[1], length = chunkLength(parameter);
    const { from, to } = range ?? { from: 0, to: size };
    for (let at = from; at < to; at += length) {
      const offset = at * 4, count = Math.min(length, to - at);
      const row = touched === 0 ? 0 : touched + at / width;
      const state = momentOffset(parameter, at, dtype);
      words.push(p + offset, g + offset, m + state, v + state, count, row, width, group, first + at);
      numbers.push(all + at / length);
    }
    all += Math.ceil(size / length);
  }
  return { words: Int32Array.from(words, (word) => word | 0), numbers, all };
}
