/**
 * A table of chunks that covers many gradients, so that one dispatch works on all of them: norms, clipping, AdamW.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import type { Parameter } from "../model/mod.ts";
import { type Runtime, runtime } from "../runtime/mod.ts";
import { type Moments, runBytes, type StateDtype } from "./moments.ts";

/** Floats of a chunk: enough that a dispatch has few of them, few enough that threads share them evenly. */
export const CHUNK = 16_384;
/** Words of a chunk, as the kernels read them. */
const CHUNK_WORDS = 9;

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
    const words = tableWords(entries);
    if (words.length * 4 > this.#bytes) {
      this.dispose();
      this.#bytes = words.length * 4;
      this.pointer = this.#runtime.heap.alloc(this.#bytes);
      this.#sums = this.#runtime.heap.alloc(words.length / CHUNK_WORDS * 8);
    }
    this.count = words.length / CHUNK_WORDS;
    this.#runtime.heap.i32.set(words, this.pointer / 4);
    this.#key = key;
  }

  /** The norm of all gradients together. */
  norm(): number {
    const { pool } = this.#runtime;
    pool.run("sum_squares", this.count, this.grain, this.#sums, this.pointer);
    return Math.sqrt(pool.exports.sum_f64(this.#sums, this.count));
  }

  dispose(): void {
    this.#runtime.heap.free(this.pointer);
    this.#runtime.heap.free(this.#sums);
    this.pointer = this.#sums = this.#bytes = 0;
    this.#key = [];
  }
}

function tableWords(entries: readonly TableEntry[]): Int32Array {
  const words: number[] = [];
  for (const { parameter, m, v, dtype, group, first } of entries) {
    const p = parameter.pointer, g = parameter.gradientPointer, { size, touched } = parameter;
    if (g === 0) throw new RuntimeError(`Cannot step: "${parameter.name}" has no gradient`);
    const width = touched === 0 ? 1 : parameter.shape[1];
    const length = touched === 0 ? CHUNK : Math.max(1, Math.floor(CHUNK / width)) * width;
    for (let at = 0; at < size; at += length) {
      const offset = at * 4, count = Math.min(length, size - at);
      const row = touched === 0 ? 0 : touched + at / width;
      const state = touched === 0 ? runBytes(at, dtype) : at / width * runBytes(width, dtype);
      words.push(
        p + offset,
        g + offset,
        m && m + state,
        v && v + state,
        count,
        row,
        width,
        group,
        first + at,
      );
    }
  }
  return Int32Array.from(words, (word) => word | 0);
}
