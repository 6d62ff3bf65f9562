/**
 * Questions with answers in a text: SQuAD files (1.1 and 2.0), and answers as positions of tokens, after transformers'
 * run_qa (https://github.com/huggingface/transformers/tree/main/examples/pytorch/question-answering).
 *
 * @module
 */
import type { BatchEncoding } from "../tokenizer/mod.ts";
import { parseJson } from "../weights/json.ts";
import { countNewlines, dataError, type Place, quote } from "./problem.ts";

/** An answer and where it begins in its context, in UTF-16 units: `context.slice(answer_start, ...)` is the text. */
export interface SquadAnswer {
  /** The answer. */
  text: string;
  /** Where it begins. */
  answer_start: number;
}

/** A question about a text. */
export type SquadExample = {
  /** Its name in the file. */
  id: string;
  /** The question. */
  question: string;
  /** The text that may hold the answer. */
  context: string;
  /** The right answers; none if it cannot be answered. */
  answers: SquadAnswer[];
};

type Json = Record<string, unknown>;

/**
 * Reads a SQuAD file: `{"data": [{"paragraphs": [{"context", "qas": [...]}]}]}`. The places of answers, which the files
 * count in code points, become UTF-16 units.
 *
 * @param text The whole file.
 * @param name For messages. Default `"SQuAD"`.
 * @throws {DataError} if it is no such file, or an answer is not where it is said to be.
 */
export function parseSquad(text: string, name = "SQuAD"): SquadExample[] {
  let root: unknown;
  try {
    root = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    throw dataError(name, placeOf(text), "there is no JSON");
  }
  const fail = (path: string, wanted: string): never => {
    throw dataError(name, {}, `${path} is not there or no ${wanted}`);
  };
  const get = <T>(value: unknown, key: string, path: string, type: "string" | "list" | "number"): T => {
    const found = typeof value === "object" && value !== null ? (value as Json)[key] : undefined;
    const kind = Array.isArray(found) ? "list" : typeof found, isRight = kind === type;
    return isRight ? found as T : fail(`${path}.${key}`, type === "string" ? "text" : type);
  };
  return get<unknown[]>(root, "data", "the file", "list").flatMap((article, a) =>
    get<unknown[]>(article, "paragraphs", `data[${a}]`, "list").flatMap((paragraph, p) => {
      const path = `data[${a}].paragraphs[${p}]`, context = get<string>(paragraph, "context", path, "string");
      const toUtf16 = codePoints(context);
      return get<unknown[]>(paragraph, "qas", path, "list").map((qa, q): SquadExample => {
        const own = `${path}.qas[${q}]`, isImpossible = (qa as Json | null)?.is_impossible === true;
        const answers = isImpossible ? [] : get<unknown[]>(qa, "answers", own, "list").map((answer, i) => {
          const place = `${own}.answers[${i}]`, words = get<string>(answer, "text", place, "string");
          const start = toUtf16(get<number>(answer, "answer_start", place, "number"));
          if (context.startsWith(words, start) && start >= 0) return { text: words, answer_start: start };
          throw dataError(
            name,
            {},
            `${place}: the answer ${quote(words)} is not at answer_start in its context`,
          );
        });
        return {
          id: get(qa, "id", own, "string"),
          question: get(qa, "question", own, "string"),
          context,
          answers,
        };
      });
    })
  );
}

/** Line and column of the first thing that is no JSON: engines' own messages do not always tell. */
function placeOf(text: string): Place {
  const bytes = new TextEncoder().encode(text);
  const rules = {
    maxDepth: 64,
    maxValues: Infinity,
    naturalNumbers: false,
    error: (problem: string) => new Error(problem),
  };
  try {
    parseJson(bytes, rules);
    return {};
  } catch (error) {
    const at = Number(/at byte (\d+)$/.exec((error as Error).message)?.[1] ?? 0);
    const before = new TextDecoder().decode(bytes.subarray(0, at));
    return { line: countNewlines(before) + 1, column: before.length - before.lastIndexOf("\n") };
  }
}

