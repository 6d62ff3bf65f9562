/**
 * Answers in texts: SQuAD files, or rows with a question, its context and answers; long contexts in overlapping windows.
 *
 * @module
 */
import { parseSquad, type SpanFeature, spanFeatures, type SquadExample } from "../../data/mod.ts";
import { dataError } from "../../data/problem.ts";
import { formatLengths, lengthsOf } from "../../data/report.ts";
import { squadRow } from "../../data/squad.ts";
import type { LoadOptions } from "../../datasets/mod.ts";
import { readRecords, readWholeText } from "../../datasets/records.ts";
import { compute_f1, squad_scores } from "../../metrics/mod.ts";
import { AutoModelForQuestionAnswering } from "../../model/mod.ts";
import type { PredictionRow } from "../../report/mod.ts";
import type { EvalPrediction } from "../../train/mod.ts";
import { fileKind, nameOf, readOptions } from "./files.ts";
import { type BestAnswer, bestAnswers, type Window } from "./best_answers.ts";
import { defineTask, type InputFile, MOST_ROWS, NO_CLASSES, type Task, type TaskContext } from "./task.ts";

/** Tokens of a window, and of what two windows share, as in transformers' run_qa. */
const WINDOW = 384, STRIDE = 128;

export const questionAnswering: Task = defineTask<SquadExample>({
  name: "question-answering",
  about: "the part of a text that answers a question: SQuAD files, or rows with question, context, answers",
  head: "ForQuestionAnswering",
  adapter: "QUESTION_ANS",
  model: AutoModelForQuestionAnswering,
  async read(input, settings, terminal) {
    const options = readOptions(input, settings, terminal), name = nameOf(input);
    const examples = await fileKind(input, settings, options) === "rows"
      ? await readQuestions(input, options)
      : parseSquad((await readWholeText(input, options)).text, name);
    if (examples.length === 0) throw dataError(name, {}, "it has no questions");
    return { name, examples, known: NO_CLASSES, notes: [] };
  },
  labelsOf: () => NO_CLASSES,
  modelOptions: () => ({}),
  rows(examples, context, measured) {
    const { features, examples: numbers, offsets } = windowsOf(examples, context);
    if (!measured) return features;
    return features.map((row, i): SpanFeature & Window => ({
      ...row,
      example: numbers[i],
      offsets: offsets[i],
    }));
  },
  summary({ examples, rows }, _test, context) {
    const without = examples.filter(({ answers }) => answers.length === 0).length, width = widthOf(context);
    const lengths = lengthsOf((rows as SpanFeature[]).map(({ input_ids }) => input_ids.length), width);
    const text = [
      `${examples.length} questions${without > 0 ? `, ${without} of them without an answer` : ""}; ` +
      `${rows.length} windows of up to ${width} tokens`,
      formatLengths(lengths),
    ];
    return { text: text.join("\n"), longest: lengths.max };
  },
  metrics: ({ examples, rows }) => (prediction) => {
    const found = answersOf(prediction, examples, rows as Window[]);
    const right = examples.map(({ answers }) => answers.map(({ text }) => text));
    const { exact, f1, HasAns, NoAns } = squad_scores(right, found.map(({ text }) => text));
    return {
      ...{ exact_match: exact, f1 },
      ...(NoAns && HasAns ? { HasAns_f1: HasAns.f1, NoAns_f1: NoAns.f1 } : {}),
    };
  },
  results(prediction, { examples, rows }) {
    const found = answersOf(prediction, examples, rows as Window[]);
    const row = (i: number): PredictionRow => {
      const { question, context, answers } = examples[i], { text, probability } = found[i];
      return {
        ...{ text: question, text_pair: context, predicted: text || NO_ANSWER, probability },
        expected: answers[0]?.text ?? NO_ANSWER,
      };
    };
    const score = found.map(({ text }, i) => {
      const { answers } = examples[i];
      return Math.max(
        ...(answers.length ? answers : [{ text: "" }]).map((own) => compute_f1(own.text, text)),
      );
    });
    const numbers = examples.map((_, i) => i);
    const wrong = numbers.filter((i) => score[i] < 1)
      .sort((a, b) => score[a] - score[b] || found[b].probability - found[a].probability);
    return {
      predictions: numbers.slice(0, MOST_ROWS).map(row),
      worst: wrong.slice(0, MOST_ROWS).map(row),
    };
  },
});

/** Questions that are rows. */
async function readQuestions(input: InputFile, options: LoadOptions): Promise<SquadExample[]> {
  const examples: SquadExample[] = [];
  for await (const { values, name, line } of readRecords(input, options)) {
    examples.push(squadRow(values, name, line));
  }
  return examples;
}

const NO_ANSWER = "(no answer)";

function widthOf({ settings, max_length }: TaskContext): number {
  return settings.max_length ?? Math.min(WINDOW, max_length);
}

function windowsOf(examples: readonly SquadExample[], context: TaskContext) {
  const max_length = widthOf(context),
    { doc_stride = Math.min(STRIDE, Math.floor(max_length / 3)) } = context.settings;
  return spanFeatures(context.tokenizer, examples, { max_length, doc_stride });
}

function answersOf(
  { predictions }: EvalPrediction,
  examples: readonly SquadExample[],
  rows: readonly Window[],
): BestAnswer[] {
  const { start_logits, end_logits } = predictions as Record<string, number[][]>;
  const mayBeEmpty = examples.some(({ answers }) => answers.length === 0);
  return bestAnswers(examples, rows, start_logits, end_logits, { mayBeEmpty });
}
