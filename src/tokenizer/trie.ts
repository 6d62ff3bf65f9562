/**
 * A trie over UTF-16 code units whose edges lie in one open-addressing hash table, so that a lookup
 * touches one 16-byte entry a character and never makes a substring.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";

const MAX_EDGES = 1 << 23; // 256 MB of table; a vocabulary of 500,000 tokens has 2 million
const MAX_PROBES = 4096; // only a file made to collide gets there

/** The slot where the search for an edge begins; the caller masks it. */
export function edgeHash(node: number, unit: number): number {
  const mixed = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** Strings with a number each; nodes are numbered from 0 (the first root). */
export class Trie {
  /** Entries of four: parent node, code unit, child node (0 = free), value of the child or -1. */
  table: Int32Array = new Int32Array(4 << 10);
  /** Number of slots less one; slots are a power of two. */
  mask = (1 << 10) - 1;
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
      const last = i === text.length - 1;
      let slot = this.find(node, text.charCodeAt(i));
      if (this.table[slot + 2] === 0) {
        if (2 * ++this.#edges > this.mask) {
          this.#grow();
          slot = this.find(node, text.charCodeAt(i));
        }
        this.table[slot] = node;
        this.table[slot + 1] = text.charCodeAt(i);
        this.table[slot + 2] = this.#nodes++;
        this.table[slot + 3] = -1;
      }
      if (last && this.table[slot + 3] < 0) this.table[slot + 3] = value;
      node = this.table[slot + 2];
    }
  }

  /** The offset in `table` of an edge, or of the free slot where it would be. */
  find(node: number, unit: number): number {
    let slot = (edgeHash(node, unit) & this.mask) << 2;
    for (let probes = 0; this.table[slot + 2] !== 0; probes++) {
      if (this.table[slot] === node && this.table[slot + 1] === unit) break;
      if (probes > MAX_PROBES) throw new TokenizerError("Cannot index the vocabulary: its tokens collide");
      slot = (slot + 4) & ((this.mask << 2) | 3);
    }
    return slot;
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

  #grow(): void {
    if (this.#edges > MAX_EDGES) {
      throw new TokenizerError(`Cannot index the vocabulary: more than ${MAX_EDGES} distinct prefixes`);
    }
    const old = this.table;
    this.table = new Int32Array(old.length * 2);
    this.mask = this.mask * 2 + 1;
    for (let i = 0; i < old.length; i += 4) {
      if (old[i + 2] === 0) continue;
      const slot = this.find(old[i], old[i + 1]);
      for (let k = 0; k < 4; k++) this.table[slot + k] = old[i + k];
    }
  }
}
