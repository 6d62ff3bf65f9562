/**
 * The vocabulary: tokens and their ids, in both directions, and its `vocab.txt` form.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { check } from "./check.ts";
import { isSpace } from "./unicode.ts";

const MAX_FILE = 64 << 20; // the largest BERT tokenizer.json (500,000 tokens) has 10 MB

/** A vocabulary in any of the forms that callers have: text of a `vocab.txt`, tokens in order, or ids by token. */
export type VocabularySource =
  | string
  | Uint8Array
  | readonly string[]
  | ReadonlyMap<string, number>
  | Readonly<Record<string, number>>;

/** Tokens and their ids. */
export class Vocabulary {
  /** Ids by token, in the order of the file. */
  readonly ids: ReadonlyMap<string, number>;
  readonly #tokens = new Map<number, string>();

  /** @throws TokenizerError if a token is no text or an id is no id. */
  constructor(ids: ReadonlyMap<string, number>) {
    for (const [token, id] of ids) {
      check("load the vocabulary", "a token", token, "text");
      this.#tokens.set(check("load the vocabulary", "the id of a token", id, "an id"), token);
    }
    this.ids = ids;
  }

  /** Number of tokens. */
  get size(): number {
    return this.ids.size;
  }

  /** The token of an id. */
  token(id: number): string | undefined {
    return this.#tokens.get(id);
  }

  /** The text of a `vocab.txt`, or `null` where one line a token cannot give the ids. */
  toText(): string | null {
    const entries = [...this.ids].sort((a, b) => a[1] - b[1]);
    const [filler, last] = entries.at(-1) ?? ["", -1];
    const fits = last < 2 * this.size && this.#tokens.size === this.size &&
      entries.every(([token]) => token === trimEnd(token) && !token.includes("\n"));
    if (!fits) return null;
    // Of equal lines the last one counts, so the last token fills the gaps.
    const lines = new Array<string>(last + 1).fill(filler);
    for (const [token, id] of entries) lines[id] = token;
    return lines.join("\n") + "\n";
  }
}

/**
 * Brings a vocabulary into one form.
 *
 * @throws TokenizerError if it is malformed.
 */
export function parseVocabulary(source: VocabularySource): Vocabulary {
  if (typeof source === "string" || source instanceof Uint8Array) return parseVocabTxt(source);
  if (source instanceof Map) return new Vocabulary(source);
  if (Array.isArray(source)) return new Vocabulary(new Map(source.map((token, id) => [token, id])));
  return new Vocabulary(new Map(Object.entries(source)));
}

// One token a line; white space at the end does not count, and the last line with a token gives its id.
function parseVocabTxt(source: string | Uint8Array): Vocabulary {
  const lines = decodeUtf8(source, "vocab.txt").split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) {
    throw new TokenizerError("Cannot load vocab.txt: it is empty, wanted one token a line");
  }
  return new Vocabulary(new Map(lines.map((line, id) => [trimEnd(line), id])));
}

function trimEnd(line: string): string {
  let end = line.length;
  while (end > 0 && isSpace(line[end - 1])) end--;
  return line.slice(0, end);
}

/**
 * The text of a file.
 *
 * @throws TokenizerError if it is larger than 64 MB or no UTF-8.
 */
export function decodeUtf8(source: string | Uint8Array, name: string): string {
  if (source.length > MAX_FILE) {
    throw new TokenizerError(
      `Cannot load ${name}: it has ${source.length} bytes, wanted at most ${MAX_FILE}`,
    );
  }
  if (typeof source === "string") return source;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(source);
  } catch {
    throw new TokenizerError(
      `Cannot load ${name}: it is no UTF-8 text`,
    );
  }
}