/** Turns places counted in code points into UTF-16 units; -1 for what is none. */
function codePoints(text: string): (place: number) => number {
  const isPlain = !/[\ud800-\udbff]/.test(text);
  const places = [0];
  if (!isPlain) { for (const char of text) places.push(places[places.length - 1] + char.length); }
  return (place) => !Number.isInteger(place) || place < 0 ? -1 : isPlain ? place : places[place] ?? -1;
}

/** What a span head is trained with; one row for each window over a long context. */
export type SpanFeature = {
  /** The tokens of question and window. [T] */
  input_ids: number[];
  /** 0 for the question, 1 for the window. [T] */
  token_type_ids: number[];
  /** The first token of the answer; 0, that is [CLS], if it is not in the window. */
  start_positions: number;
  /** The last token of the answer. */
  end_positions: number;
};

/** Features with what is needed to turn predictions back into texts. */
export interface SpanFeatures {
  /** The rows. */
  features: SpanFeature[];
  /** For each row the number of its example. */
  examples: number[];
  /** For each row and token its place in the context; `null` for other tokens. */
  offsets: ([start: number, end: number] | null)[][];
}

/** What encodes pairs of texts: a `BertTokenizer`. */
export interface PairTokenizer {
  /** Encodes questions with their contexts. */
  (texts: string[], options: {
    text_pair: string[];
    truncation: "only_second";
    max_length: number;
    stride: number;
    return_overflowing_tokens: true;
    return_offsets_mapping: true;
  }): BatchEncoding<true>;
}

/**
 * Cuts long contexts into overlapping windows and finds the first answer of each example in them.
 *
 * @param tokenizer A `BertTokenizer`.
 * @param examples The questions.
 * @param options `max_length`: tokens of a row, default 384. `doc_stride`: tokens that two windows share, default 128.
 * @returns One row a window, in the order of the examples.
 */
export function spanFeatures(
  tokenizer: PairTokenizer,
  examples: readonly SquadExample[],
  options: { max_length?: number; doc_stride?: number } = {},
): SpanFeatures {
  const { max_length = 384, doc_stride = 128 } = options;
  if (examples.length === 0) return { features: [], examples: [], offsets: [] };
  const encoding = tokenizer(examples.map(({ question }) => question.trimStart()), {
    text_pair: examples.map(({ context }) => context),
    ...{ truncation: "only_second", max_length, stride: doc_stride },
    ...{ return_overflowing_tokens: true, return_offsets_mapping: true },
  });
  const rows = encoding.overflow_to_sample_mapping!;
  const offsets = rows.map((_, row) => {
    const sequences = encoding.sequence_ids(row);
    return encoding.offset_mapping![row].map((offset, i) => sequences[i] === 1 ? offset : null);
  });
  const features = rows.map((example, row): SpanFeature => {
    const [start_positions, end_positions] = answerTokens(offsets[row], examples[example].answers[0]);
    const { input_ids, token_type_ids } = encoding;
    return { input_ids: input_ids[row], token_type_ids: token_type_ids[row], start_positions, end_positions };
  });
  return { features, examples: rows, offsets };
}

/** The first and the last token of an answer, or [CLS] twice if the window does not hold all of it. */
function answerTokens(
  offsets: readonly ([start: number, end: number] | null)[],
  answer: SquadAnswer | undefined,
): [first: number, last: number] {
  if (!answer) return [0, 0];
  const begin = answer.answer_start, end = begin + answer.text.length;
  const tokens = offsets.flatMap((offset, i) => offset ? [i] : []);
  if (tokens.length === 0) return [0, 0];
  const startOf = (i: number) => offsets[i]![0], endOf = (i: number) => offsets[i]![1];
  if (startOf(tokens[0]) > begin || endOf(tokens[tokens.length - 1]) < end) return [0, 0];
  const first = tokens.filter((i) => startOf(i) <= begin).at(-1)!;
  const last = tokens.find((i) => endOf(i) >= end)!;
  return [first, last];
}
