/**
 * Texts from the command line, a file or standard input, some at a time as they come.
 *
 * @module
 */
import type { DataFormat, TextExample } from "../data/mod.ts";
import { formatOfName } from "../data/format.ts";
import { load_dataset } from "../datasets/mod.ts";
import { openData } from "../datasets/open.ts";
import type { Flags, FlagValues } from "./flags.ts";

/** Flags of commands that read texts. */
export const INPUT_FLAGS = {
  input: {
    kind: "text",
    value: "FILE",
    short: "i",
    help: "where texts come from; default: - (standard input)",
  },
  input_format: {
    ...{ kind: "text", value: "NAME", choices: ["lines", "csv", "tsv", "jsonl", "json", "parquet"] },
    help: "lines (one text a line), csv, tsv, jsonl, json, parquet; default: by name, else lines",
  },
  text: { kind: "text", value: "COLUMN", help: "the column of the text; default: found by its name" },
  text_pair: { kind: "text", value: "COLUMN", help: "the column of the second text of a pair" },
} as const satisfies Flags;

/** At most so many texts are handed on at a time. */
const MOST_TEXTS = 256;

/**
 * Reads texts; lines are handed on as soon as they are there.
 *
 * @throws {DataError} if the input is malformed.
 */
export async function* readTexts(
  values: FlagValues<typeof INPUT_FLAGS>,
  words: readonly string[],
): AsyncGenerator<TextExample[]> {
  if (words.length > 0) return yield words.map((text) => ({ text }));
  const { input = "-", text, text_pair } = values;
  const format = values.input_format ?? formatOfName(input) ?? (/^hf:/.test(input) ? undefined : "lines");
  if (format === "lines") return yield* readLines(input);
  const options = { format: format as DataFormat | undefined, text, text_pair, label: null };
  for await (const batch of (await load_dataset(input, { ...options, streaming: true })).batches()) {
    for (let at = 0; at < batch.length; at += MOST_TEXTS) yield batch.slice(at, at + MOST_TEXTS);
  }
}

async function* readLines(input: string): AsyncGenerator<TextExample[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for (const file of await openData(input, {})) {
    for await (const bytes of file.chunks()) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop()!;
      yield* examplesOf(lines);
    }
  }
  if (rest !== "") yield* examplesOf([rest]);
}

function* examplesOf(lines: readonly string[]): Generator<TextExample[]> {
  for (let at = 0; at < lines.length; at += MOST_TEXTS) {
    yield lines.slice(at, at + MOST_TEXTS).map((line) => ({ text: line.replace(/\r$/, "") }));
  }
}

/** A row of a TSV file; tabs and line ends in a field become spaces. */
export function tsvLine(fields: readonly (string | number)[]): string {
  return fields.map((field) => String(field).replace(/[\t\r\n]+/g, " ")).join("\t") + "\n";
}
