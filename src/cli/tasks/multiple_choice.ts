/**
 * A text with several endings, of which one is right: rows as of SWAG, or with a list of choices.
 *
 * @module
 */
import { choiceExample } from "../../data/choice.ts";
import type { ChoiceExample } from "../../data/mod.ts";
import { dataError } from "../../data/problem.ts";
import { formatLengths, lengthsOf } from "../../data/report.ts";
import { readRecords } from "../../datasets/records.ts";
import { accuracy_score } from "../../metrics/mod.ts";
import { AutoModelForMultipleChoice } from "../../model/mod.ts";
import { softmax } from "../../model/probabilities.ts";
import type { PredictionRow } from "../../report/mod.ts";
import { nameOf, readOptions } from "./files.ts";
import { argmax, defineTask, MOST_ROWS, NO_CLASSES, type Task } from "./task.ts";

export const multipleChoice: Task = defineTask<ChoiceExample>({
  name: "multiple-choice",
  about: "the right one of several endings: rows with sent1, sent2, ending0, ..., or a text and choices",
  head: "ForMultipleChoice",
  model: AutoModelForMultipleChoice,
  async read(input, settings, terminal) {
    const examples: ChoiceExample[] = [];
    for await (const { name, line, values } of readRecords(input, readOptions(input, settings, terminal))) {
      const example = choiceExample(values, { name, line, count: examples[0]?.choices.length });
      if (example.label === undefined) {
        throw dataError(name, { line, column: "label" }, "the label is missing");
      }
      examples.push(example);
    }
    if (examples.length === 0) throw dataError(nameOf(input), {}, "it has no rows");
    return { name: nameOf(input), examples, known: NO_CLASSES, notes: [] };
  },
  labelsOf: () => NO_CLASSES,
  modelOptions: () => ({}),
  rows: (examples) => examples,
  summary({ examples }, _test, { tokenizer, max_length }) {
    const pairs = examples.flatMap(({ text, choices }) => choices.map((choice) => [text, choice] as const));
    const lengths = lengthsOf(tokenizer(pairs).input_ids.map(({ length }) => length), max_length);
    const text = [
      `${examples.length} examples with ${examples[0].choices.length} choices each`,
      formatLengths(lengths),
    ];
    return { text: text.join("\n"), longest: Math.min(lengths.max, max_length) };
  },
  metrics: () => ({ predictions, label_ids }) => ({
    accuracy: accuracy_score(label_ids as number[], (predictions as number[][]).map(argmax)),
  }),
  results({ predictions }, { examples }) {
    const scores = (predictions as number[][]).map((row) => softmax(row)), found = scores.map(argmax);
    const row = (i: number): PredictionRow => {
      const { text, choices, label } = examples[i];
      const answer = { predicted: choices[found[i]], probability: scores[i][found[i]] };
      return { text, ...answer, expected: choices[label!] };
    };
    const numbers = examples.map((_, i) => i), right = (i: number) => scores[i][examples[i].label!];
    const wrong = numbers.filter((i) => found[i] !== examples[i].label).sort((a, b) => right(a) - right(b));
    return {
      predictions: numbers.slice(0, MOST_ROWS).map(row),
      worst: wrong.slice(0, MOST_ROWS).map(row),
    };
  },
});
