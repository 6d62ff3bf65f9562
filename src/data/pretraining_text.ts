/**
 * Running text as rows for pre-training: blocks of a fixed length for masked words, and pairs of texts for next sentence
 * prediction, after the BERT paper (https://arxiv.org/abs/1810.04805, appendix A.2).
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";

/** What cuts texts into tokens: a `BertTokenizer`. */
export interface IdTokenizer {
  /** Encodes a batch of texts. */
  (texts: string[], options: { add_special_tokens: false; return_token_type_ids: false }): {
    readonly input_ids: number[][];
  };
  /** Id of the token that begins a row. */
  readonly cls_token_id: number | null;
  /** Id of the token that ends a text. */
  readonly sep_token_id: number | null;
}

/** A row of running text. */
export type BlockFeature = {
  /** [CLS], the tokens, [SEP]. [T] */
  input_ids: number[];
};

/** A row of two texts. */
export type SentencePairFeature = {
  /** [CLS], the first text, [SEP], the second text, [SEP]. [T] */
  input_ids: number[];
  /** 0 up to the first [SEP], 1 after it. [T] */
  token_type_ids: number[];
  /** 0 if the second text follows the first in its document, 1 if it is from another document. */
  next_sentence_label: number;
};

/** Options of {@linkcode textBlocks}. */
export interface BlockOptions {
  /** Tokens of a row, with the special ones. Default 128. */
  max_length?: number;
  /** Called with the documents done, and their number. */
  onProgress?: (done: number, total: number) => void;
}

/** Options of {@linkcode sentencePairs}. */
export interface SentencePairOptions extends BlockOptions {
  /** The share of rows whose second text is from another document. Default 0.5. */
  random_next_prob?: number;
  /** The share of rows that are shorter on purpose. Default 0.1. */
  short_seq_prob?: number;
  /** How often the documents are gone through, each time cut and paired otherwise. Default 1. */
  dupe_factor?: number;
  /** Chooses cuts and pairs. Default 42. */
  seed?: number;
}

const AT_A_TIME = 256; // documents that are tokenized in one call
const PAIR_STREAM = 5;

/**
 * The documents of a text file with one sentence a line and an empty line between documents, as BERT's own training data.
 * A document keeps its lines.
 */
export function parseDocuments(text: string): string[] {
  return text.replace(/^\ufeff/, "").split(/\r?\n(?:[^\S\n]*\r?\n)+/).map((part) => part.trim())
    .filter((part) => part !== "");
}

/**
 * Packs documents into rows of `max_length` tokens: one after another with [SEP] between, cut wherever a row is full. Only
 * the last row may be shorter, so almost nothing is padding and nothing is thrown away.
 *
 * @param documents Texts of any length.
 * @param tokenizer A `BertTokenizer`.
 * @throws {RangeError} if `max_length` holds no token besides the special ones.
 */
export function textBlocks(
  documents: readonly string[],
  tokenizer: IdTokenizer,
  options: BlockOptions = {},
): BlockFeature[] {
  const { cls, sep, room } = frame(tokenizer, options.max_length, 2);
  const rows: BlockFeature[] = [];
  let row: number[] = [];
  const end = (): void => {
    if (row.length > 0) rows.push({ input_ids: [cls, ...row, sep] });
    row = [];
  };
  for (const ids of tokenized(documents, tokenizer, options)) {
    if (row.length + 1 >= room) end();
    if (row.length > 0 && ids.length > 0) row.push(sep);
    for (let at = 0; at < ids.length;) {
      if (row.length >= room) end();
      const taken = ids.slice(at, at + room - row.length);
      row = row.concat(taken);
      at += taken.length;
    }
  }
  end();
  return rows;
}

/**
 * Makes pairs of texts: each is one or more sentences in a row of a document, and the second goes on where the first ends,
 * or, in half of the rows, is from another document.
 *
 * @param documents Texts with a sentence a line, such as {@linkcode parseDocuments} gives.
 * @param tokenizer A `BertTokenizer`.
 * @throws {DataError} if there are fewer than two documents or only single sentences, {RangeError} if an option is out of range.
 */
