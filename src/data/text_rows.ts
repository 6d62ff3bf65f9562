/**
 * The bytes of a text file -> its rows, in batches, whatever the size of the file.
 *
 * @module
 */
import { CsvParser } from "./csv.ts";
import { type DataFormat, detectDelimiter, nameOf } from "./format.ts";
import { JsonLinesParser, JsonListParser } from "./json_rows.ts";
import { detectColumns } from "./header.ts";
import { dataError } from "./problem.ts";
import type { RowBatch, RowLimits, RowParser } from "./rows.ts";
import { TextDecoding } from "./text_decoding.ts";

/** How rows are read. */
export interface RowOptions extends RowLimits {
  /** Default: what the name ends with, else what the file begins with. */
  format?: DataFormat;
  /** What stands between the fields of CSV and TSV. Default: found out. */
  delimiter?: string;
  /**
   * What stands around fields of CSV and TSV; `null` if quotes are text. Default: `'"'` for CSV, `null` for TSV, as
   * GLUE's files want it.
   */
  quote?: string | null;
  /**
   * The names of the columns of a CSV or TSV file without a header line; `true` numbers them from 0. Default: those of the
   * first line, unless that is clearly an example.
   */
  column_names?: readonly string[] | true;
}

/** The delimiter is found out from so much of the text. */
const SAMPLE_LENGTH = 2 ** 15;

/** Rows of a text file, and what was found out about it. */
export interface TextRows extends AsyncIterable<RowBatch> {
  /** Sentences for the user; whole when the first batch is there. */
  readonly notes: readonly string[];
}

/**
 * Reads the rows of a text file.
 *
 * @param name Its name, for messages.
 * @param chunks Its bytes, in pieces of any size.
 * @param format What it is.
 * @throws {DataError} while the rows are read, at the first place that is malformed.
 */
export function readTextRows(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  format: Exclude<DataFormat, "parquet">,
  options: RowOptions = {},
): TextRows {
  const notes: string[] = [];
  return { notes, [Symbol.asyncIterator]: () => read(name, chunks, format, options, notes) };
}

async function* read(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  format: Exclude<DataFormat, "parquet">,
  options: RowOptions,
  notes: string[],
): AsyncGenerator<RowBatch> {
  const decoding = new TextDecoding(name);
  let parser: RowParser | undefined, sample = "";
  const push = (text: string): RowBatch | undefined => {
    if (parser) return parser.push(text);
    sample += text;
    if (sample.length < SAMPLE_LENGTH) return undefined;
    return (parser = makeParser(name, format, options, sample, notes)).push(sample);
  };
  for await (const bytes of chunks) {
    for (const text of decoding.push(bytes)) {
      const batch = push(text);
      if (batch && batch.rows.length > 0) yield batch;
    }
  }
  for (const text of decoding.end()) {
    const batch = push(text);
    if (batch && batch.rows.length > 0) yield batch;
  }
  if (!parser) {
    if (sample.trim() === "") throw dataError(name, {}, "it is empty");
    parser = makeParser(name, format, options, sample, notes);
    const batch = parser.push(sample);
    if (batch.rows.length > 0) yield batch;
  }
  const batch = parser.end();
  if (batch.rows.length > 0) yield batch;
}

function makeParser(
  name: string,
  format: Exclude<DataFormat, "parquet">,
  options: RowOptions,
  sample: string,
  notes: string[],
): RowParser {
  if (format === "jsonl") return new JsonLinesParser(name, options);
  if (format === "json") return new JsonListParser(name, options);
  const { quote = format === "csv" ? '"' : null } = options;
  for (const [option, value] of Object.entries({ delimiter: options.delimiter, quote })) {
    if (value == null || (value.length === 1 && !/[\r\n]/.test(value))) continue;
    throw dataError(name, {}, `the option ${option} is ${JSON.stringify(value)}, wanted one character`);
  }
  const { delimiter, note } = options.delimiter === undefined
    ? detectDelimiter(name, sample, format === "csv" ? "," : "\t", quote)
    : { delimiter: options.delimiter };
  if (note) notes.push(note);
  if (options.delimiter !== undefined) checkDelimiter(name, delimiter, quote, sample);
  const found = options.column_names === undefined
    ? detectColumns(name, sample, { delimiter, quote })
    : undefined;
  if (found) notes.push(found.note);
  return new CsvParser(name, {
    ...options,
    ...(found ? { column_names: found.names } : {}),
    delimiter,
    quote,
  });
}

/** A delimiter that was given but does not occur, where another one would do, is a mistake. */
function checkDelimiter(name: string, delimiter: string, quote: string | null, sample: string): void {
  const first = sample.slice(0, sample.indexOf("\n") >>> 0);
  if (first.includes(delimiter)) return;
  const found = detectDelimiter(name, sample, delimiter, quote);
  if (found.delimiter === delimiter) return;
  throw dataError(
    name,
    { line: 1 },
    `the delimiter ${nameOf(delimiter)} does not occur in it; ${
      nameOf(found.delimiter)
    } would make columns of it`,
  );
}
