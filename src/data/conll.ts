/**
 * Tagged words: CoNLL files (one word a line, its tag in the last column, an empty line between sentences), and tags on
 * word pieces.
 *
 * @module
 */
import { compareLabels } from "../metrics/check.ts";
import { countNewlines, dataError, listed, quote } from "./problem.ts";

/** A sentence, word by word, with a tag for each word. */
export type TaggedWords = {
  /** The words. */
  words: string[];
  /** The tags, as many, such as `B-PER`. */
  tags: string[];
};

/** Sentences with all tags that occur. */
export interface TaggedDataset {
  /** The sentences. */
  examples: TaggedWords[];
  /** The tags in the order of their numbers: `O` first, then by name. */
  labels: string[];
}

/** Options of {@linkcode parseConll}. */
export interface ConllOptions {
  /** For messages. Default `"CoNLL"`. */
  name?: string;
  /** The tags that there may be, in the order of their numbers. Default: those that occur. */
  labels?: readonly string[];
  /** The column of the tag, from 0; negative ones count from the end. Default -1. */
  tag_column?: number;
}

/** Positions that the loss leaves out, as in PyTorch and transformers. */
const IGNORED = -100;

/**
 * Reads a CoNLL file. Columns are separated by space or tabs; `-DOCSTART-` lines and comments of CoNLL-U are left out.
 *
 * @param text The whole file.
 * @throws {DataError} if a line has another number of columns than the first, or a tag is unknown.
 *
 * @example
 * ```ts
 * import { parseConll } from "@berth/berth";
 *
 * const { examples, labels } = parseConll("Ada B-PER\nspoke O\n\nRome B-LOC\n");
 * console.log(examples.length, labels); // 2 ["O", "B-LOC", "B-PER"]
 * ```
 */
export function parseConll(text: string, options: ConllOptions = {}): TaggedDataset {
  const { name = "CoNLL", tag_column = -1 } = options, known = options.labels && new Set(options.labels);
  const examples: TaggedWords[] = [], seen = new Set<string>();
  let current: TaggedWords = { words: [], tags: [] }, width = 0, first = 0;
  const end = () => {
    if (current.words.length > 0) examples.push(current);
    current = { words: [], tags: [] };
  };
  text.replace(/^\ufeff/, "").split(/\r?\n/).forEach((content, i) => {
    const line = i + 1, fields = content.trim() === "" ? [] : content.trim().split(/[ \t]+/);
    if (fields.length === 0 || fields[0] === "-DOCSTART-") return end();
    if (current.words.length === 0 && /^# /.test(content)) return; // a comment of CoNLL-U
    if (width === 0) [width, first] = [fields.length, line];
    if (fields.length !== width || width < 2) {
      const wanted = width < 2 ? "a word and its tag are wanted" : `expected ${width} as in line ${first}`;
      throw dataError(name, { line }, `there are ${fields.length} columns, ${wanted}`);
    }
    const tag = fields.at(tag_column);
    if (tag === undefined) throw dataError(name, { line }, `there is no column ${tag_column} for the tag`);
    if (known && !known.has(tag)) {
      throw dataError(name, { line }, `the tag ${quote(tag)} is unknown; there are ${listed([...known])}`);
    }
    current.words.push(fields[0]);
    current.tags.push(tag);
    seen.add(tag);
  });
  end();
  if (examples.length === 0) throw dataError(name, { line: countNewlines(text) + 1 }, "it has no words");
  const order = (tag: string) => tag === "O" ? 0 : 1;
  const found = [...seen].sort((a, b) => order(a) - order(b) || compareLabels(a, b));
  return { examples, labels: options.labels ? [...options.labels] : found };
}

/**
 * The tags of words as those of word pieces: a word's first piece has its tag, all else is left out of the loss (-100).
 *
 * @param word_ids For each piece the number of its word, `null` for special tokens: `encoding.word_ids(row)`.
 * @param tags The number of each word's tag.
 * @param options `label_all_tokens`: every piece of a word has its tag. Default false.
 * @returns The labels of the pieces. [T]
 * @throws {DataError} if a piece belongs to a word without a tag.
 *
 * @example
 * ```ts
 * import { alignTags } from "@berth/berth";
 *
 * console.log(alignTags([null, 0, 0, 1, null], [3, 0])); // [-100, 3, -100, 0, -100]
 * ```
 */
export function alignTags(
  word_ids: readonly (number | null)[],
  tags: readonly number[],
  options: { label_all_tokens?: boolean } = {},
): number[] {
  return word_ids.map((word, i) => {
    if (word === null || (!options.label_all_tokens && word === word_ids[i - 1])) return IGNORED;
    if (word in tags) return tags[word];
    throw dataError(
      "tagged words",
      {},
      `piece ${i} belongs to word ${word}, and there are ${tags.length} tags`,
    );
  });
}