export function sentencePairs(
  documents: readonly string[],
  tokenizer: IdTokenizer,
  options: SentencePairOptions = {},
): SentencePairFeature[] {
  const { random_next_prob = 0.5, short_seq_prob = 0.1, dupe_factor = 1, seed = 42 } = options;
  for (const [name, share] of Object.entries({ random_next_prob, short_seq_prob })) {
    if (!(share >= 0 && share <= 1)) {
      throw new RangeError(`Cannot make pairs with ${name} ${share}: a number from 0 to 1 is wanted`);
    }
  }
  const { cls, sep, room } = frame(tokenizer, options.max_length, 3), random = new Random(seed, PAIR_STREAM);
  const cut = cutDocuments(documents, tokenizer, options);
  if (cut.length < 2) {
    throw new DataError(`Cannot make pairs: ${cut.length} documents have text, two or more are wanted`);
  }
  if (cut.every((sentences) => sentences.length < 2)) {
    throw new DataError("Cannot make pairs: no document has two lines, one sentence a line is wanted");
  }
  const rows: SentencePairFeature[] = [];
  const add = (first: readonly number[][], second: readonly number[][], label: number): void => {
    const [a, b] = shortened(first.flat(), second.flat(), room, random);
    rows.push({
      input_ids: [cls, ...a, sep, ...b, sep],
      token_type_ids: [...a.map(() => 0), 0, 0, ...b.map(() => 1), 1],
      next_sentence_label: label,
    });
  };
  const addDocument = (sentences: readonly number[][], own: number): void => {
    for (let at = 0; at < sentences.length;) {
      const target = random.uniform() < short_seq_prob ? 2 + random.below(room - 1) : room;
      const left = sentences.length - at;
      if (left === 1 && at > 0) at--; // with the sentence before it, so that it need not get a random one
      const chunk = Math.min(sentences.length - at, Math.max(2, takeSentences(sentences, at, target)));
      const split = chunk > 1 ? 1 + random.below(chunk - 1) : 1, first = sentences.slice(at, at + split);
      if (chunk > 1 && random.uniform() >= random_next_prob) {
        add(first, sentences.slice(at + split, at + chunk), 0);
        at += chunk;
        continue;
      }
      const other = cut[(own + 1 + random.below(cut.length - 1)) % cut.length],
        from = random.below(other.length);
      add(first, other.slice(from, from + takeSentences(other, from, target - first.flat().length)), 1);
      at += left === 1 ? chunk : split; // what was not used comes next
    }
  };
  for (let round = 0; round < dupe_factor; round++) cut.forEach(addDocument);
  return rows;
}

/** How many sentences from `at` on reach `target` tokens; one at least. */
function takeSentences(sentences: readonly number[][], at: number, target: number): number {
  let count = 0, length = 0;
  while (at + count < sentences.length && (count === 0 || length < target)) {
    length += sentences[at + count++].length;
  }
  return count;
}

/** Both texts without so many tokens at the front or the end of the longer one that they fit. */
function shortened(first: number[], second: number[], room: number, random: Random): [number[], number[]] {
  const a = { begin: 0, end: first.length }, b = { begin: 0, end: second.length };
  const length = (range: typeof a) => range.end - range.begin;
  while (length(a) + length(b) > room) {
    const longer = length(a) > length(b) ? a : b;
    if (random.uniform() < 0.5) longer.begin++;
    else longer.end--;
  }
  return [first.slice(a.begin, a.end), second.slice(b.begin, b.end)];
}

/** The tokens of each sentence of each document, without empty ones. */
function cutDocuments(
  documents: readonly string[],
  tokenizer: IdTokenizer,
  options: BlockOptions,
): number[][][] {
  const lines = documents.map((text) => text.split(/\r?\n/)),
    cut: number[][][] = documents.map(() => []);
  const owners = lines.flatMap((own, i) => own.map(() => i));
  let line = 0;
  const { onProgress } = options;
  const progress = onProgress &&
    ((done: number) => onProgress(done === 0 ? 0 : owners[done - 1] + 1, documents.length));
  for (const ids of tokenized(lines.flat(), tokenizer, { onProgress: progress })) {
    if (ids.length > 0) cut[owners[line]].push(ids);
    line++;
  }
  return cut.filter((sentences) => sentences.length > 0);
}

function* tokenized(
  texts: readonly string[],
  tokenizer: IdTokenizer,
  options: BlockOptions,
): Generator<number[]> {
  for (let at = 0; at < texts.length; at += AT_A_TIME) {
    const some = texts.slice(at, at + AT_A_TIME);
    yield* tokenizer(some, { add_special_tokens: false, return_token_type_ids: false }).input_ids;
    options.onProgress?.(at + some.length, texts.length);
  }
}

/** The special tokens of a row, and how many others it holds. */
function frame(
  tokenizer: IdTokenizer,
  max_length = 128,
  special: number,
): { cls: number; sep: number; room: number } {
  const { cls_token_id, sep_token_id } = tokenizer;
  if (cls_token_id === null || sep_token_id === null) {
    throw new DataError("Cannot make rows: the tokenizer has no cls_token or no sep_token");
  }
  const room = max_length - special, least = special - 1;
  if (!Number.isInteger(max_length) || room < least) {
    throw new RangeError(
      `Cannot make rows of ${max_length} tokens: a whole number from ${special + least} on is wanted`,
    );
  }
  return { cls: cls_token_id, sep: sep_token_id, room };
}
