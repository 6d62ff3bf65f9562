/**
 * `berth predict`: texts -> labels, as they come.
 *
 * @module
 */
import { pipeline } from "../pipelines/mod.ts";
import { dispose } from "../runtime/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS, RUNTIME_FLAGS } from "./command.ts";
import { hubOptions, required, startRuntime } from "./models.ts";
import { INPUT_FLAGS, readTexts, tsvLine } from "./text_input.ts";

export const command: Command = defineCommand({
  usage: "--model NAME [TEXT...]",
  about:
    `Labels texts: those on the command line, else one a line from standard input, or a column of a file. Answers
come as texts come, in their order: lines of TSV (label, score, text), with --json of JSON with all scores.`,
  words: [0, Infinity],
  flags: {
    ...MODEL_FLAGS,
    ...INPUT_FLAGS,
    dtype: {
      ...{ kind: "text", value: "FORM", choices: ["fp32", "q8"] },
      help: "the weights: fp32, or q8 (8 bits: faster, less memory)",
    },
    batch_size: { kind: "number", help: "texts of a pass; 32" },
    ...RUNTIME_FLAGS,
  },
  examples: [
    ['berth predict -m out/run/model "I love baseball." "I hate baseball."', "two texts"],
    ["cat texts.txt | berth predict -m out/run/model | cut -f1 | sort | uniq -c", "how many of each label"],
    [
      "berth predict -m out/run/model -i reviews.csv --text review --json > labels.jsonl",
      "a column of a file",
    ],
  ],
  async run({ values, positionals, terminal, json }) {
    const name = required(values.model, "--model NAME"), { batch_size } = values;
    try {
      await startRuntime(values);
      const classify = await pipeline("text-classification", name, {
        ...hubOptions(values, terminal),
        dtype: values.dtype as "fp32" | undefined,
      });
      const options = { top_k: null, ...(batch_size === undefined ? {} : { batch_size }) } as const;
      for await (const examples of readTexts(values, positionals)) {
        const all = await classify(examples, options);
        const lines = examples.map((example, i) => {
          const [{ label, score }] = all[i];
          if (!json) return tsvLine([label, score.toFixed(6), example.text, ...pairOf(example)]);
          const scores = Object.fromEntries(all[i].map((one) => [one.label, one.score]));
          return JSON.stringify({ ...example, label, score, scores }) + "\n";
        });
        await terminal.out(lines.join(""));
      }
    } finally {
      dispose();
    }
  },
});

function pairOf({ text_pair }: { text_pair?: string }): string[] {
  return text_pair === undefined ? [] : [text_pair];
}
