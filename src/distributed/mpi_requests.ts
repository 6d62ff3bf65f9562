/**
 * Operations that are under way: MPI's requests, the waiting for them, and its end if the other ranks do not come.
 *
 * @module
 */
import { CommunicationError } from "../errors.ts";
import { addressOf } from "../runtime/native.ts";
import type { Communicator, Pending } from "./communicator.ts";
import type { MpiLibrary } from "./mpi_library.ts";

/** After so long a wait the process naps between its looks: another rank writes a checkpoint, say. */
const PATIENT_MS = 1000, NAP_MS = 0.1;
/** A look that comes later than this after the one before: the process itself was stopped, not the others. */
const LONGEST_LOOK_MS = 100;

/** Starts one of MPI's non-blocking operations, whose request goes to that address; gives MPI's error code. */
export type Start = (request: number) => number;

/** The requests of one communicator. */
export class Requests {
  /** MPI's answer to "is it done?". */
  #isDone = new Int32Array(1);
  #isDoneAddress = addressOf(this.#isDone);
  #neverWritten = new Int32Array(new SharedArrayBuffer(4));

  constructor(
    readonly library: MpiLibrary,
    readonly owner: Pick<Communicator, "rank" | "size" | "engine" | "times" | "deadlineSeconds">,
  ) {}

  /**
   * Starts an operation of one or several parts.
   *
   * @param bytes The length of its values.
   * @param kept What has to stay in memory until it is done.
   */
  start(name: string, bytes: number, starts: readonly Start[], kept: readonly unknown[]): Pending {
    const { times } = this.owner, requests = new BigInt64Array(starts.length), address = addressOf(requests);
    times.calls++;
    times.bytes += bytes;
    this.#timed(() =>
      starts.forEach((start, i) => this.check(name, start(address + i * requests.BYTES_PER_ELEMENT)))
    );
    let done = 0; // parts, from the front
    const test = () => {
      while (done < starts.length && this.#test(name, address + done * requests.BYTES_PER_ELEMENT)) done++;
      return done === starts.length;
    };
    return {
      test: () => done === starts.length || this.#timed(test),
      wait: () => {
        if (done < starts.length) this.#timed(() => this.#wait(name, test));
        void [requests, kept]; // in memory for as long as this function is
      },
    };
  }

  #test(name: string, request: number): boolean {
    const { functions, constants } = this.library;
    this.check(name, functions.MPI_Test(request, this.#isDoneAddress, constants.ignoreStatus));
    return this.#isDone[0] !== 0;
  }

  #wait(name: string, test: () => boolean): void {
    const { sched_yield } = this.library.functions, { rank, size, deadlineSeconds } = this.owner;
    // the ranks give up one after the other: the first one ends the others, and only its message is seen
    const deadlineMs = deadlineSeconds * 1000 * (1 + 0.1 * rank / size);
    for (let waitedMs = 0, lookedMs = performance.now(); !test();) {
      sched_yield();
      if (waitedMs > PATIENT_MS) Atomics.wait(this.#neverWritten, 0, 0, NAP_MS);
      if (waitedMs > deadlineMs) this.#giveUp(name, waitedMs);
      const nowMs = performance.now();
      waitedMs += Math.min(nowMs - lookedMs, LONGEST_LOOK_MS);
      lookedMs = nowMs;
    }
  }

  #giveUp(name: string, waitedMs: number): never {
    const { rank, size, engine } = this.owner;
    throw new CommunicationError(
      `Cannot go on as rank ${rank} of ${size}: ${name} has waited for ${Math.round(waitedMs / 1000)} s ` +
        `(${engine}); another rank has stopped, or is slower than the deadline of ${this.owner.deadlineSeconds} s`,
    );
  }

  /** @throws {CommunicationError} with MPI's words if the code is no success. */
  check(name: string, code: number): void {
    if (code === 0) return;
    const text = new Uint8Array(512), length = new Int32Array(1);
    this.library.functions.MPI_Error_string(code, addressOf(text), addressOf(length));
    const words = new TextDecoder().decode(text.subarray(0, length[0])).trim();
    const { rank, size, engine } = this.owner;
    throw new CommunicationError(
      `Cannot go on as rank ${rank} of ${size}: ${name} failed (${engine}: ${words})`,
    );
  }

  #timed<T>(work: () => T): T {
    const beginMs = performance.now();
    try {
      return work();
    } finally {
      this.owner.times.seconds += (performance.now() - beginMs) / 1000;
    }
  }
}
