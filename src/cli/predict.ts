/**
 * `berth predict`: texts -> labels, entities, answers or words, as they come.
 *
 * @module
 */
import { dispose } from "../runtime/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS, RUNTIME_FLAGS } from "./command.ts";
import { hubOptions, readConfig, required, startRuntime } from "./models.ts";
import { predictChoices } from "./choice_predictor.ts";
import { CHOICE_TASK, taskOf, TASKS } from "./predictors.ts";
import { INPUT_FLAGS, readTexts, tsvLine } from "./text_input.ts";

export const command: Command = defineCommand({
  usage: "--model NAME [TEXT...]",
  about:
    `Labels texts: those on the command line, else one a line from standard input, or a column of a file. Answers
come as texts come, in their order, as lines of TSV, with --json of JSON with all that the model says:
  text-classification   label, score, text
  token-classification  label, score, words, text: one line an entity
  question-answering    answer, score, question (--text), found in the context (--text-pair)
  multiple-choice       answer, score, text; on the command line a text and its choices, else rows with choices
  fill-mask             word, score, text: five for each [MASK]`,
  words: [0, Infinity],
  flags: {
    ...MODEL_FLAGS,
    task: {
      kind: "text",
      value: "NAME",
      choices: [...Object.keys(TASKS), CHOICE_TASK],
      help: "default: what the model was trained for",
    },
    ...INPUT_FLAGS,
    dtype: {
      ...{ kind: "text", value: "FORM", choices: ["fp32", "q8"] },
      help: "the weights: fp32, or q8 (8 bits: faster, less memory)",
    },
    batch_size: { kind: "number", help: "texts of a pass" },
    ...RUNTIME_FLAGS,
  },
  examples: [
    ['berth predict -m out/run/model "I love baseball." "I hate baseball."', "two texts"],
    ["cat texts.txt | berth predict -m out/run/model | cut -f1 | sort | uniq -c", "how many of each label"],
    [
      "berth predict -m out/run/model -i reviews.csv --text review --json > labels.jsonl",
      "a column of a file",
    ],
    [
      'berth predict -m out/choice/model "It rains, so" "she takes an umbrella." "he swims."',
      "one of two choices",
    ],
    ['berth predict -m berth-tiny "I love to [MASK] baseball."', "words for a gap"],
  ],
  async run({ values, positionals, terminal, json }) {
    const name = required(values.model, "--model NAME"), hub = hubOptions(values, terminal);
    const task = values.task ?? taskOf(name, (await readConfig(name, hub)).architectures);
    const call = values.batch_size === undefined ? {} : { batch_size: values.batch_size };
    try {
      await startRuntime(values);
      if (task === CHOICE_TASK) {
        for await (const found of predictChoices(name, hub, values, positionals)) {
          const lines = found.map(({ example, rows, json: answer }) =>
            json ? JSON.stringify({ ...example, ...answer }) + "\n" : rows.map(tsvLine).join("")
          );
          await terminal.out(lines.join(""));
        }
        return;
      }
      const predict = await TASKS[task](name, { ...hub, dtype: values.dtype as "fp32" | undefined }, call);
      for await (const examples of readTexts(values, positionals)) {
        const lines = (await predict(examples)).map(({ rows, json: found }, i) =>
          json ? JSON.stringify({ ...examples[i], ...found }) + "\n" : rows.map(tsvLine).join("")
        );
        await terminal.out(lines.join(""));
      }
    } finally {
      dispose();
    }
  },
});
