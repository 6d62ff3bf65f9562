/**
 * `question-answering`: the part of a text that answers a question.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { QuestionAnswerer, RunOptions } from "../model/mod.ts";
import type { BatchEncoding } from "../tokenizer/mod.ts";
import { bestSpans, type Span } from "./answers.ts";
import { Pipeline } from "./base.ts";

/** A question and the text that is to answer it. */
export interface Question {
  /** What is asked. */
  readonly question: string;
  /** Where the answer is. */
  readonly context: string;
}

/** A part of the context. `start` and `end` are UTF-16 indices: `context.slice(start, end)` is the answer. */
export interface Answer {
  /** The part; empty if the best is that there is no answer. */
  answer: string;
  /** Its probability; equal answers from several places are added up. */
  score: number;
  /** Where it begins. */
  start: number;
  /** Where it ends. */
  end: number;
}

/** Options of a call. */
export interface QuestionAnsweringOptions extends RunOptions {
  /** How many answers each question gets at most, the best first. Default 1. */
  top_k?: number;
  /** Tokens that the rows of a long context share. Default: 128, or half of `max_seq_len` if that is less. */
  doc_stride?: number;
  /** The most tokens of an answer. Default 15. */
  max_answer_len?: number;
  /** The most tokens of a row, question and context together. Default: 384, or what the model takes if that is less. */
  max_seq_len?: number;
  /** Whether `""` may be the answer. Default false. */
  handle_impossible_answer?: boolean;
  /** Whether answers begin and end with whole words. Default true. */
  align_to_words?: boolean;
}

/** One answer; a list with a list of questions or a `top_k` other than 1; a list of lists with both. */
export type QuestionAnsweringResult<Asked, Options> = Options extends { top_k: infer K }
  ? [K] extends [1] ? PerQuestion<Asked, Answer> : PerQuestion<Asked, Answer[]>
  : PerQuestion<Asked, Answer>;

/** One result, or one for each question. */
export type PerQuestion<Asked, Result> = Asked extends readonly unknown[] ? Result[] : Result;

/** Calling it answers. */
export interface QuestionAnsweringPipeline<D extends QuestionAnsweringOptions = object> {
  /**
   * Answers a question, or each of several from the context of the same number.
   *
   * @throws {DataError} if a question or a context is missing or empty; {TokenizerError} if a question leaves no room for
   * its context.
   */
  <Asked extends string | readonly string[], const Options extends QuestionAnsweringOptions = D>(
    question: Asked,
    context: string | readonly string[],
    options?: Options,
  ): Promise<QuestionAnsweringResult<Asked, Options>>;
  /** Answers questions that come together with their contexts. */
  <Asked extends Question | readonly Question[], const Options extends QuestionAnsweringOptions = D>(
    questions: Asked,
    options?: Options,
  ): Promise<QuestionAnsweringResult<Asked, Options>>;
}

