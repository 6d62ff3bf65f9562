/**
 * A priority queue of pairs of pieces: the most frequent first; of equally frequent ones that with the smaller ids.
 *
 * @module
 */

/** Words in which a pair is to be merged. */
export interface QueuedPair {
  /** Number of the pair. */
  readonly pair: number;
  /** Id of the left piece. */
  readonly left: number;
  /** Id of the right piece. */
  readonly right: number;
  /** How often the pair came when it was put in. */
  count: number;
  /** The words, each once. */
  readonly words: readonly number[];
}

/** A binary heap. */
export class PairQueue {
  readonly #heap: QueuedPair[] = [];

  /** Puts a pair in. */
  push(entry: QueuedPair): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!goesFirst(entry, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  /** Takes the first pair out; undefined if there is none. */
  pop(): QueuedPair | undefined {
    const heap = this.#heap, first = heap[0], last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && goesFirst(heap[child + 1], heap[child])) child++;
      if (!goesFirst(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function goesFirst(a: QueuedPair, b: QueuedPair): boolean {
  return a.count !== b.count ? a.count > b.count : a.left !== b.left ? a.left < b.left : a.right < b.right;
}
