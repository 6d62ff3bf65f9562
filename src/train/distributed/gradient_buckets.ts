/**
 * Sums of gradients over ranks that go on while the backward pass does: as soon as all gradients of a bucket are whole,
 * its sum is started, in place. What is left when the pass has ended is waited for
 * (Li et al., PyTorch Distributed, https://arxiv.org/abs/2006.15704).
 *
 * @module
 */
import type { Pending } from "../../distributed/communicator.ts";
import type { FlatGradients } from "./flat_gradients.ts";
import type { GradientSum } from "./gradient_sum.ts";
import type { Ranks } from "./ranks.ts";
import type { Shards } from "./shards.ts";
import { StepRows } from "./step_rows.ts";

/** Floats of a bucket at least: 4 MB. */
const BUCKET_FLOATS = 1 << 20;

/** A range of the block. */
interface Bucket {
  begin: number;
  end: number;
  /** Writes of its gradients that a backward pass makes. */
  writes: number;
}

/** Sums gradients over ranks, bucket by bucket. */
export class GradientBuckets implements GradientSum {
  readonly #gradients: FlatGradients;
  readonly #rows: StepRows;
  readonly #buckets: readonly Bucket[];
  readonly #bucketOf = new Map<number, number>();
  #block = 0;
  /** True if this rank has run a backward pass in this step. */
  #hasPass = false;
  /** Of each bucket: writes that are to come before it is whole. */
  #missing: number[] = [];
  #started = 0;
  #pending: Pending[] = [];
  #startedAt = 0;

  /** @param shards Whose each range is; only these ranks get its sums then. */
  constructor(gradients: FlatGradients, readonly ranks: Ranks, readonly shards?: Shards) {
    this.#gradients = gradients;
    this.#rows = new StepRows(gradients, ranks.communicator);
    this.#buckets = this.#cut();
  }

  begin(): void {
    if (this.#block === 0) this.#gradients.place(this.#block = this.#gradients.allocate());
    this.#rows.begin();
    this.#missing = this.#buckets.map(({ writes }) => writes);
    this.#started = 0;
    this.#hasPass = false;
  }

  add(backward: (() => void) | undefined, isLast: boolean): void {
    if (!backward) return;
    this.#hasPass = true;
    if (isLast) this.#listen();
    try {
      backward();
    } finally {
      for (const { parameter } of this.#gradients.places) parameter.onGradient = undefined;
    }
  }

  finish(): void {
    const begin = performance.now();
    if (!this.#hasPass) this.#gradients.zero(this.#block, this.#gradients.denseSize);
    while (this.#started < this.#buckets.length) this.#start();
    this.#rows.unite();
    this.#rows.handOver(this.#block, (values) => this.ranks.communicator.allReduce(values));
    for (const pending of this.#pending) pending.wait();
    this.#pending = [];
    this.#rows.end();
    this.#gradients.take();
    const end = performance.now();
    this.ranks.overlap.waited += (end - begin) / 1000;
    this.ranks.overlap.underWay += (end - this.#startedAt) / 1000;
  }

  cancel(): void {
    this.#rows.cancel();
  }

  dispose(): void {
    this.#gradients.release();
    this.#gradients.runtime.heap.free(this.#block);
    this.#rows.dispose();
    this.#block = 0;
  }

  /** Starts each bucket when its last gradient is written. */
  #listen(): void {
    this.#gradients.dense.forEach(({ parameter, writes }, i) => {
      const bucket = this.#bucketOf.get(i)!;
      let left = writes;
      parameter.onGradient = () => {
        if (left-- > 0) this.#missing[bucket]--;
        // Buckets are started in one order on all ranks.
        while (this.#started < this.#buckets.length && this.#missing[this.#started] === 0) this.#start();
        this.#drive();
      };
    });
  }

  #start(): void {
    const { begin, end } = this.#buckets[this.#started++], { heap } = this.#gradients.runtime;
    if (this.#started === 1) this.#startedAt = performance.now();
    const floats = (from: number, to: number) => heap.floats(this.#block + from * 4, to - from);
    const { communicator } = this.ranks;
    this.#pending.push(
      ...this.shards?.segments(begin, end).map((part) =>
        communicator.startReduce(floats(part.begin, part.end), part.owner)
      ) ?? [communicator.startAllReduce(floats(begin, end))],
    );
  }

  #drive(): void {
    while (this.#pending.length > 0 && this.#pending[0].test()) this.#pending.shift();
  }

  /** Cuts the dense part into buckets. */
  #cut(): Bucket[] {
    const { dense, denseSize } = this.#gradients, buckets: Bucket[] = [];
    let current: Bucket | undefined;
    dense.forEach(({ at, writes }, i) => {
      const end = dense[i + 1]?.at ?? denseSize;
      if (!current) buckets.push(current = { begin: at, end: at, writes: 0 });
      this.#bucketOf.set(i, buckets.length - 1);
      current.writes += writes;
      current.end = end;
      if (end - current.begin >= BUCKET_FLOATS) current = undefined;
    });
    return buckets;
  }
}
