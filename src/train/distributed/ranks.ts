/**
 * What the ranks of a run tell each other besides gradients: numbers of a step, wishes, values as JSON.
 *
 * @module
 */
import type { Communicator } from "../../distributed/communicator.ts";
import { TrainingError } from "../../errors.ts";

/** Seconds that a step may keep the other ranks waiting at least, and as a multiple of the longest step so far. */
const LEAST_PATIENCE = 25, PATIENCE_STEPS = 4;

/** The first rank has failed, which ends this one; it tells why. */
export class FirstRankError extends TrainingError {}

/** How far sums of gradients were hidden behind backward passes. */
export interface Overlap {
  /** Seconds from a step's first started sum to its last finished one. */
  underWay: number;
  /** Seconds thereof after the backward pass, in which nothing was computed. */
  waited: number;
}

/** The ranks of a run, as the Trainer sees them. */
export class Ranks {
  readonly overlap: Overlap = { underWay: 0, waited: 0 };
  #longestStep = 0;

  /** Until it is known how long a step takes, the ranks wait for each other as long as it takes. */
  constructor(readonly communicator: Communicator) {
    if (this.size > 1) communicator.deadlineSeconds = Infinity;
  }

  /** The number of ranks. */
  get size(): number {
    return this.communicator.size;
  }

  /** True on the rank that logs, reports and saves. */
  get isFirst(): boolean {
    return this.communicator.rank === 0;
  }

  /** Which of `count` things in a row are this rank's: a contiguous part of them, the same for each rank. */
  part(count: number): { begin: number; end: number } {
    const { rank, size } = this.communicator;
    return { begin: rank * count / size, end: (rank + 1) * count / size };
  }

  /** Adds up the ranks' numbers in place. */
  sum(values: Float64Array): Float64Array {
    if (this.size > 1) this.communicator.allReduce(values);
    return values;
  }

  /** True if it is true on any rank. */
  any(value: boolean): boolean {
    return this.size === 1 ? value : this.sum(Float64Array.of(Number(value)))[0] > 0;
  }

  /** Makes each switch true that is true on any rank. */
  agree<T extends object>(switches: T): void {
    if (this.size === 1) return;
    const names = Object.keys(switches) as (keyof T)[];
    const wanted = this.sum(Float64Array.from(names, (name) => Number(switches[name])));
    names.forEach((name, i) => switches[name] = (wanted[i] > 0) as T[keyof T]);
  }

  /** Every rank's bytes, by rank. */
  gatherBytes(bytes: Uint8Array): Uint8Array[] {
    const { rank, size } = this.communicator, lengths = new Float64Array(size);
    lengths[rank] = bytes.length;
    const counts = [...this.sum(lengths)], total = counts.reduce((a, b) => a + b, 0);
    const all = new Uint8Array(total), starts = counts.map((_, r) => sumOf(counts.slice(0, r)));
    all.set(bytes, starts[rank]);
    this.communicator.allGather(all, counts);
    return counts.map((count, r) => all.subarray(starts[r], starts[r] + count));
  }

  /** Every rank's value, by rank; values are JSON, and numbers that are not finite. */
  gather<T>(value: T): T[] {
    if (this.size === 1) return [value];
    return this.gatherBytes(new TextEncoder().encode(encode(value))).map((bytes) => decode<T>(bytes));
  }

  /** The first rank's value, on every rank. */
  fromFirst<T>(value: T): T {
    if (this.size === 1) return value;
    const bytes = this.isFirst ? new TextEncoder().encode(encode(value)) : new Uint8Array(0);
    const length = this.sum(Float64Array.of(bytes.length))[0], all = new Uint8Array(length);
    if (this.isFirst) all.set(bytes);
    this.communicator.broadcast(all, 0);
    return decode<T>(all);
  }

  /** Puts the first rank's values in place of the others'. */
  share(values: Float32Array | Uint8Array): void {
    if (this.size > 1 && values.length > 0) this.communicator.broadcast(values, 0);
  }

  /**
   * Does what only the first rank does, however long that takes; all ranks go on together.
   *
   * @param help What the others do for it meanwhile, if anything; if the first fails then, the others wait until it ends
   * them.
   * @throws {FirstRankError} on the other ranks, if it failed on the first.
   */
  async onFirst(work: () => Promise<void>, help?: () => Promise<void>): Promise<void> {
    if (this.size === 1) return await work();
    let failure: { error: unknown } | undefined;
    const patience = this.communicator.deadlineSeconds;
    this.communicator.deadlineSeconds = Infinity;
    try {
      await (this.isFirst ? work() : help?.());
    } catch (error) {
      if (help) throw error;
      failure = { error };
    }
    this.communicator.deadlineSeconds = patience;
    const message = this.patiently(() => this.fromFirst(failure ? String(failure.error) : null));
    if (failure) throw failure.error;
    if (message !== null) throw new FirstRankError(`Cannot go on: rank 0 has failed (${message})`);
  }

  /** Waits for the other ranks as long as it takes. */
  patiently<T>(work: () => T): T {
    const { communicator } = this, before = communicator.deadlineSeconds;
    communicator.deadlineSeconds = Infinity;
    try {
      return work();
    } finally {
      communicator.deadlineSeconds = before;
    }
  }

  /** Lets the ranks wait for each other as long as such steps may take. */
  learnStepTime(seconds: number): void {
    this.#longestStep = Math.max(this.#longestStep, seconds);
    this.communicator.deadlineSeconds = Math.max(LEAST_PATIENCE, PATIENCE_STEPS * this.#longestStep);
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Stands before a number that JSON does not have. */
const MARK = "\u0000number ";

function encode(value: unknown): string {
  return JSON.stringify(
    value ?? null,
    (_, one) =>
      typeof one === "number" && (!Number.isFinite(one) || Object.is(one, -0))
        ? MARK + (Object.is(one, -0) ? "-0" : String(one))
        : one,
  );
}

function decode<T>(bytes: Uint8Array): T {
  const text = new TextDecoder().decode(bytes);
  const hasMarks = text.includes(JSON.stringify(MARK).slice(1, -1));
  if (!hasMarks) return JSON.parse(text);
  return JSON.parse(
    text,
    (_, one) => typeof one === "string" && one.startsWith(MARK) ? Number(one.slice(MARK.length)) : one,
  );
}
