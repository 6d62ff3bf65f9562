/**
 * Added tokens: special tokens and words that callers put on top of the vocabulary. They are found in the
 * text before (or, if `normalized`, after) normalization and kept whole.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { check } from "./check.ts";
import type { Normalizer } from "./normalizer.ts";
import { Trie } from "./trie.ts";
import { isSpace } from "./unicode.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The options of an added token. */
export const FLAGS = ["single_word", "lstrip", "rstrip", "normalized", "special"] as const;

const MAX_CONTENT = 256; // matching takes at most this many steps a character
const WORD_CHAR = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** How an added token matches; what is left out is `false`. */
export interface AddedTokenOptions {
  /** Match only where no word character touches the token. */
  readonly single_word?: boolean;
  /** Take white space on the left into the match. */
  readonly lstrip?: boolean;
  /** Take white space on the right into the match. */
  readonly rstrip?: boolean;
  /** Match in the normalized text; by default true unless the token is special. */
  readonly normalized?: boolean;
  /** Left out by `skip_special_tokens`. */
  readonly special?: boolean;
}

/** A token that is matched as a whole, as `AddedToken` of transformers. */
export class AddedToken {
  /** The text of the token. */
  readonly content: string;
  /** Match only where no word character touches the token. */
  declare readonly single_word: boolean;
  /** Take white space on the left into the match. */
  declare readonly lstrip: boolean;
  /** Take white space on the right into the match. */
  declare readonly rstrip: boolean;
  /** Match in the normalized text. */
  declare readonly normalized: boolean;
  /** Left out by `skip_special_tokens`. */
  declare readonly special: boolean;
  readonly #options: AddedTokenOptions;

  /**
   * Makes an added token.
   *
   * @param content The text of the token, at most 256 UTF-16 units.
   * @param options How it matches.
   * @throws TokenizerError if the text is too long or no well-formed Unicode.
   */
  constructor(content: string, options: AddedTokenOptions = {}) {
    check("add a token", "its content", content, "text");
    if (content.length > MAX_CONTENT) {
      throw new TokenizerError(
        `Cannot add a token of ${content.length} units, wanted at most ${MAX_CONTENT}`,
      );
    }
    this.content = content;
    const flags = FLAGS.map((name) => [name, options[name] ?? (name === "normalized" && !options.special)]);
    Object.assign(this, Object.fromEntries(flags));
    this.#options = options;
  }

  /** The same token as a special one: not normalized, unless it was made so explicitly. */
  toSpecial(): AddedToken {
    return new AddedToken(this.content, { ...this.#options, special: true });
  }
}

/** A part of a text: an added token, or what lies between two of them. */
export interface Split {
  /** Id of the added token, or -1. */
  readonly id: number;
  /** Where it begins. */
  readonly begin: number;
  /** Where it ends. */
  readonly end: number;
}

/** Finds the next added token from a position on. */
type Matcher = (text: string, from: number) => Split | null;

/** The added tokens by content and id, and the search for them. */
export class AddedVocabulary {
  /** Added tokens by id. */
  readonly tokens: Map<number, AddedToken> = new Map();
  /** Ids by content. */
  readonly ids: Map<string, number> = new Map();
  readonly #specials = new Set<string>();
  readonly #normalizedContent = new Map<number, string>();
  readonly #vocabulary: Vocabulary;
  readonly #normalizer: Normalizer;
  #raw: Matcher | null = null;
  #normalized: Matcher | null = null;

  constructor(vocabulary: Vocabulary, normalizer: Normalizer) {
    this.#vocabulary = vocabulary;
    this.#normalizer = normalizer;
  }

  /** Whether some tokens must be searched in the normalized text. */
  get hasNormalized(): boolean {
    return this.#normalized !== null;
  }

  /** Adds or updates tokens; returns how many were not there yet with the same options. */
  add(tokens: readonly AddedToken[]): number {
    const size = this.#vocabulary.size;
    let next = size;
    for (const id of this.tokens.keys()) next = Math.max(next, id + 1);
    let added = 0;
    for (const token of tokens) {
      const known = this.ids.get(token.content);
      if (
        token.content === "" ||
        known !== undefined && JSON.stringify(this.tokens.get(known)) === JSON.stringify(token)
      ) continue;
      const id = known ?? this.#vocabulary.ids.get(token.content) ?? next++;
      added++;
      if (token.normalized) {
        this.#normalizer.run(token.content, 0, token.content.length);
        this.#normalizedContent.set(id, this.#normalizer.text());
      }
      if (token.special) this.#specials.add(token.content);
      this.ids.set(token.content, id);
      this.tokens.set(id, token);
    }
    this.#raw = this.#matcher(false);
    this.#normalized = this.#matcher(true);
    return added;
  }

  /** How the token of an id reads when decoded: normalized, if it matches in the normalized text. */
  text(id: number): string | undefined {
    return this.#normalizedContent.get(id) ?? this.tokens.get(id)?.content;
  }

  /** Whether a decoded token is left out by `skip_special_tokens`. */
  isSpecial(text: string): boolean {
    return this.#specials.has(text);
  }

  /** Cuts a text at its added tokens; `splitSpecial` leaves special tokens unseen. */
  split(text: string, normalized: boolean, splitSpecial: boolean): Split[] {
    const next = normalized ? this.#normalized : this.#raw;
    const splits: Split[] = [];
    let done = 0;
    for (let match = next?.(text, 0); match; match = next!(text, match.end)) {
      const token = this.tokens.get(match.id)!;
      if (splitSpecial && this.#specials.has(token.content)) continue;
      let { begin, end } = match;
      if (token.single_word) {
        const before = [...text.slice(Math.max(0, begin - 2), begin)].at(-1) ?? "";
        const after = [...text.slice(end, end + 2)][0] ?? "";
        if (WORD_CHAR.test(before) || WORD_CHAR.test(after)) continue;
      }
      if (token.lstrip) {
        while (begin > done && isSpace(text[begin - 1])) begin--;
        begin = Math.max(begin, done);
      }
      if (token.rstrip) { while (end < text.length && isSpace(text[end])) end++; }
      if (done < begin) splits.push({ id: -1, begin: done, end: begin });
      splits.push({ id: match.id, begin, end });
      done = end;
    }
    if (done < text.length) splits.push({ id: -1, begin: done, end: text.length });
    return splits;
  }

  #matcher(normalized: boolean): Matcher | null {
    const contents = new Map<string, number>();
    for (const [id, token] of this.tokens) {
      const content = normalized ? this.#normalizedContent.get(id) ?? token.content : token.content;
      if (token.normalized === normalized && content !== "" && !contents.has(content)) {
        contents.set(content, id);
      }
    }
    return contents.size > 0 ? matcher(contents) : null;
  }
}

// Finds the leftmost of a set of strings, and there the longest.
function matcher(contents: ReadonlyMap<string, number>): Matcher {
  const trie = new Trie();
  let units = "";
  for (const [content, id] of contents) {
    trie.add(content, id);
    units += "\\u" + content.charCodeAt(0).toString(16).padStart(4, "0");
  }
  const first = new RegExp(`[${units}]`, "g");
  return (text, from) => {
    first.lastIndex = from;
    while (first.test(text)) {
      const begin = first.lastIndex - 1;
      const found = trie.longest((i) => text.charCodeAt(i), begin, text.length);
      if (found) return { id: found[1], begin, end: found[0] };
    }
    return null;
  };
}
