/**
 * `berth eval`: a classifier on a file of labelled examples -> metrics.
 *
 * @module
 */
import { BertTokenizer } from "../hub/mod.ts";
import { BertConfig } from "../model/mod.ts";
import { dispose } from "../runtime/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS, RUNTIME_FLAGS } from "./command.ts";
import { hubOptions, readConfig, required, startRuntime } from "./models.ts";
import { contextOf, measure } from "./prepared_run.ts";
import { formatClasses, formatMetrics } from "./results.ts";
import { repeatable } from "./tasks/files.ts";
import { loadTrained, requiredTask } from "./tasks/mod.ts";
import { DATA_FLAGS } from "./training_flags.ts";

export const command: Command = defineCommand({
  usage: "--model NAME --test FILE",
  about: `Measures a trained model on labelled examples, by its task:
  text-classification   loss, accuracy, F1, scores of each class; of numbers errors and correlations
  token-classification  entity precision, recall and F1 as seqeval counts them, each type's scores
  question-answering    exact match and F1 in percent, as SQuAD counts them
  multiple-choice       accuracy
  fill-mask             loss and perplexity
The file's labels are the model's names, or their numbers.`,
  flags: {
    ...MODEL_FLAGS,
    test: { kind: "text", value: "FILE", help: "the examples; - for standard input" },
    ...DATA_FLAGS,
    max_length: { kind: "number", help: "tokens at which texts are cut; the model's limit" },
    batch_size: { kind: "number", help: "examples of a pass; 32" },
    ...RUNTIME_FLAGS,
  },
  examples: [
    ["berth eval --model out/run/model --test test.tsv", "metrics as a table"],
    [
      "berth eval --model out/run/model --test test.tsv --json | jq .metrics.accuracy",
      "one number for a script",
    ],
  ],
  async run({ values, terminal, json }) {
    const file = required(values.test, "--test FILE, the examples"),
      name = required(values.model, "--model NAME");
    try {
      const hub = hubOptions(values, terminal), config = await readConfig(name, hub);
      const task = requiredTask("measure", name, config.architectures, values.task),
        labels = task.labelsOf(new BertConfig(config));
      const { examples, known } = await task.read(await repeatable(file), values, terminal, labels);
      const tokenizer = await BertTokenizer.from_pretrained(name, hub);
      const settings = { ...values, per_device_eval_batch_size: values.batch_size };
      const context = contextOf(settings, tokenizer, new BertConfig(config), known);
      await startRuntime(values);
      const model = await loadTrained(task, name, hub),
        set = { examples, rows: task.rows(examples, context, true) };
      const measured = await measure(model, task, set, context, terminal, "eval");
      const metrics = Object.fromEntries(
        Object.entries(measured.metrics).map(([key, value]) => [key.replace(/^eval_/, ""), value]),
      );
      const { confusion, perClass } = measured.results;
      if (json) {
        const result = { examples: examples.length, metrics, classes: perClass, confusion };
        return await terminal.out(JSON.stringify(result) + "\n");
      }
      await terminal.out(formatMetrics({ examples: examples.length, ...metrics }));
      if (perClass) await terminal.out(`\n${formatClasses(perClass)}`);
    } finally {
      dispose();
    }
  },
});
