/**
 * A backend on paper: models run on it as on a real one, but nothing is computed and no memory is taken. What is
 * counted is what the same model takes on a real backend: bytes of heap, arena, scratch and tensors, and operations.
 *
 * @module
 */
import { Heap } from "./heap.ts";
import type { KernelExports, KernelRunner } from "./kernel_runner.ts";
import { logicalCores } from "./platform.ts";
import { KernelPool } from "./pool.ts";
import { Runtime, startedRuntime } from "./runtime.ts";
import type { Tensor, Variable } from "./tensor.ts";
import type { StartedTfjs } from "./tfjs_backend.ts";

/** Where all tensors on paper stand. */
const PLACE = 64;

/** Views of no memory: reading gives nothing, writing does nothing. */
class NoFloats extends Float32Array {
  override set(): void {}
}
class NoIntegers extends Int32Array {
  override set(): void {}
}
const noFloats = new NoFloats(0), noIntegers = new NoIntegers(0), noBytes = new Uint8Array(0);

/** Counts blocks. */
class PaperHeap extends Heap {
  readonly #sizes = new Map<number, number>();
  #bytes = 0;
  #next = PLACE;

  constructor() {
    super({} as WebAssembly.Memory, { _malloc: () => 0, _free: () => {} });
  }

  override get bytesInUse(): number {
    return this.#bytes;
  }

  override get f32(): Float32Array {
    return noFloats;
  }

  override get i32(): Int32Array {
    return noIntegers;
  }

  override get u8(): Uint8Array {
    return noBytes;
  }

  override floats(): Float32Array {
    return noFloats;
  }

  override alloc(bytes: number): number {
    this.#next += PLACE;
    this.#sizes.set(this.#next, bytes);
    this.#bytes += bytes;
    return this.#next;
  }

  override free(pointer: number): void {
    this.#bytes -= this.#sizes.get(pointer) ?? 0;
    this.#sizes.delete(pointer);
  }
}

/** Runs nothing. */
class PaperPool extends KernelPool {
  constructor(override readonly threads: number) {
    super(undefined as unknown as KernelRunner, new Int32Array(1), []);
  }

  override get exports(): KernelExports {
    return { attention_scratch_bytes: attentionScratchBytes, gemm_dot_units: () => 0, sum_f64: () => 0 };
  }

  override run(): void {}

  override dispose(): void {}
}

/** What the kernels' attention_scratch_bytes gives; see the layout in attention.ts there. */
export function attentionScratchBytes(tokens: number, headSize: number): number {
  const queries = 120, up = (n: number, to: number) => Math.ceil(n / to) * to;
  const strips = (count: number, depth: number) => Math.ceil(count / 8) * (up(depth, 4) * 32 + 64);
  const panels = (rows: number, depth: number) => up(rows, 5) * up(depth, 4) * 4;
  return 256 + 2 * strips(queries, tokens) + 2 * panels(tokens, headSize) +
    Math.max(panels(headSize, tokens), panels(tokens, queries)) + strips(queries, headSize) +
    strips(headSize, queries) + up(headSize, 4) * queries * 4;
}

/** A backend that only counts. */
export class PaperRuntime extends Runtime {
  /** Bytes of the tensors that were made. */
  tensorBytes = 0;

  /** @param threads Default: as many as the real backend has, or would have. */
  constructor(threads: number = startedRuntime()?.threads ?? logicalCores()) {
    super("relaxed", {} as StartedTfjs, new PaperPool(threads), new PaperHeap());
  }

  /** Paper is patient: what does not fit is found by counting. */
  override get freeBytes(): number {
    return Infinity;
  }

  override get dataIds(): { get(dataId: object): { id: number; memoryOffset: number } } {
    return { get: () => ({ id: 0, memoryOffset: PLACE }) };
  }

  override emptyTensor(shape: number[]): { tensor: Tensor; pointer: number } {
    const size = shape.reduce((a, b) => a * b, 1);
    this.tensorBytes += size * 4;
    const tensor = { shape, size, dataId: {}, isDisposed: false, dispose: () => {} };
    return { tensor: tensor as unknown as Tensor, pointer: PLACE };
  }

  override emptyVariable(shape: number[]): Variable {
    return this.emptyTensor(shape).tensor as Variable;
  }

  override markWritten(): void {}

  override end(): void {}
}
