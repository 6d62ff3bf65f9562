/**
 * Rows as they stand in a file, before anything is known about their meaning.
 *
 * @module
 */

/** One record of a file. */
export interface Row {
  /** The line at which it begins, from 1; the row's number in files without lines. */
  readonly line: number;
  /** Values in the order of the columns, or by name. */
  readonly values: readonly unknown[] | Readonly<Record<string, unknown>>;
}

/** Some rows, and the names of the columns that all rows have; `null` if each row names its own. */
export interface RowBatch {
  /** The file that they come from, where there are several. */
  readonly name?: string;
  /** The names of the columns. */
  readonly columns: readonly string[] | null;
  /** The rows. */
  readonly rows: readonly Row[];
}

/** Turns the text of a file, piece by piece, into rows. */
export interface RowParser {
  /** Takes a piece of text, cut anywhere. */
  push(text: string): RowBatch;
  /** Takes the end of the file. */
  end(): RowBatch;
}

/** Limits that keep hostile files from filling the memory. */
export interface RowLimits {
  /** The longest record, in UTF-16 units: an unclosed quote must not swallow the file. Default 1,048,576. */
  max_record_length?: number;
  /** The most columns. Default 10,000. */
  max_columns?: number;
}

/** The default of {@linkcode RowLimits.max_record_length}. */
export const MAX_RECORD_LENGTH: number = 2 ** 20;

/** The default of {@linkcode RowLimits.max_columns}. */
export const MAX_COLUMNS = 10_000;
