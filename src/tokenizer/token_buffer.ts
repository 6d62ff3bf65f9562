/**
 * Tokens of one text while it is encoded, and the compact form that stays.
 *
 * @module
 */

/** Tokens of one sequence: a part of a block that several sequences share. */
export interface TokenSequence {
  /** Four numbers a token: id, start and end in the text (UTF-16 units), word. */
  readonly rows: Int32Array;
  /** Where the sequence begins in `rows`. */
  readonly base: number;
  /** Number of tokens. */
  readonly size: number;
  /** Text of the added tokens whose match differs from their content, by token index. */
  readonly texts: ReadonlyMap<number, string> | null;
}

const BLOCK = 1 << 14; // 64 kB: allocation costs little, and one sequence keeps no more alive

/** Collects tokens. Positions come in as units of the normalized text and go out as positions in `text`. */
export class TokenBuffer {
  /** Number of tokens so far. */
  size = 0;
  /** Number of the word that the next token belongs to. */
  word = 0;
  #rows = new Int32Array(BLOCK);
  #base = 0;
  #texts: Map<number, string> | null = null;
  #text = "";
  #starts: Int32Array = new Int32Array(0);
  #wide = false; // whether the text has surrogate pairs

  /** Ends the sequence and returns it. */
  take(): TokenSequence {
    const sequence = { rows: this.#rows, base: this.#base, size: this.size, texts: this.#texts };
    this.#base += 4 * this.size;
    this.size = this.word = 0;
    this.#texts = null;
    this.#text = "";
    return sequence;
  }

  /** Sets the text, and the position in it of every normalized unit, for the pushes that follow. */
  locate(text: string, { starts, wide }: { starts: Int32Array; wide: boolean }): void {
    this.#text = text;
    this.#starts = starts;
    this.#wide = wide;
  }

  /** Makes room for `count` more tokens. */
  reserve(count: number): void {
    const wanted = 4 * (this.size + count);
    if (this.#base + wanted <= this.#rows.length) return;
    const rows = new Int32Array(wanted > BLOCK / 4 ? 2 * wanted : BLOCK);
    rows.set(this.#rows.subarray(this.#base, this.#base + 4 * this.size));
    this.#rows = rows;
    this.#base = 0;
  }

  /** Appends the token of the normalized units [begin, end); there must be room for it. */
  push(id: number, begin: number, end: number): void {
    this.#put(id, this.#starts[begin], this.endOf(end - 1));
  }

  /** Where the source character of a normalized unit starts in the text. */
  startOf(unit: number): number {
    return this.#starts[unit];
  }

  /** Where the source character of a normalized unit ends in the text. */
  endOf(unit: number): number {
    const start = this.#starts[unit];
    const pair = this.#wide && (this.#text.charCodeAt(start) & 0xfc00) === 0xd800 &&
      (this.#text.charCodeAt(start + 1) & 0xfc00) === 0xdc00;
    return pair ? start + 2 : start + 1;
  }

  /** Appends an added token: a word from `start` to `end` of the text; `match` if it differs from the content. */
  pushAdded(id: number, start: number, end: number, match: string | null): void {
    this.reserve(1);
    if (match !== null) (this.#texts ??= new Map()).set(this.size, match);
    this.#put(id, start, end);
    this.word++;
  }

  /** Makes all tokens from index `first` on part of one word. */
  joinWords(first: number, word: number): void {
    for (let i = first; i < this.size; i++) this.#rows[this.#base + 4 * i + 3] = word;
  }

  #put(id: number, start: number, end: number): void {
    const row = this.#base + 4 * this.size++;
    this.#rows[row] = id;
    this.#rows[row + 1] = start;
    this.#rows[row + 2] = end;
    this.#rows[row + 3] = this.word;
  }
}
