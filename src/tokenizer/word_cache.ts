/**
 * The pieces of words seen before. The trie is too large for the processor's cache; a word here is one line of it.
 *
 * @module
 */

const ENTRIES = 1 << 14; // 1 MB; half as many cost 15 %, twice as many gain nothing (SST-2)
const MAX_UNITS = 14;
const MAX_PIECES = 4;
const UNITS = 9;

/**
 * A direct-mapped cache. An entry has 16 numbers: length and number of pieces, id and end of each of 4 pieces,
 * 7 pairs of code units.
 */
export class WordCache {
  readonly #table = new Int32Array(ENTRIES * 16);

  /** The entry for a word with that hash and number of units, or -1 if it is too long to be kept. */
  entry(hash: number, length: number): number {
    return length > MAX_UNITS ? -1 : ((hash ^ (hash >>> 15)) & (ENTRIES - 1)) << 4;
  }

  /** Copies id and end of each piece of units[begin, end) to `found`; returns how many, 0 for another word. */
  load(entry: number, units: Uint16Array, begin: number, end: number, found: Int32Array): number {
    const table = this.#table;
    if ((table[entry] & 0xff) !== end - begin) return 0;
    for (let i = begin, at = entry + UNITS; i < end; i += 2, at++) {
      if (table[at] !== pair(units, i, end)) return 0;
    }
    const count = table[entry] >> 8;
    for (let k = 0; k < 2 * count; k++) found[k] = table[entry + 1 + k];
    return count;
  }

  /** Keeps the pieces of units[begin, end). */
  keep(
    entry: number,
    units: Uint16Array,
    begin: number,
    end: number,
    found: Int32Array,
    count: number,
  ): void {
    const table = this.#table;
    if (count > MAX_PIECES) return;
    table[entry] = end - begin | count << 8;
    for (let k = 0; k < 2 * count; k++) table[entry + 1 + k] = found[k];
    for (let i = begin, at = entry + UNITS; i < end; i += 2, at++) table[at] = pair(units, i, end);
  }
}

function pair(units: Uint16Array, i: number, end: number): number {
  return i + 1 < end ? units[i] | units[i + 1] << 16 : units[i];
}
