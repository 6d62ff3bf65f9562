/**
 * The pieces of words seen before. The trie is too large for the processor's cache; a word here is one line of it.
 *
 * @module
 */

const ENTRIES = 1 << 14; // 1 MB; half as many cost 15 %, twice as many gain nothing (SST-2)
const MAX_UNITS = 16;
const MAX_PIECES = 4;
const PIECES = 2;
const UNITS = 6;

/**
 * A direct-mapped cache. An entry has 16 numbers: length and number of pieces, the ends of the pieces
 * (8 bits each), 4 ids, 8 pairs of code units.
 */
export class WordCache {
  readonly #table = new Int32Array(ENTRIES * 16);

  /** The entry where the word units[begin, end) would be, or -1 if it is too long to be kept. */
  entry(units: Uint16Array, begin: number, end: number): number {
    const length = end - begin;
    if (length > MAX_UNITS) return -1;
    let hash = length;
    for (let i = begin; i < end; i++) hash = Math.imul(hash ^ units[i], 0x9e3779b1);
    return ((hash ^ (hash >>> 15)) & (ENTRIES - 1)) << 4;
  }

  /** The number of pieces of the word, 0 if the entry holds another one. */
  pieces(entry: number, units: Uint16Array, begin: number, end: number): number {
    const table = this.#table;
    if ((table[entry] & 0xff) !== end - begin) return 0;
    for (let i = begin, at = entry + UNITS; i < end; i += 2, at++) {
      if (table[at] !== pack(units, i, end)) return 0;
    }
    return table[entry] >> 8;
  }

  /** The id of a piece. */
  id(entry: number, piece: number): number {
    return this.#table[entry + PIECES + piece];
  }

  /** Where a piece ends, from the begin of the word. */
  end(entry: number, piece: number): number {
    return this.#table[entry + 1] >> (8 * piece) & 0xff;
  }

  /** Keeps a word: `found` has the id and the end of each piece. */
  keep(
    entry: number,
    units: Uint16Array,
    begin: number,
    end: number,
    found: Int32Array,
    count: number,
  ): void {
    if (count > MAX_PIECES) return;
    const table = this.#table;
    table[entry] = end - begin | count << 8;
    table[entry + 1] = 0;
    for (let piece = 0; piece < count; piece++) {
      table[entry + PIECES + piece] = found[2 * piece];
      table[entry + 1] |= (found[2 * piece + 1] - begin) << (8 * piece);
    }
    for (let i = begin, at = entry + UNITS; i < end; i += 2, at++) table[at] = pack(units, i, end);
  }
}

function pack(units: Uint16Array, i: number, end: number): number {
  return i + 1 < end ? units[i] | units[i + 1] << 16 : units[i];
}
