/**
 * Masked words in plain text: documents with empty lines between, or the texts of rows, packed into rows of tokens.
 *
 * @module
 */
import { parseDocuments, textBlocks } from "../../data/mod.ts";
import { dataError } from "../../data/problem.ts";
import { load_dataset } from "../../datasets/mod.ts";
import { readWholeText } from "../../datasets/records.ts";
import { AutoModelForMaskedLM } from "../../model/mod.ts";
import { dataCollatorForLanguageModeling } from "../../train/mod.ts";
import { fileKind, nameOf, readOptions } from "./files.ts";
import { defineTask, NO_CLASSES, type Task, type TaskContext } from "./task.ts";

/** Tokens of a row, unless the user says otherwise. */
const ROW_LENGTH = 128;

/** A document. */
interface Document {
  readonly text: string;
}

export const fillMask: Task = defineTask<Document>({
  name: "fill-mask",
  about: "masked words, on plain text with empty lines between documents, or on the texts of rows",
  head: "ForMaskedLM",
  model: AutoModelForMaskedLM,
  async read(input, settings, terminal) {
    const options = readOptions(input, settings, terminal), name = nameOf(input), { text } = settings;
    const isText = await fileKind(input, settings, options) === "text";
    const texts = isText
      ? parseDocuments((await readWholeText(input, options)).text)
      : (await load_dataset(input, { ...options, text, label: null })).examples.map(({ text }) => text);
    const examples = texts.filter((text) => text.trim() !== "").map((text) => ({ text }));
    if (examples.length === 0) throw dataError(name, {}, "it has no text");
    return { name, examples, known: NO_CLASSES, notes: [] };
  },
  labelsOf: () => NO_CLASSES,
  modelOptions: () => ({}),
  rows: blocks,
  collator({ tokenizer, settings: { mlm_probability, whole_word_mask } }) {
    return dataCollatorForLanguageModeling({ tokenizer, mlm_probability, whole_word_mask });
  },
  summary({ examples, rows }, _test, context) {
    const lengths = (rows as ReturnType<typeof blocks>).map(({ input_ids }) => input_ids.length);
    const tokens = lengths.reduce((sum, length) => sum + length, 0), most = lengthOf(context);
    const text = `${examples.length} texts, ${rows.length} rows of up to ${most} tokens, ${tokens} in all`;
    return { text, longest: lengths.reduce((a, b) => Math.max(a, b), 0) };
  },
  derived: (metrics) =>
    Object.fromEntries(
      Object.entries(metrics).flatMap(([name, value]) =>
        /^(eval|test)_loss$/.test(name)
          ? [[name, value], [name.replace("loss", "perplexity"), Math.exp(value)]]
          : [[name, value]]
      ),
    ),
  results: () => ({ predictions: [], worst: [] }),
});

function lengthOf({ settings, max_length }: TaskContext): number {
  return settings.max_length ?? Math.min(ROW_LENGTH, max_length);
}

function blocks(examples: readonly Document[], context: TaskContext) {
  return textBlocks(examples.map(({ text }) => text), context.tokenizer, { max_length: lengthOf(context) });
}
