/**
 * `berth embed`: texts -> vectors, as they come.
 *
 * @module
 */
import { SentenceTransformer } from "../model/mod.ts";
import { dispose } from "../runtime/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS, RUNTIME_FLAGS } from "./command.ts";
import { hubOptions, required, startRuntime } from "./models.ts";
import { INPUT_FLAGS, readTexts } from "./text_input.ts";

/** Digits that tell every 32-bit float from its neighbours. */
const DIGITS = 9;

export const command: Command = defineCommand({
  usage: "--model NAME [TEXT...]",
  about:
    `Makes a vector of each text: of a sentence-transformers model as it says, of any other BERT the mean of its
tokens. One line a text, its numbers with tabs between them, with --json {"text": ..., "embedding": [...]}.`,
  words: [0, Infinity],
  flags: {
    ...MODEL_FLAGS,
    ...INPUT_FLAGS,
    normalize: { kind: "switch", help: "makes every vector 1 long" },
    prompt_name: { kind: "text", value: "NAME", help: "the model's prompt to put before each text" },
    max_length: { kind: "number", help: "tokens at which texts are cut; the model's limit" },
    batch_size: { kind: "number", help: "texts of a pass; 32" },
    ...RUNTIME_FLAGS,
  },
  examples: [
    ['berth embed -m sentence-transformers/all-MiniLM-L6-v2 "A fine game."', "384 numbers"],
    [
      "berth embed -m out/run/model --normalize --json < texts.txt > vectors.jsonl",
      "a line of JSON for each line",
    ],
  ],
  async run({ values, positionals, terminal, json }) {
    const name = required(values.model, "--model NAME"),
      { normalize, prompt_name, max_length, batch_size } = values;
    try {
      await startRuntime(values);
      const model = await SentenceTransformer.from_pretrained(name, {
        ...hubOptions(values, terminal),
        on_report: () => {}, // a classifier's head is not wanted here
      });
      const options = Object.fromEntries(
        Object.entries({ prompt_name, max_length, batch_size }).filter(([, value]) => value !== undefined),
      );
      for await (const examples of readTexts(values, positionals)) {
        const texts = examples.map(({ text }) => text);
        const vectors = await model.encode(texts, { ...options, normalize_embeddings: normalize });
        const lines = vectors.map((vector, i) => {
          const embedding = Array.from(vector, (x) => Number(x.toPrecision(DIGITS)));
          return json ? JSON.stringify({ text: texts[i], embedding }) : embedding.join("\t");
        });
        await terminal.out(lines.map((line) => `${line}\n`).join(""));
      }
    } finally {
      dispose();
    }
  },
});
