/**
 * WordPiece: split words greedily into the longest pieces that the vocabulary has
 * (https://research.google/pubs/japanese-and-korean-voice-search/).
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import type { TokenBuffer } from "./token_buffer.ts";
import { Trie } from "./trie.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { WordCache } from "./word_cache.ts";
import { WordSplitter } from "./word_splitter.ts";

/** How the model cuts words. */
export interface WordPieceOptions {
  /** Marks pieces that do not begin a word. */
  readonly continuing_subword_prefix: string;
  /** Longer words (in code points) become the unknown token. */
  readonly max_input_chars_per_word: number;
}

/** Cuts the words of normalized units into pieces. */
export class WordPiece extends WordSplitter<TokenBuffer> {
  readonly #trie = new Trie(); // root 0: begin of a word, root 1: continuation
  readonly #unk: number | undefined;
  readonly #unkToken: string;
  readonly #maxChars: number;
  readonly #cache = new WordCache();
  readonly #found: Int32Array; // id of each piece of a word, and where it ends in the word

  constructor(vocabulary: Vocabulary, options: WordPieceOptions, unkToken: string) {
    super();
    const prefix = options.continuing_subword_prefix;
    const longest = 2 * options.max_input_chars_per_word;
    this.#unkToken = unkToken;
    this.#unk = vocabulary.ids.get(unkToken);
    this.#maxChars = options.max_input_chars_per_word;
    this.#found = new Int32Array(4 * this.#maxChars + 2);
    for (const [token, id] of vocabulary.ids) {
      if (token.length <= longest) this.#trie.add(token, id, 0);
      if (token.startsWith(prefix) && token.length - prefix.length <= longest) {
        this.#trie.add(token.slice(prefix.length), id, 1);
      }
    }
  }

  // Appends the pieces of units[begin, end).
  protected override word(
    units: Uint16Array,
    begin: number,
    end: number,
    chars: number,
    hash: number,
    out: TokenBuffer,
  ): void {
    const entry = this.#cache.entry(hash, end - begin);
    let count = entry < 0 ? 0 : this.#cache.load(entry, units, begin, end, this.#found);
    if (count === 0) {
      count = this.#cut(units, begin, end, chars);
      if (entry >= 0) this.#cache.keep(entry, units, begin, end, this.#found, count);
    }
    out.reserve(count);
    for (let k = 0, at = begin; k < count; k++) {
      const stop = begin + this.#found[2 * k + 1];
      out.push(this.#found[2 * k], at, stop);
      at = stop;
    }
    out.word++;
  }

  // Cuts units[begin, end) into pieces; returns how many.
  #cut(units: Uint16Array, begin: number, end: number, chars: number): number {
    const unitAt = (i: number): number => units[i];
    let count = 0;
    let at = chars > this.#maxChars ? end + 1 : begin;
    while (at < end) {
      const piece = this.#trie.longest(unitAt, at, end, at === begin ? 0 : 1);
      if (!piece) break;
      at = piece[0];
      this.#found[2 * count] = piece[1];
      this.#found[2 * count++ + 1] = at - begin;
    }
    if (at === end) return count;
    if (this.#unk === undefined) {
      throw new TokenizerError(
        `Cannot encode an unknown word: the vocabulary has no ${JSON.stringify(this.#unkToken)}`,
      );
    }
    this.#found[0] = this.#unk;
    this.#found[1] = end - begin;
    return 1;
  }
}
