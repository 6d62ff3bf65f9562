/**
 * Exact match and F1 of answers, as SQuAD 1.1 and 2.0 count them (https://rajpurkar.github.io/SQuAD-explorer/).
 *
 * @module
 */
import { checkPair, mean } from "./check.ts";

/** What {@linkcode squad_scores} finds; shares in percent, as SQuAD gives them. */
export interface SquadScores {
  /** The share of answers that equal one of the right ones. */
  exact: number;
  /** The mean of the words' F1, each with the best of the right answers. */
  f1: number;
  /** How many questions. */
  total: number;
  /** The same of the questions that have an answer; left out if there is none. */
  HasAns?: { exact: number; f1: number; total: number };
  /** The same of the questions without an answer; left out if there is none. */
  NoAns?: { exact: number; f1: number; total: number };
}

const PUNCTUATION = /[!-/:-@[-`{-~]/g;
const ARTICLES = /(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu;
// What Python's str.split() takes for space.
// deno-lint-ignore no-control-regex
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** The words that count: lower case, without ASCII punctuation and English articles. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().replace(PUNCTUATION, "").replace(ARTICLES, " ").split(SPACE).filter((word) =>
    word !== ""
  );
}

/**
 * An answer as it is compared: lower case, no ASCII punctuation, no `a`, `an`, `the`, one space between words.
 *
 * @example
 * ```ts
 * import { normalize_answer } from "@berth/berth";
 *
 * console.log(normalize_answer("The  Blue, Bird!")); // "blue bird"
 * ```
 */
export function normalize_answer(text: string): string {
  return wordsOf(text).join(" ");
}

/** 1 if both are the same but for case, punctuation, articles and space, else 0. */
export function compute_exact(answer: string, prediction: string): number {
  return Number(normalize_answer(answer) === normalize_answer(prediction));
}

/** The F1 of the words that both have; without words on one side, 1 if both have none, else 0. */
export function compute_f1(answer: string, prediction: string): number {
  const expected = wordsOf(answer), predicted = wordsOf(prediction), left = new Map<string, number>();
  if (expected.length === 0 || predicted.length === 0) return Number(expected.length === predicted.length);
  for (const word of expected) left.set(word, (left.get(word) ?? 0) + 1);
  let same = 0;
  for (const word of predicted) {
    const count = left.get(word) ?? 0;
    if (count > 0) same++;
    left.set(word, count - 1);
  }
  return 2 * same / (expected.length + predicted.length);
}

/**
 * Compares predicted with right answers.
 *
 * @param answers For each question the right answers; none if it cannot be answered.
 * @param predictions For each question one answer; the empty text for none.
 * @throws {DataError} if the lengths differ, or there is no question.
 *
 * @example
 * ```ts
 * import { squad_scores } from "@berth/berth";
 *
 * console.log(squad_scores([["the red car", "a car"], []], ["red car", ""]).exact); // 100
 * ```
 */
export function squad_scores(
  answers: readonly (readonly string[])[],
  predictions: readonly string[],
): SquadScores {
  checkPair("answers' scores", answers, predictions);
  const best = (score: typeof compute_f1) =>
    predictions.map((prediction, i) => {
      const right = answers[i].filter((answer) => normalize_answer(answer) !== "");
      return Math.max(...(right.length > 0 ? right : [""]).map((answer) => score(answer, prediction)));
    });
  const exact = best(compute_exact), f1 = best(compute_f1);
  const of = (isWanted: (i: number) => boolean) => {
    const chosen = exact.map((_, i) => i).filter(isWanted);
    const percent = (scores: number[]) => 100 * mean(chosen.map((i) => scores[i]));
    return { exact: percent(exact), f1: percent(f1), total: chosen.length };
  };
  const some = of((i) => answers[i].length > 0), none = of((i) => answers[i].length === 0);
  return { ...of(() => true), ...(some.total && { HasAns: some }), ...(none.total && { NoAns: none }) };
}
