/**
 * Files as they are, for tasks that are no text with a label: rows with their places, and whole texts.
 *
 * @module
 */
import { dataError } from "../data/problem.ts";
import { TextDecoding } from "../data/text_decoding.ts";
import { type LoadOptions, openRows, reported, textStart } from "./load_dataset.ts";
import { type DataLocation, openData } from "./open.ts";

/** A row of a file, by column. */
export interface FileRecord {
  /** The file. */
  readonly name: string;
  /** Where the row begins. */
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The longest text: strings have limits of their own. */
const MAX_TEXT = 2 ** 28;

/** The bytes of one file. */
async function openOne(input: DataLocation, options: LoadOptions) {
  const files = await openData(input, options), [{ name }] = files;
  if (files.length === 1) return { name, ...await textStart(name, reported(files[0], options)) };
  throw dataError(name, {}, `it is one of ${files.length} files, one file is wanted`);
}

/**
 * Reads the rows of CSV, TSV, JSONL, JSON or Parquet.
 *
 * @throws {DataError} at the first thing that is malformed, with its line and column.
 */
export async function* readRecords(
  input: DataLocation,
  options: LoadOptions,
): AsyncGenerator<FileRecord> {
  const source = await openRows(input, options);
  for await (const { name = source.name, columns, rows } of source.batches()) {
    for (const { line, values } of rows) {
      const named = columns && Object.fromEntries(
        columns.map((column, i) => [column, (values as readonly unknown[])[i]]),
      );
      yield { name, line, values: named ?? values as Readonly<Record<string, unknown>> };
    }
  }
}

/**
 * Reads a whole text file: UTF-8 or UTF-16, perhaps compressed by gzip.
 *
 * @throws {DataError} if it is no text, or longer than 2^28 characters.
 */
export async function readWholeText(
  input: DataLocation,
  options: LoadOptions,
): Promise<{ name: string; text: string }> {
  const { name, chunks } = await openOne(input, options), decoding = new TextDecoding(name);
  const parts: string[] = [];
  let length = 0;
  const add = (part: string) => {
    parts.push(part);
    length += part.length;
    if (length > MAX_TEXT) throw dataError(name, {}, `it has more than ${MAX_TEXT} characters; split it`);
  };
  for await (const bytes of chunks) for (const part of decoding.push(bytes)) add(part);
  for (const part of decoding.end()) add(part);
  return { name, text: parts.join("") };
}

/** The beginning of a file, decompressed. */
export async function readHead(
  input: DataLocation,
  options: LoadOptions,
): Promise<{ name: string; head: Uint8Array }> {
  const { name, head, chunks } = await openOne(input, options);
  await chunks[Symbol.asyncIterator]().return?.();
  return { name, head };
}
