/**
 * `berth predict` of multiple choice: texts with choices -> the choice that goes on best.
 *
 * @module
 */
import { choiceExample } from "../data/choice.ts";
import type { ChoiceExample, DataFormat } from "../data/mod.ts";
import { readRecords } from "../datasets/records.ts";
import { BertTokenizer, type HubOptions } from "../hub/mod.ts";
import { AutoModelForMultipleChoice } from "../model/mod.ts";
import { softmax } from "../model/probabilities.ts";
import { Trainer } from "../train/mod.ts";
import type { FlagValues } from "./flags.ts";
import type { Predicted } from "./predictors.ts";
import { argmax } from "./tasks/task.ts";
import type { INPUT_FLAGS } from "./text_input.ts";
import { UsageError } from "./usage_error.ts";

/** A row that was read, and what came of it. */
export interface PredictedChoice extends Predicted {
  readonly example: ChoiceExample;
}

/** Rows are predicted so many at a time. */
const AT_A_TIME = 64;

/** The rows of the input; on the command line the first word is the text, the others are its choices. */
async function* readChoices(
  values: FlagValues<typeof INPUT_FLAGS>,
  words: readonly string[],
): AsyncGenerator<ChoiceExample> {
  if (words.length > 0) {
    if (words.length < 3) throw new UsageError("Cannot choose: a text and two choices or more are wanted");
    return yield { text: words[0], choices: words.slice(1) };
  }
  const { input = "-", input_format } = values;
  if (input_format === "lines") {
    throw new UsageError("Cannot choose from lines: rows with choices are wanted");
  }
  const format = (input_format ?? (input === "-" ? "jsonl" : undefined)) as DataFormat | undefined;
  for await (const { name, line, values: row } of readRecords(input, { format })) {
    yield choiceExample(row, { name, line });
  }
}

/**
 * Chooses, some rows at a time as they come.
 *
 * @throws {DataError} if a row has no text or no choices.
 */
export async function* predictChoices(
  model: string,
  hub: HubOptions,
  values: FlagValues<typeof INPUT_FLAGS> & { batch_size?: number },
  words: readonly string[],
): AsyncGenerator<PredictedChoice[]> {
  const trainer = new Trainer({
    model: await AutoModelForMultipleChoice.from_pretrained(model, hub),
    tokenizer: await BertTokenizer.from_pretrained(model, hub),
    args: { per_device_eval_batch_size: values.batch_size ?? 8 },
  });
  const predict = async (examples: ChoiceExample[]): Promise<PredictedChoice[]> => {
    const { predictions } = await trainer.predict(examples.map(({ text, choices }) => ({ text, choices })));
    return (predictions as number[][]).map((row, i): PredictedChoice => {
      const scores = Array.from(softmax(row)), label = argmax(scores), example = examples[i];
      const answer = example.choices[label], score = scores[label];
      return {
        example,
        rows: [[answer, score.toFixed(6), example.text]],
        json: { answer, label, score, scores },
      };
    });
  };
  let some: ChoiceExample[] = [];
  for await (const example of readChoices(values, words)) {
    if (some.length > 0 && some[0].choices.length !== example.choices.length || some.length === AT_A_TIME) {
      yield await predict(some);
      some = [];
    }
    some.push(example);
  }
  if (some.length > 0) yield await predict(some);
}
