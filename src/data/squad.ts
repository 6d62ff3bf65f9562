/**
 * Questions with answers in a text: SQuAD files (1.1 and 2.0), and answers as positions of tokens, after transformers'
 * run_qa (https://github.com/huggingface/transformers/tree/main/examples/pytorch/question-answering).
 *
 * @module
 */
import type { BatchEncoding } from "../tokenizer/mod.ts";
import { parseJson } from "../weights/json.ts";
import { jsonPlace } from "./json_place.ts";
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

/** Names and numbers that lead to a value. */
type Path = readonly (string | number)[];

/** Words what is wrong with the value at a path. */
type Refusal = (path: Path, problem: string) => Error;

/** `data[0].paragraphs[1]`. */
function pathText(path: Path): string {
  return path.map((step) => typeof step === "number" ? `[${step}]` : `.${step}`).join("").replace(/^\./, "");
}

/** Takes parts of a value apart, each of the type that is wanted. */
function reader(refuse: Refusal) {
  const kindOf = (value: unknown) => Array.isArray(value) ? "list" : typeof value;
  return <T>(value: unknown, path: Path, key: string, kind: "string" | "list" | "number"): T => {
    const own = typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)[key]
      : undefined;
    if (kindOf(own) === kind) return own as T;
    const wanted = { string: "a text", list: "a list", number: "a number" }[kind];
    throw refuse(
      [...path, key],
      `${own === undefined ? "is not there" : "is something else"}, ${wanted} is wanted`,
    );
  };
}

/** An answer whose place, in code points, must be right. */
function placedAnswer(
  context: string,
  toUtf16: (place: number) => number,
  text: string,
  answer_start: number,
  refuse: (problem: string) => Error,
): SquadAnswer {
  const start = toUtf16(answer_start);
  if (start >= 0 && context.startsWith(text, start)) return { text, answer_start: start };
  const elsewhere = context.includes(text)
    ? "it is elsewhere in its context"
    : "its context does not have it";
  throw refuse(`the answer ${quote(text)} is not at answer_start ${answer_start}; ${elsewhere}`);
}

/**
 * Reads a SQuAD file: `{"data": [{"paragraphs": [{"context", "qas": [...]}]}]}`. The places of answers, which the files
 * count in code points, become UTF-16 units.
 *
 * @param text The whole file.
 * @param name For messages. Default `"SQuAD"`.
 * @throws {DataError} if it is no such file, or an answer is not where it is said to be, with its line and column.
 */
export function parseSquad(text: string, name = "SQuAD"): SquadExample[] {
  const json = text.replace(/^\ufeff/, "");
  let root: unknown;
  try {
    root = JSON.parse(json);
  } catch {
    throw dataError(name, placeOf(text), "there is no JSON");
  }
  const refuse: Refusal = (path, problem) =>
    dataError(name, jsonPlace(json, path), `${pathText(path)} ${problem}`);
  const get = reader(refuse);
  return get<unknown[]>(root, [], "data", "list").flatMap((article, a) =>
    get<unknown[]>(article, ["data", a], "paragraphs", "list").flatMap((paragraph, p) => {
      const path = ["data", a, "paragraphs", p], context = get<string>(paragraph, path, "context", "string");
      const toUtf16 = codePoints(context);
      return get<unknown[]>(paragraph, path, "qas", "list").map((qa, q): SquadExample => {
        const own = [...path, "qas", q];
        const isImpossible = (qa as { is_impossible?: unknown } | null)?.is_impossible === true;
        const answers = isImpossible ? [] : get<unknown[]>(qa, own, "answers", "list").map((answer, i) => {
          const place = [...own, "answers", i], words = get<string>(answer, place, "text", "string");
          const start = get<number>(answer, place, "answer_start", "number");
          return placedAnswer(
            context,
            toUtf16,
            words,
            start,
            (problem) => refuse(place, `is wrong: ${problem}`),
          );
        });
        const id = get<string>(qa, own, "id", "string"),
          question = get<string>(qa, own, "question", "string");
        return { id, question, context, answers };
      });
    })
  );
}

/**
 * Reads a question that is a row, as Hugging Face's `squad` has them: `question`, `context`, `answers` as
 * `{"text": [...], "answer_start": [...]}` or as a list of `{"text", "answer_start"}`, perhaps `id`.
 *
 * @param row Values by column.
 * @param name For messages.
 * @param line Where the row is.
 * @throws {DataError} if a column is missing, or an answer is not where it is said to be.
 */
export function squadRow(row: Readonly<Record<string, unknown>>, name: string, line: number): SquadExample {
  const refuse: Refusal = ([column, ...rest], problem) =>
    dataError(
      name,
      { line, column: String(column) },
      rest.length > 0 ? `${pathText(rest)} ${problem}` : problem,
    );
  const get = reader(refuse), context = get<string>(row, [], "context", "string");
  const question = get<string>(row, [], "question", "string"), { answers, id = String(line) } = row;
  const pairs: [text: string, start: number][] = Array.isArray(answers)
    ? answers.map((answer, i) => [
      get<string>(answer, ["answers", i], "text", "string"),
      get<number>(answer, ["answers", i], "answer_start", "number"),
    ])
    : get<string[]>(answers, ["answers"], "text", "list").map((text, i) => [
      text,
      get<number[]>(answers, ["answers"], "answer_start", "list")[i],
    ]);
  const toUtf16 = codePoints(context);
  const placed = pairs.map(([text, start], i) =>
    placedAnswer(context, toUtf16, text, start, (problem) => refuse(["answers", i], problem))
  );
  return { id: String(id), question, context, answers: placed };
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
