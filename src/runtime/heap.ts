/**
 * Memory of the WASM module: aligned blocks, typed views, and an arena for buffers that live for one step.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";

/** The two functions of tfjs's module that allocate blocks, aligned to cache lines. */
export interface Allocator {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

/** Bytes of a cache line, with which blocks begin. */
export const CACHE_LINE = 64;

/** Bytes of WASM memory at most: 65,535 pages of 64 KiB, 4 GiB but for one. */
export const MEMORY_LIMIT = 65_535 * 65_536;

/** Bytes for people: `1.50 GiB`, `2.25 MiB`. */
export function formatMemory(bytes: number): string {
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(2)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

/** Blocks of WASM memory, aligned to cache lines, and views of them. Pointers are byte offsets. */
export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly #allocator: Allocator;
  /** The sizes of blocks. */
  readonly #blocks = new Map<number, number>();
  #bytesInUse = 0;
  #buffer: ArrayBufferLike | undefined;
  #f32: Float32Array = new Float32Array(0);
  #i32: Int32Array = new Int32Array(0);
  #u8: Uint8Array = new Uint8Array(0);

  constructor(memory: WebAssembly.Memory, allocator: Allocator) {
    this.memory = memory;
    this.#allocator = allocator;
  }

  /** Bytes allocated here and not yet freed. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  /** All of memory as floats; index = pointer / 4. */
  get f32(): Float32Array {
    this.#refresh();
    return this.#f32;
  }

  /** All of memory as integers; index = pointer / 4. */
  get i32(): Int32Array {
    this.#refresh();
    return this.#i32;
  }

  /** All of memory as bytes. */
  get u8(): Uint8Array {
    this.#refresh();
    return this.#u8;
  }

  /** A view of `count` floats at `pointer`; do not keep it over an allocation. */
  floats(pointer: number, count: number): Float32Array {
    return this.f32.subarray(pointer >>> 2, (pointer >>> 2) + count);
  }

  /**
   * Allocates a block, aligned to 64 bytes, contents undefined.
   *
   * @throws {RuntimeError} if memory is exhausted.
   */
  alloc(bytes: number): number {
    const pointer = this.#allocator._malloc(bytes);
    if (pointer === 0) {
      throw new RuntimeError(
        `Cannot allocate ${bytes} bytes of WASM memory: ${this.#bytesInUse} bytes are in use, the limit is 4 GiB; ` +
          "use smaller batches or a smaller model",
      );
    }
    this.#blocks.set(pointer, bytes);
    this.#bytesInUse += bytes;
    return pointer;
  }

  /** Frees a block of {@linkcode alloc}. Pointer 0 is ignored. */
  free(pointer: number): void {
    if (pointer === 0) return;
    const bytes = this.#blocks.get(pointer);
    if (bytes === undefined) {
      throw new RuntimeError(`Cannot free pointer ${pointer}: it is no allocated block`);
    }
    this.#blocks.delete(pointer);
    this.#bytesInUse -= bytes;
    this.#allocator._free(pointer);
  }

  /** Memory may grow in the single-threaded profile; views are made anew then. */
  #refresh(): void {
    if (this.#buffer === this.memory.buffer) return;
    this.#buffer = this.memory.buffer;
    this.#f32 = new Float32Array(this.#buffer);
    this.#i32 = new Int32Array(this.#buffer);
    this.#u8 = new Uint8Array(this.#buffer);
  }
}

/** A stack of buffers for one step: allocation is an addition, all are released at once. */
export class Arena {
  readonly #heap: Heap;
  #block = 0;
  #capacity = 0;
  #used = 0;
  #overflow: number[] = [];
  #overflowBytes = 0;
  #peak = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Bytes that the arena holds. */
  get capacity(): number {
    return this.#capacity + this.#overflowBytes;
  }

  /** Room for `count` floats (or other 4-byte values), aligned to 64 bytes, contents undefined. */
  floats(count: number): number {
    const bytes = Math.ceil(Math.max(1, count) * 4 / CACHE_LINE) * CACHE_LINE;
    this.#used += bytes;
    this.#peak = Math.max(this.#peak, this.#used);
    if (this.#used <= this.#capacity) return this.#block + this.#used - bytes;
    const pointer = this.#heap.alloc(bytes);
    this.#overflow.push(pointer);
    this.#overflowBytes += bytes;
    return pointer;
  }

  /** A mark to {@linkcode release} to. */
  mark(): number {
    return this.#used;
  }

  /** Gives back all that was taken since the mark. */
  release(mark: number): void {
    this.#used = mark;
  }

  /**
   * Takes room for `bytes` at once; for an arena that was {@linkcode reset}. Without it, an arena that is too small
   * allocates each buffer by itself, and reuses none of them until it is reset.
   *
   * @throws {RuntimeError} if memory is exhausted; the arena is empty then.
   */
  reserve(bytes: number): void {
    if (bytes <= this.#capacity) return;
    this.free();
    this.#block = this.#heap.alloc(bytes);
    this.#capacity = this.#peak = bytes;
  }

  /** The most bytes that were in use at once. */
  get peak(): number {
    return this.#peak;
  }

  /** Gives back everything. What did not fit becomes part of the arena, so that the next step allocates nothing. */
  reset(): void {
    this.#used = 0;
    if (this.#overflow.length === 0) return;
    this.free();
    this.#block = this.#heap.alloc(this.#peak);
    this.#capacity = this.#peak;
  }

  /** Frees all memory of the arena. */
  free(): void {
    for (const pointer of this.#overflow) this.#heap.free(pointer);
    this.#heap.free(this.#block);
    this.#overflow = [];
    this.#overflowBytes = 0;
    this.#block = this.#capacity = this.#used = 0;
  }
}
