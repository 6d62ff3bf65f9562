/**
 * `berth tokenize`: texts -> tokens.
 *
 * @module
 */
import { BertTokenizer } from "../hub/mod.ts";
import { type Command, defineCommand, MODEL_FLAGS } from "./command.ts";
import { hubOptions } from "./models.ts";
import { INPUT_FLAGS, readTexts } from "./text_input.ts";

export const command: Command = defineCommand({
  usage: "[--model NAME] [TEXT...]",
  about:
    `Shows the tokens of texts: one line a text, with --json their numbers and places too. Texts come from the
command line, else one a line from standard input, or from a column of a file.`,
  words: [0, Infinity],
  flags: {
    ...MODEL_FLAGS,
    ...INPUT_FLAGS,
    max_length: { kind: "number", help: "cuts longer texts; default: nothing is cut" },
    ids: { kind: "switch", help: "writes the tokens' numbers instead of the tokens" },
  },
  examples: [
    ['berth tokenize "Unbelievable plays!"', "[CLS] un ##believable plays ! [SEP]"],
    ['berth tokenize -m bert-base-uncased --json "Hello, world"', "input_ids, tokens and offsets"],
  ],
  async run({ values, positionals, terminal, json }) {
    const { model = "berth-tiny", max_length, ids } = values;
    const tokenizer = await BertTokenizer.from_pretrained(model, hubOptions(values, terminal));
    const cut = max_length === undefined ? { truncation: false } : { truncation: true, max_length };
    for await (const examples of readTexts(values, positionals)) {
      const lines = examples.map(({ text, text_pair }) => {
        const encoding = tokenizer(text, { ...cut, text_pair, return_offsets_mapping: true });
        const { input_ids, token_type_ids, offset_mapping: offsets } = encoding, tokens = encoding.tokens();
        if (json) return JSON.stringify({ text, text_pair, tokens, input_ids, token_type_ids, offsets });
        return (ids ? input_ids : tokens).join(" ");
      });
      await terminal.out(lines.map((line) => `${line}\n`).join(""));
    }
  },
});
