/**
 * A trie over UTF-16 code units whose edges lie in one open-addressing hash table, so that a lookup
 * touches one 16-byte entry a character and never makes a substring.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";

const MAX_EDGES = 1 << 23; // 256 MB of table; a vocabulary of 500,000 tokens has 2 million

/** Strings with a number each; nodes are numbered from 0 (the first root). */
export class Trie {
  /** Entries of four: parent node, code unit, child node (0 = free), value of the child or -1. */
  table: Int32Array = new Int32Array(4 << 10);
  #mask = (1 << 10) - 1; // slots, a power of two, less one
  #nodes: number;
  #edges = 0;

  /** @param roots number of root nodes: 0 to `roots - 1` are separate tries in one table. */
  constructor(roots = 1) {
    this.#nodes = roots;
  }

  /** Adds `text` below `root`; a second value for the same text is ignored. */
  add(text: string, value: number, root = 0): void {
    let node = root;
    for (let i = 0; i < text.length; i++) {
      if (2 * this.#edges > this.#mask) this.#grow();
      const slot = this.find(node, text.charCodeAt(i));
      if (this.table[slot + 2] === 0) {
        this.#edges++;
        this.#put(slot, node, text.charCodeAt(i), this.#nodes++, -1);
      }
      if (i === text.length - 1 && this.table[slot + 3] < 0) this.table[slot + 3] = value;
      node = this.table[slot + 2];
    }
  }

  /** The offset in `table` of an edge, or of the free slot where it would be. */
  find(node: number, unit: number): number {
    const { table } = this;
    const hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
    for (let probe = hash ^ (hash >>> 15);; probe++) {
      const slot = (probe & this.#mask) << 2;
      if (table[slot + 2] === 0 || table[slot] === node && table[slot + 1] === unit) return slot;
    }
  }

  /** The longest entry that `text` holds at `begin`, as [end, value], or `null`. */
  longest(text: string, begin: number): [end: number, value: number] | null {
    let best: [number, number] | null = null;
    for (let i = begin, node = 0; i < text.length; i++) {
      const slot = this.find(node, text.charCodeAt(i));
      if (this.table[slot + 2] === 0) break;
      if (this.table[slot + 3] >= 0) best = [i + 1, this.table[slot + 3]];
      node = this.table[slot + 2];
    }
    return best;
  }

  #put(slot: number, node: number, unit: number, child: number, value: number): void {
    this.table[slot] = node;
    this.table[slot + 1] = unit;
    this.table[slot + 2] = child;
    this.table[slot + 3] = value;
  }

  #grow(): void {
    if (this.#edges > MAX_EDGES) throw new TokenizerError("Cannot index the vocabulary: it is too large");
    const old = this.table;
    this.table = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let i = 0; i < old.length; i += 4) {
      if (old[i + 2] !== 0) {
        this.#put(this.find(old[i], old[i + 1]), old[i], old[i + 1], old[i + 2], old[i + 3]);
      }
    }
  }
}
