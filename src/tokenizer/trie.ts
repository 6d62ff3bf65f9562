/**
 * A trie over UTF-16 code units whose edges lie in one open-addressing hash table, so that a lookup
 * touches one 16-byte entry a character and never makes a substring.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";

const MAX_EDGES = 8e6; // 256 MB of table; a vocabulary of 500,000 tokens has 2 million
const MAX_PROBES = 4096; // only a file that is made to collide gets there
const REFUSED = "Cannot index the vocabulary: it is too large, or its tokens collide";
const UNIT = 1;
const CHILD = 2;
const VALUE = 3;
const ROOTS = 2;

/** Two sets of strings, each below a root node of its own (0 and 1), with a number for each string. */
export class Trie {
  // Entries of four: parent node, code unit, child node (0 = free), value of the child or -1.
  #table = new Int32Array(4 << 10);
  #mask = (1 << 10) - 1; // slots, a power of two, less one
  #nodes = ROOTS;

  /** Adds `text` below `root`; a second value for the same text is ignored. */
  add(text: string, value: number, root = 0): void {
    let slot = 0;
    for (let i = 0, node = root; i < text.length; i++) {
      if (2 * this.#nodes > this.#mask) this.#grow();
      slot = this.#find(node, text.charCodeAt(i));
      if (this.#table[slot + CHILD] === 0) {
        this.#table[slot] = node;
        this.#table[slot + UNIT] = text.charCodeAt(i);
        this.#table[slot + CHILD] = this.#nodes++;
        this.#table[slot + VALUE] = -1;
      }
      node = this.#table[slot + CHILD];
    }
    if (text !== "" && this.#table[slot + VALUE] < 0) this.#table[slot + VALUE] = value;
  }

  /**
   * The longest string that begins at `begin`, as [end, value], or `null`.
   *
   * @param unitAt gives the code units of the text.
   */
  longest(
    unitAt: (i: number) => number,
    begin: number,
    end: number,
    root = 0,
  ): [end: number, value: number] | null {
    let best: [number, number] | null = null;
    for (let i = begin, node = root; i < end; i++) {
      const slot = this.#find(node, unitAt(i));
      node = this.#table[slot + CHILD];
      if (node === 0) break;
      if (this.#table[slot + VALUE] >= 0) best = [i + 1, this.#table[slot + VALUE]];
    }
    return best;
  }

  // The offset in the table of an edge, or of the free slot where it would be.
  #find(node: number, unit: number): number {
    const table = this.#table;
    let hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const slot = (hash + probe & this.#mask) << 2;
      if (table[slot + CHILD] === 0 || table[slot] === node && table[slot + UNIT] === unit) return slot;
    }
    throw new TokenizerError(REFUSED);
  }

  #grow(): void {
    if (this.#nodes > MAX_EDGES) throw new TokenizerError(REFUSED);
    const old = this.#table;
    this.#table = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let i = 0; i < old.length; i += 4) {
      if (old[i + CHILD] === 0) continue;
      const slot = this.#find(old[i], old[i + UNIT]);
      for (let k = 0; k < 4; k++) this.#table[slot + k] = old[i + k];
    }
  }
}
