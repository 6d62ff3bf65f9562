/**
 * What the processes of one training run say to each other. Each process is a rank, 0 to size - 1; an operation is
 * called by all ranks in the same order. Everything is synchronous, because a backward pass is.
 *
 * @module
 */

/** Numbers that can be reduced. Views of WebAssembly memory are used in place, without a copy. */
export type Reducible = Float32Array | Float64Array | Int32Array;

/** How values of several ranks become one. */
export type Reduction = "sum" | "max" | "min";

/** An operation that was started. Its values belong to it until it is done. */
export interface Pending {
  /** True if it is done. Asking is also what drives it on. */
  test(): boolean;
  /** Waits until it is done. */
  wait(): void;
}

/** What communication took so far, in this process. */
export interface CommunicationTimes {
  /** Seconds inside of communication calls, waiting included. */
  seconds: number;
  /** Bytes of the values that were handed over. */
  bytes: number;
  /** Operations. */
  calls: number;
}

/**
 * The ranks of a run, or a part of them.
 *
 * Every operation throws a `CommunicationError` if the engine reports a failure or the other ranks do not come within
 * {@linkcode deadlineSeconds}. After that nothing more can be said to them: end the run by {@linkcode abort}.
 */
export interface Communicator {
  /** This process, 0 to size - 1. */
  readonly rank: number;
  /** The number of processes. */
  readonly size: number;
  /** What carries the values: `"one process"`, `"MPICH 4.0.2"`, `"Open MPI 4.1.4"`. */
  readonly engine: string;
  /** What communication took so far; shared with the communicators that {@linkcode split} makes. */
  readonly times: CommunicationTimes;
  /**
   * How long an operation may wait for the other ranks; `Infinity` for as long as it takes, as where one rank writes a
   * checkpoint and the others wait. Default: 25.
   */
  deadlineSeconds: number;

  /** Puts the sum (or the largest, the smallest) of all ranks' values in place of them, in all ranks. */
  allReduce(values: Reducible, operation?: Reduction): void;
  /** Starts {@linkcode allReduce}, by sums. */
  startAllReduce(values: Reducible): Pending;
  /**
   * Sums all ranks' values, and leaves to each rank its part: rank r has the sums of its `counts[r]` values, which come
   * after those of the ranks before it. What the other parts hold afterwards is undefined.
   *
   * @param counts Values for each rank; together they are all values.
   */
  reduceScatter(values: Reducible, counts: readonly number[]): void;
  /** Starts a sum that only the rank `root` gets; elsewhere the values stay as they are. */
  startReduce(values: Reducible, root: number): Pending;
  /**
   * Gives every rank's part to all: rank r brings the `counts[r]` values that come after those of the ranks before it.
   *
   * @param counts Values from each rank; together they are all values.
   */
  allGather(values: Reducible | Uint8Array, counts: readonly number[]): void;
  /** Puts the values of the rank `root` in place of the others'. */
  broadcast(values: Reducible | Uint8Array, root: number): void;
  /** Starts {@linkcode broadcast}. */
  startBroadcast(values: Reducible | Uint8Array, root: number): Pending;
  /** Waits until every rank is here. */
  barrier(): void;
  /**
   * Parts the ranks: those of the same color (0 or more) get a communicator of their own, numbered in the order of
   * their keys.
   */
  split(color: number, key: number): Communicator;
  /** Ends this process and all other ranks, whatever they do. */
  abort(code: number): never;
  /** Says good-bye: all ranks do, at the end of a run that went well. Of a part of the ranks: gives its resources back. */
  close(): void;
}
