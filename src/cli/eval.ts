/**
 * `berth eval`: a classifier on a file of labelled examples -> metrics.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { pipeline } from "../pipelines/mod.ts";
import { dispose } from "../runtime/mod.ts";
import { Trainer } from "../train/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS, RUNTIME_FLAGS } from "./command.ts";
import { labelsOf } from "./known_labels.ts";
import { hubOptions, required, startRuntime } from "./models.ts";
import { Progress } from "./progress.ts";
import { formatClasses, formatMetrics, metricsOf, testResults } from "./results.ts";
import { readExamples } from "./run_data.ts";
import { DATA_FLAGS } from "./training_flags.ts";

export const command: Command = defineCommand({
  usage: "--model NAME --test FILE",
  about:
    "Measures a classifier on labelled examples: loss, accuracy, F1, the scores of each class; or errors and\n" +
    "correlations, if it predicts numbers. The file's labels are the model's names, or their numbers.",
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
      await startRuntime(values);
      const hub = hubOptions(values, terminal),
        { model, tokenizer } = await pipeline("text-classification", name, hub);
      const known = labelsOf(model.config), dataset = await readExamples(file, values, terminal, known);
      if (dataset.num_labels === 0) {
        throw new DataError(`Cannot evaluate on ${file}: it has no labels; use --label`);
      }
      const progress = new Progress(terminal, "evaluate", "examples");
      const trainer = new Trainer({
        ...{ model, tokenizer, compute_metrics: metricsOf(known.problem_type) },
        args: { max_length: values.max_length, per_device_eval_batch_size: values.batch_size ?? 32 },
        callbacks: [{ on_prediction_step: ({ done, total }) => progress.update(done, total) }],
      });
      const prediction = await trainer.predict(dataset, { metric_key_prefix: "eval" });
      const metrics = Object.fromEntries(
        Object.entries(prediction.metrics).map(([key, value]) => [key.replace(/^eval_/, ""), value]),
      );
      const { confusion, perClass } = testResults(
        prediction,
        dataset.examples,
        known.problem_type,
        known.labels,
      );
      if (json) {
        const result = { examples: dataset.length, metrics, classes: perClass, confusion };
        return await terminal.out(JSON.stringify(result) + "\n");
      }
      await terminal.out(formatMetrics({ examples: dataset.length, ...metrics }));
      if (perClass) await terminal.out(`\n${formatClasses(perClass)}`);
    } finally {
      dispose();
    }
  },
});
