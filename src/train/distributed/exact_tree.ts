/**
 * Sums of gradients with the same bits for any number of ranks: each micro-batch's gradient alone, then sums of pairs in
 * one fixed binary tree over a step's micro-batches, whose upper levels are the ranks. a + b has the same bits as b + a,
 * so it does not matter how the engine adds the two.
 *
 * @module
 */
import type { Communicator } from "../../distributed/communicator.ts";
import type { FlatGradients } from "./flat_gradients.ts";
import type { GradientSum } from "./gradient_sum.ts";
import { StepRows } from "./step_rows.ts";

/** Sums gradients in a binary tree. */
export class ExactTree implements GradientSum {
  readonly #gradients: FlatGradients;
  readonly #rows: StepRows;
  /** After each of this rank's micro-batches: the sums of the tree that are complete then. */
  readonly #sums: readonly number[];
  /** This rank and its partner, from the lowest level of the ranks up. */
  readonly #pairs: readonly Communicator[];
  /** The block in which gradients are computed. */
  #block = 0;
  /** Partial sums, the lowest of the tree last. */
  #waiting: number[] = [];
  #free: number[] = [];
  #added = 0;

  /** @param count Micro-batches of a step on this rank. */
  constructor(gradients: FlatGradients, readonly communicator: Communicator, count: number) {
    this.#gradients = gradients;
    this.#rows = new StepRows(gradients, communicator);
    this.#sums = completeSums(count);
    this.#pairs = pairsOf(communicator);
  }

  begin(): void {
    if (this.#block === 0) this.#gradients.place(this.#block = this.#gradients.allocate());
    this.#rows.begin();
    this.#added = 0;
  }

  add(backward: (() => void) | undefined): void {
    const gradients = this.#gradients;
    if (backward) backward();
    else gradients.zero(this.#block, gradients.denseSize);
    for (let sums = this.#sums[this.#added++]; sums > 0; sums--) this.#addInto(this.#waiting.pop()!);
    if (this.#added === this.#sums.length) return;
    this.#waiting.push(this.#block);
    gradients.place(this.#block = this.#free.pop() ?? gradients.allocate());
  }

  finish(): void {
    const { runtime, denseSize } = this.#gradients;
    this.#rows.unite();
    if (this.#pairs.length > 0) {
      for (const pair of this.#pairs) pair.deadlineSeconds = this.communicator.deadlineSeconds;
      const reduce = (values: Float32Array) => this.#pairs.forEach((pair) => pair.allReduce(values));
      reduce(runtime.heap.floats(this.#block, denseSize));
      this.#rows.handOver(this.#block, reduce);
    }
    this.#rows.end();
    this.#gradients.take();
  }

  cancel(): void {
    const { tables, size, denseSize } = this.#gradients;
    if (tables.length > 0) {
      for (const block of this.#waiting) this.#gradients.zero(block + denseSize * 4, size - denseSize);
    }
    this.#free.push(...this.#waiting);
    this.#waiting = [];
    this.#rows.cancel();
  }

  dispose(): void {
    const { heap } = this.#gradients.runtime;
    this.#gradients.release();
    for (const block of [this.#block, ...this.#waiting, ...this.#free]) heap.free(block);
    this.#rows.dispose();
    this.#block = 0;
    this.#waiting = this.#free = [];
  }

  /** Adds another block to the one that is worked in; the other is free then. */
  #addInto(other: number): void {
    const { runtime: { pool }, denseSize } = this.#gradients, block = this.#block;
    pool.run("add", Math.ceil(denseSize / 1024), 16, block, block, other, denseSize);
    this.#rows.addInto(block, other);
    this.#free.push(other);
  }
}

/** Blocks of gradients that a tree over `count` leaves takes at once. */
export function blocksOfTree(count: number): number {
  let waiting = 0, most = 1;
  for (const sums of completeSums(count)) {
    most = Math.max(most, waiting + 1);
    waiting += 1 - sums;
  }
  return most;
}

/** Of a tree over `count` leaves, halved again and again: how many of its sums end with each leaf. */
export function completeSums(count: number): number[] {
  const sums = new Array<number>(count).fill(0);
  const visit = (begin: number, end: number) => {
    if (end - begin < 2) return;
    const middle = begin + ((end - begin) >> 1);
    visit(begin, middle);
    visit(middle, end);
    sums[end - 1]++;
  };
  visit(0, count);
  return sums;
}

/**
 * This rank with its partner of each level.
 *
 * @throws {RangeError} if the number of ranks is no power of two.
 */
function pairsOf(communicator: Communicator): Communicator[] {
  const { rank, size } = communicator, pairs: Communicator[] = [];
  if ((size & size - 1) !== 0) {
    throw new RangeError(
      `Cannot train with exact on ${size} ranks: 1, 2, 4, 8 or another power of two is wanted`,
    );
  }
  for (let step = 1; step < size; step *= 2) pairs.push(communicator.split(rank & ~step, rank));
  return pairs;
}
