/**
 * The memory of AdamW's moments: of whole parameters, or of this rank's part of each.
 *
 * @module
 */
import { MemoryError } from "../errors.ts";
import type { Parameter } from "../model/mod.ts";
import { formatMemory, type Runtime } from "../runtime/mod.ts";
import type { Shards, ValueRange } from "./distributed/shards.ts";
import { momentOffset, type Moments, secondMomentAt, stateBytes, type StateDtype } from "./moments.ts";

/** A block of memory, and where the moments of a parameter's first value would stand. */
interface Stored extends Moments {
  block: number;
}

/** Keeps moments. */
export class MomentStore {
  readonly #runtime: Runtime;
  readonly #stored = new Map<Parameter, Stored>();
  /** Who keeps what; undefined: this process keeps all. */
  shards: Shards | undefined;

  constructor(runtime: Runtime, readonly dtype: StateDtype) {
    this.#runtime = runtime;
  }

  /** Where a parameter's moments stand; of values that are others' there is nothing. */
  of(parameter: Parameter): Moments {
    return this.#stored.get(parameter)!;
  }

  /** What of a parameter is kept here. */
  range(parameter: Parameter): ValueRange {
    return this.shards?.own(parameter) ?? { from: 0, to: parameter.size };
  }

  /** Bytes that are yet to be taken for a parameter. */
  missingBytes(parameter: Parameter): number {
    return this.#stored.has(parameter) ? 0 : stateBytes(parameter, this.dtype, this.range(parameter));
  }

  /**
   * Takes the memory of moments that are missing, set to zero.
   *
   * @throws {MemoryError} before anything is taken, if they do not fit together.
   */
  take(parameters: readonly Parameter[]): void {
    const missing = parameters.filter((parameter) => !this.#stored.has(parameter));
    if (missing.length === 0) return;
    const { heap, pool, freeBytes } = this.#runtime, { dtype } = this;
    const needed = missing.reduce((sum, parameter) => sum + this.missingBytes(parameter), 0);
    if (needed > freeBytes) {
      throw new MemoryError(
        `Cannot step: AdamW's moments of ${missing.length} parameters take ${formatMemory(needed)} ` +
          `(${dtype}), and ${formatMemory(freeBytes)} are free; a shorter state_dtype or frozen parameters ` +
          "would help",
        needed,
        freeBytes,
      );
    }
    for (const parameter of missing) {
      const range = this.range(parameter), bytes = stateBytes(parameter, dtype, range);
      const block = bytes === 0 ? 0 : heap.alloc(bytes),
        m = block - momentOffset(parameter, range.from, dtype);
      if (bytes > 0) pool.run("zero", Math.ceil(bytes / 65536), 16, block, bytes);
      this.#stored.set(parameter, { block, m, v: m + secondMomentAt(parameter, dtype, range) });
    }
  }

  /** A parameter's moments as bytes; a view, if this process keeps all of them. All ranks ask together. */
  read(parameter: Parameter): Uint8Array {
    if (!this.shards) return this.#own(parameter);
    const whole = new Uint8Array(stateBytes(parameter, this.dtype));
    this.#pieces(parameter, (piece, own, owner) => {
      if (own) piece.set(own);
      this.shards!.communicator.broadcast(piece, owner);
    }, whole);
    return whole;
  }

  /**
   * Sets a parameter's moments; all ranks do so together.
   *
   * @param bytes Undefined on ranks other than the first, which give them to all.
   */
  write(parameter: Parameter, bytes: Uint8Array | undefined): void {
    this.take([parameter]);
    if (!this.shards) return bytes && this.#own(parameter).set(bytes);
    const whole = bytes ?? new Uint8Array(stateBytes(parameter, this.dtype));
    this.#pieces(parameter, (piece, own) => {
      this.shards!.communicator.broadcast(piece, 0);
      own?.set(piece);
    }, whole);
  }

  /** Frees all. */
  dispose(): void {
    for (const { block } of this.#stored.values()) this.#runtime.heap.free(block);
    this.#stored.clear();
    this.shards?.dispose();
  }

  #own(parameter: Parameter): Uint8Array {
    const { block } = this.#stored.get(parameter)!;
    return this.#bytes(block, stateBytes(parameter, this.dtype, this.range(parameter)));
  }

  #bytes(pointer: number, count: number): Uint8Array {
    return this.#runtime.heap.u8.subarray(pointer, pointer + count);
  }

  /** Visits each rank's part of both moments: as a part of the whole state, and where it is kept if it is here. */
  #pieces(
    parameter: Parameter,
    visit: (piece: Uint8Array, own: Uint8Array | undefined, owner: number) => void,
    whole: Uint8Array,
  ): void {
    const { dtype } = this, { m, v } = this.of(parameter), { rank } = this.shards!.communicator;
    const second = secondMomentAt(parameter, dtype);
    for (const { owner, from, to } of this.shards!.partsOf(parameter)) {
      const begin = momentOffset(parameter, from, dtype), end = momentOffset(parameter, to, dtype);
      const kinds: [at: number, base: number][] = second === 0 ? [[0, m]] : [[0, m], [second, v]];
      for (const [at, base] of kinds) {
        const own = owner === rank ? this.#bytes(base + begin, end - begin) : undefined;
        visit(whole.subarray(at + begin, at + end), own, owner);
      }
    }
  }
}