/** A finder of answers, from `pipeline("question-answering", model)`. */
export class QuestionAnsweringPipeline<D extends QuestionAnsweringOptions = object>
  extends Pipeline<QuestionAnswerer, D> {
  /** @ignore */
  override async _call(
    ...args: [unknown, unknown?, QuestionAnsweringOptions?]
  ): Promise<Answer | Answer[] | Answer[][]> {
    const { questions, isList, options } = readArguments(args);
    const {
      top_k = 1,
      handle_impossible_answer = false,
      max_answer_len = 15,
      align_to_words = true,
      ...rest
    } = {
      ...this.defaults as QuestionAnsweringOptions,
      ...options,
    };
    const { max_seq_len: wanted = 384, doc_stride, ...run } = rest;
    const max_seq_len = Math.min(wanted, this.maxLength);
    checkCount("top_k", top_k);
    checkCount("max_answer_len", max_answer_len);
    if (questions.length === 0) return [];
    const rows = this.tokenizer(questions.map(({ question, context }) => [question, context]), {
      ...{ truncation: "only_second", max_length: max_seq_len, return_overflowing_tokens: true },
      ...{ stride: doc_stride ?? Math.min(128, Math.floor(max_seq_len / 2)), return_offsets_mapping: true },
    }) as BatchEncoding<true>;
    // Aligning to words makes some candidates equal.
    const candidates = align_to_words ? 2 * top_k + 10 : top_k;
    const found = new Array<ReturnType<typeof bestSpans>>(rows.input_ids.length);
    await this.run(rows, run, (inputs, numbers) => {
      const output = this.model.forward(inputs);
      const starts = output.start_logits.arraySync(), ends = output.end_logits.arraySync();
      numbers.forEach((row, b) => {
        const isContext = rows.sequence_ids(row).map((sequence) => sequence === 1);
        found[row] = bestSpans(starts[b], ends[b], isContext, max_answer_len, candidates);
      });
    });
    const collected = questions.map(() => ({ answers: [] as Answer[], nullScore: Infinity }));
    found.forEach(({ spans, nullScore }, row) => {
      const number = rows.overflow_to_sample_mapping![row],
        { context } = questions[number],
        own = collected[number];
      own.nullScore = Math.min(own.nullScore, nullScore);
      for (const span of spans) {
        const [start, end] = charactersOf(rows, row, span, align_to_words),
          answer = context.slice(start, end);
        const equal = own.answers.find((other) => other.answer.toLowerCase() === answer.toLowerCase());
        if (equal) equal.score += span.score;
        else own.answers.push({ score: span.score, start, end, answer });
      }
    });
    const results = collected.map(({ answers, nullScore }) => {
      if (handle_impossible_answer) answers.push({ score: nullScore, start: 0, end: 0, answer: "" });
      if (answers.length === 0) answers.push({ score: 0, start: 0, end: 0, answer: "" }); // a context without a token
      return answers.sort((a, b) => b.score - a.score).slice(0, top_k);
    });
    const shaped = top_k === 1 ? results.flat() : results;
    return isList ? shaped as Answer[] | Answer[][] : shaped[0];
  }
}

/** The characters of a span of tokens, or of all words that it touches. */
function charactersOf(
  rows: BatchEncoding<true>,
  row: number,
  { first, last }: Span,
  toWords: boolean,
): [start: number, end: number] {
  const offsets = rows.offset_mapping![row];
  if (!toWords) return [offsets[first][0], offsets[last][1]];
  const word = (token: number) => rows.word_to_chars(row, rows.token_to_word(row, token)!, 1)!;
  return [word(first).start, word(last).end];
}

/** (question, context, options) or (questions, options). */
function readArguments(args: readonly unknown[]): {
  questions: Question[];
  isList: boolean;
  options: QuestionAnsweringOptions;
} {
  const [asked, second, third] = args,
    isList = Array.isArray(asked),
    list = (isList ? asked : [asked]) as unknown[];
  const areTexts = list.length === 0 ? third !== undefined : typeof list[0] === "string";
  const contexts = areTexts && !Array.isArray(second) ? list.map(() => second) : second as unknown[];
  if (areTexts && contexts.length !== list.length) {
    throw new DataError(`Cannot answer ${list.length} questions: there are ${contexts.length} contexts`);
  }
  const questions = areTexts
    ? list.map((question, i) => ({ question, context: contexts[i] }) as Question)
    : list as Question[];
  for (const question of questions) {
    for (const key of ["question", "context"] as const) {
      const value = question?.[key];
      if (typeof value === "string" && value !== "") continue;
      throw new DataError(
        `Cannot answer a question: its ${key} is ${JSON.stringify(value)}, a text is wanted`,
      );
    }
  }
  return { questions, isList, options: (areTexts ? third : second) as QuestionAnsweringOptions ?? {} };
}

function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new RangeError(`Cannot answer with ${name} ${value}: a whole number above 0 is wanted`);
}
