/**
 * Byte-pair merging for a WordPiece vocabulary: the most frequent pair of neighbouring pieces becomes a piece, again
 * and again (https://arxiv.org/abs/1508.07909), with the counting rules of huggingface/tokenizers' BpeTrainer. Only the
 * words that hold the pair are touched.
 *
 * @module
 */

import { PairQueue } from "./pair_queue.ts";
import type { WordCounts } from "./word_counts.ts";

/** How pieces are merged. */
export interface MergeOptions {
  /** Stop at so many pieces. */
  readonly vocab_size: number;
  /** Merge no pair that is rarer. */
  readonly min_frequency: number;
  /** Marks pieces that do not begin a word. */
  readonly continuing_subword_prefix: string;
  /** Told the number of pieces after every merge. */
  readonly report: (pieces: number) => void;
}

const KEY = 0x4000000; // ids stay below it, so that two of them make one exact number

/** The words as ids of pieces, in one array that merging shortens in place. */
interface PieceWords {
  readonly ids: Int32Array;
  readonly begins: Int32Array;
  readonly ends: Int32Array;
}

/** How often each pair of pieces comes, and the words in which pairs came up since they were last taken. */
class PairCounts {
  readonly counts: number[] = [];
  readonly #numbers = new Map<number, number>();
  readonly #keys: number[] = [];
  #fresh = new Map<number, number[]>();

  /** Changes the count of a pair in a word. */
  add(left: number, right: number, change: number, word: number): void {
    const key = left * KEY + right;
    let pair = this.#numbers.get(key);
    if (pair === undefined) {
      this.#numbers.set(key, pair = this.#keys.push(key) - 1);
      this.counts.push(0);
    }
    this.counts[pair] += change;
    if (change < 0) return;
    const words = this.#fresh.get(pair);
    if (!words) this.#fresh.set(pair, [word]);
    else if (words[words.length - 1] !== word) words.push(word);
  }

  /** Moves the pairs that came up into the queue. */
  enqueue(queue: PairQueue): void {
    for (const [pair, words] of this.#fresh) {
      const count = this.counts[pair], key = this.#keys[pair];
      if (count > 0) queue.push({ pair, left: Math.floor(key / KEY), right: key % KEY, count, words });
    }
    this.#fresh = new Map();
  }
}

/**
 * Adds merged pieces to the first ones.
 *
 * @param words The words of the texts.
 * @param first The pieces to begin with, in the order of their ids: special tokens, characters, and characters behind
 * the prefix. Characters that are not there are left out of words.
 * @returns all pieces in the order of their ids.
 */
export function mergePieces(words: WordCounts, first: readonly string[], options: MergeOptions): string[] {
  const { vocab_size, min_frequency, continuing_subword_prefix: prefix } = options;
  const pieces = [...first], idOf = new Map(pieces.map((piece, id) => [piece, id]));
  const cut = cutWords(words, idOf, prefix), pairs = countPairs(cut, words), queue = new PairQueue();
  pairs.enqueue(queue);
  while (pieces.length < vocab_size) {
    const top = queue.pop();
    if (!top) break;
    const count = pairs.counts[top.pair];
    if (top.count !== count) { // other merges took some away
      top.count = count;
      queue.push(top);
      continue;
    }
    if (count < Math.max(min_frequency, 1)) break;
    const right = pieces[top.right];
    const piece = pieces[top.left] + (right.startsWith(prefix) ? right.slice(prefix.length) : right);
    let id = idOf.get(piece);
    if (id === undefined) idOf.set(piece, id = pieces.push(piece) - 1);
    for (const word of top.words) mergeWord(cut, word, words.count(word), top.left, top.right, id, pairs);
    pairs.enqueue(queue);
    options.report(pieces.length);
  }
  return pieces;
}

function cutWords(words: WordCounts, idOf: ReadonlyMap<string, number>, prefix: string): PieceWords {
  const begins = new Int32Array(words.size), ends = new Int32Array(words.size);
  const plain = new Map<number, number>(), continuing = new Map<number, number>();
  const idsOf = (chars: readonly number[]): number[] =>
    chars.map((char, i) => {
      const known = i === 0 ? plain : continuing;
      let id = known.get(char);
      if (id === undefined) {
        const text = String.fromCodePoint(char);
        id = idOf.has(text) ? idOf.get(i === 0 ? text : prefix + text)! : -1;
        known.set(char, id);
      }
      return id;
    }).filter((id) => id >= 0);
  let ids = new Int32Array(1 << 12), length = 0;
  for (let word = 0; word < words.size; word++) {
    const own = idsOf(words.chars(word));
    if (length + own.length > ids.length) {
      const larger = new Int32Array(2 * (length + own.length));
      larger.set(ids);
      ids = larger;
    }
    ids.set(own, length);
    begins[word] = length;
    ends[word] = length += own.length;
  }
  return { ids, begins, ends };
}

function countPairs({ ids, begins, ends }: PieceWords, words: WordCounts): PairCounts {
  const pairs = new PairCounts();
  for (let word = 0; word < begins.length; word++) {
    for (let i = begins[word] + 1; i < ends[word]; i++) {
      pairs.add(ids[i - 1], ids[i], words.count(word), word);
    }
  }
  return pairs;
}

/** Merges a pair in a word from left to right, and counts what changes around it. */
function mergeWord(
  { ids, begins, ends }: PieceWords,
  word: number,
  count: number,
  left: number,
  right: number,
  merged: number,
  pairs: PairCounts,
): void {
  const begin = begins[word], end = ends[word];
  let to = begin;
  for (let from = begin; from < end; from++) {
    if (ids[from] !== left || from + 1 === end || ids[from + 1] !== right) {
      ids[to++] = ids[from];
      continue;
    }
    from++;
    if (to > begin) {
      pairs.add(ids[to - 1], left, -count, word);
      pairs.add(ids[to - 1], merged, count, word);
    }
    if (from + 1 < end) {
      pairs.add(right, ids[from + 1], -count, word);
      pairs.add(merged, ids[from + 1], count, word);
    }
    ids[to++] = merged;
  }
  ends[word] = to;
}
