/**
 * The files of tasks: how they are read, and what they look like.
 *
 * @module
 */
import { formatOf, formatOfName } from "../../data/format.ts";
import { dataError, listed, nearest, quote } from "../../data/problem.ts";
import type { LoadOptions } from "../../datasets/mod.ts";
import { type FileRecord, readHead } from "../../datasets/records.ts";
import { standardInput } from "../../runtime/platform.ts";
import { hubOptions } from "../models.ts";
import type { RunSettings } from "../training_flags.ts";
import type { Terminal } from "../terminal.ts";
import type { InputFile } from "./task.ts";

/** What a file looks like: rows with columns, tagged words, questions of SQuAD, or plain text. */
export type FileKind = "rows" | "conll" | "squad" | "text";

/** Ends of the names of files with tagged words. */
const CONLL_NAME = /\.(conll\w*|iob2?|bio|bioes|ner)(\.gz)?$/i;

/** A line of tagged words: no space in the word, an entity's tag at the end. */
const CONLL_LINE = /^\S+([ \t]\S*)*[ \t]([BIESLUM]-\S+|O)$/;

/** How a file is read: its format, and where it is found. */
export function readOptions(input: InputFile, settings: RunSettings, terminal: Terminal): LoadOptions {
  const { format, column_names, delimiter } = settings,
    isRemote = typeof input === "string" && /^(https?|hf):/.test(input);
  return {
    ...{ column_names, delimiter: delimiter === "\\t" ? "\t" : delimiter },
    ...(format === "conll" || format === "text" ? {} : { format: format as "csv" | undefined }),
    ...(isRemote ? hubOptions(settings, terminal) : {}),
  };
}

/** Standard input as a file, so that it can be read again; other files as they are. */
export async function repeatable(input: string): Promise<InputFile> {
  if (input !== "-") return input;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const bytes of standardInput()) parts.push(bytes.slice());
  return new File(parts, "standard input");
}

/** The name of a file, for messages. */
export function nameOf(input: InputFile): string {
  return typeof input === "string" ? input : input.name;
}

/** What a file looks like, by the user's word, its name, and its beginning. */
export async function fileKind(
  input: InputFile,
  settings: RunSettings,
  options: LoadOptions,
): Promise<FileKind> {
  const { format } = settings, named = nameOf(input);
  if (format === "conll" || format === "text") return format;
  if (CONLL_NAME.test(named)) return "conll";
  const told = (format ?? formatOfName(named)) as ReturnType<typeof formatOfName>;
  if (/^hf:/.test(named) || told === "jsonl" || told === "parquet" || told === "csv") return "rows";
  const { name, head } = await readHead(input, options), start = new TextDecoder().decode(head);
  if (/^\ufeff?\s*\{\s*"(version|data)"\s*:/.test(start)) return "squad";
  if (told === undefined && looksTagged(start)) return "conll";
  if (told === "json" || told === undefined && head.length > 0 && formatOf(name, head) !== "csv") {
    return "rows";
  }
  if (told === "tsv") return looksTagged(start) ? "conll" : "rows";
  return "text";
}

function looksTagged(start: string): boolean {
  const lines = start.split(/\r?\n/).slice(0, -1).filter((line) =>
    line.trim() !== "" && !/^(-DOCSTART-|# )/.test(line)
  );
  return lines.length > 0 && lines.every((line) => CONLL_LINE.test(line.trimEnd()));
}

/**
 * The value of a row's column.
 *
 * @param wanted The column that the user names.
 * @param usual The names that such a column has otherwise.
 * @throws {DataError} if there is none.
 */
export function columnValue(
  { name, line, values }: FileRecord,
  role: string,
  wanted: string | undefined,
  usual: readonly string[],
): unknown {
  const column = wanted ?? usual.find((one) => Object.hasOwn(values, one)), names = Object.keys(values);
  if (column !== undefined && Object.hasOwn(values, column)) return values[column];
  const near = wanted === undefined ? undefined : nearest(wanted, names);
  const missing = wanted === undefined
    ? `no column holds the ${role}`
    : `there is no column ${quote(wanted)}`;
  const hint = near === undefined ? `, ${listed(usual)} are looked for` : `; do you mean ${quote(near)}?`;
  throw dataError(name, { line }, `${missing}; there are ${listed(names)}${hint}`);
}
