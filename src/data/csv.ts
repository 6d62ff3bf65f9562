/**
 * Delimited text (RFC 4180): CSV, TSV and their like. Records end with LF or CR LF; a quoted field may hold
 * delimiters, line ends and doubled quotes; a quote inside an unquoted field is text. Empty lines are skipped.
 *
 * @module
 */
import { countNewlines, dataError } from "./problem.ts";
import {
  MAX_COLUMNS,
  MAX_RECORD_LENGTH,
  type Row,
  type RowBatch,
  type RowLimits,
  type RowParser,
} from "./rows.ts";

/** How delimited text is written. */
export interface CsvDialect {
  /** What stands between fields: one character. */
  readonly delimiter: string;
  /** What stands around fields; `null` if quotes are text, as in GLUE's TSV files. */
  readonly quote: string | null;
}

/** Options of {@linkcode CsvParser}. */
export interface CsvOptions extends CsvDialect, RowLimits {
  /** The names of the columns of a file without a header line; `true` numbers them. Default: the first line has them. */
  readonly column_names?: readonly string[] | true;
}

const LF = 10, CR = 13;

/** A record in the buffer. */
interface CsvRecord {
  fields: string[];
  isEmptyLine: boolean;
  /** Where it ends, or the first field begins that should not be there. */
  oddAt: number;
  /** Where the next one begins. */
  next: number;
}

/** Reads delimited text piece by piece. */
export class CsvParser implements RowParser {
  #buffer = "";
  /** The line at which the buffer begins. */
  #line = 1;
  #columns: readonly string[] | null = null;
  #headerLine = 0;

  /**
   * @param name The file's name, for messages.
   * @param options How it is written.
   */
  constructor(readonly name: string, readonly options: CsvOptions) {
    if (Array.isArray(options.column_names)) this.#columns = this.#checkNames(options.column_names);
  }

  push(text: string): RowBatch {
    this.#buffer = this.#buffer === "" ? text : this.#buffer + text;
    return this.#take(false);
  }

  end(): RowBatch {
    const batch = this.#take(true);
    if (this.#columns) return batch;
    throw dataError(this.name, {}, "it is empty");
  }

  #take(isLast: boolean): RowBatch {
    const rows: Row[] = [];
    let at = 0;
    while (at < this.#buffer.length) {
      const line = this.#line, record = this.#record(at, isLast);
      const { max_record_length = MAX_RECORD_LENGTH } = this.options,
        end = record?.next ?? this.#buffer.length;
      if (end - at > max_record_length) throw this.#tooLong(line, max_record_length);
      if (!record) break;
      at = record.next;
      if (record.isEmptyLine) continue;
      if (this.#columns === null) {
        this.#columns = this.#header(record.fields, line);
        if (this.#headerLine > 0) continue;
      }
      if (record.fields.length !== this.#columns.length) throw this.#ragged(record, line);
      rows.push({ line, values: record.fields });
    }
    this.#buffer = this.#buffer.slice(at);
    return { columns: this.#columns, rows };
  }

  /** The record that begins there, or null if the buffer ends before it does. Counts the lines. */
  #record(begin: number, isLast: boolean): CsvRecord | null {
    const text = this.#buffer, delimiter = this.options.delimiter.charCodeAt(0);
    const quote = this.options.quote?.charCodeAt(0) ?? -1;
    const fields: string[] = [], { max_columns = MAX_COLUMNS } = this.options, wanted = this.#columns?.length;
    let at = begin, lines = 0, oddAt = -1;
    for (;;) {
      if (fields.length === wanted) oddAt = at;
      if (fields.length >= max_columns) {
        throw dataError(this.name, { line: this.#line + lines }, `it has more than ${max_columns} columns`);
      }
      let end: number;
      if (text.charCodeAt(at) === quote) {
        const field = this.#quoted(at, lines, isLast);
        if (!field) return null;
        fields.push(field.value);
        lines += field.lines;
        end = field.end;
      } else {
        end = at;
        for (let code; end < text.length && (code = text.charCodeAt(end)) !== delimiter && code !== LF;) {
          end++;
        }
        if (end === text.length && !isLast) return null;
        const isCrLf = text.charCodeAt(end) === LF && end > at && text.charCodeAt(end - 1) === CR;
        fields.push(text.slice(at, isCrLf ? end - 1 : end));
      }
      if (end < text.length && text.charCodeAt(end) === delimiter) {
        at = end + 1;
        continue;
      }
      const next = Math.min(text.length, end + (text.charCodeAt(end) === CR ? 2 : 1));
      const isEmptyLine = fields.length === 1 && fields[0] === "" && text.charCodeAt(at) !== quote;
      this.#line += lines + 1;
      return { fields, isEmptyLine, next, oddAt: oddAt < 0 ? end : oddAt };
    }
  }

  /** The quoted field that begins there: its value, the lines it spans, and what follows its closing quote. */
  #quoted(
    begin: number,
    linesBefore: number,
    isLast: boolean,
  ): { value: string; lines: number; end: number } | null {
    const text = this.#buffer, quote = this.options.quote!;
    let hasDoubled = false, close = begin;
    for (;;) {
      close = text.indexOf(quote, close + 1);
      if (close < 0) {
        if (!isLast) return null;
        throw this.#at(begin, this.#line + linesBefore, "the quote that begins here has no end");
      }
      if (text[close + 1] !== quote) break;
      hasDoubled = true;
      close++;
    }
    if (close + 2 >= text.length && !isLast) return null; // what follows may be cut: a second quote, or CR LF
    const end = close + 1, after = text.charCodeAt(end);
    const isEnd = end === text.length || after === this.options.delimiter.charCodeAt(0) || after === LF ||
      (after === CR && text.charCodeAt(end + 1) === LF);
    const inside = text.slice(begin + 1, close);
    const lines = countNewlines(inside);
    if (!isEnd) {
      throw this.#at(
        end,
        this.#line + linesBefore + lines,
        "there is text after a closing quote; quotes inside a field are doubled",
      );
    }
    return { value: hasDoubled ? inside.replaceAll(quote + quote, quote) : inside, lines, end };
  }

  #at(position: number, line: number, problem: string): Error {
    const column = position === 0 ? 1 : position - this.#buffer.lastIndexOf("\n", position - 1);
    return dataError(this.name, { line, column }, problem);
  }

  #tooLong(line: number, limit: number): Error {
    const isOpen = this.options.quote !== null && this.#buffer.includes(this.options.quote);
    const reason = isOpen ? "; perhaps a quote has no end" : "";
    const problem =
      `the record that begins here has more than ${limit} characters${reason}; max_record_length allows more`;
    return dataError(this.name, { line }, problem);
  }

  #header(fields: string[], line: number): readonly string[] {
    const { column_names } = this.options;
    if (column_names === true) return fields.map((_, k) => String(k));
    this.#headerLine = line;
    const odd = fields.findIndex((field) => field.includes("\r"));
    if (odd >= 0) throw dataError(this.name, { line }, "its lines end with CR alone; LF or CR LF is wanted");
    return this.#checkNames(fields.map((field) => field.trim()), line);
  }

  #checkNames(names: readonly string[], line?: number): readonly string[] {
    const twice = names.find((name, k) => names.indexOf(name) !== k);
    if (twice === undefined) return names;
    throw dataError(this.name, { line }, `two columns have the name ${JSON.stringify(twice.slice(0, 100))}`);
  }

  #ragged({ fields, oddAt }: CsvRecord, line: number): Error {
    const wanted = this.#columns!.length, { delimiter, quote } = this.options;
    const source = this.#headerLine > 0 ? `line ${this.#headerLine}` : "the columns' names";
    const hint = fields.length > wanted && quote !== null
      ? `; a field that holds ${JSON.stringify(delimiter)} must be quoted`
      : "";
    const inside = fields.slice(0, wanted).reduce((sum, field) => sum + countNewlines(field), 0);
    return this.#at(
      oddAt,
      line + inside,
      `there are ${fields.length} fields, expected ${wanted} as in ${source}${hint}`,
    );
  }
}

/**
 * Writes rows as delimited text, so that they are read again as they were. Fields are quoted where they must be.
 *
 * @param columns The names of the columns.
 * @param rows The fields of each row, as many.
 * @param dialect Default: comma and double quote.
 * @returns The text, each line with LF.
 * @throws {DataError} if a row has another length, or without quotes a field cannot be written.
 *
 * @example
 * ```ts
 * import { formatCsv } from "@berth/berth";
 *
 * console.log(formatCsv(["text", "label"], [["Fine, thanks", "1"]])); // text,label\n"Fine, thanks",1\n
 * ```
 */
export function formatCsv(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  dialect: CsvDialect = { delimiter: ",", quote: '"' },
): string {
  const { delimiter, quote } = dialect;
  const write = (field: string, alone: boolean): string => {
    const isPlain = !field.includes(delimiter) && !/[\r\n]/.test(field) && !(alone && field === "") &&
      !(quote !== null && field.startsWith(quote));
    if (isPlain) return field;
    if (quote === null) {
      throw dataError(
        "text to be written",
        {},
        `a field holds a delimiter or a line end, and there are no quotes`,
      );
    }
    return quote + field.replaceAll(quote, quote + quote) + quote;
  };
  return [columns, ...rows].map((row, i) => {
    if (row.length !== columns.length) {
      throw dataError(
        "rows to be written",
        { line: i },
        `there are ${row.length} fields, expected ${columns.length}`,
      );
    }
    return row.map((field) => write(field, columns.length === 1)).join(delimiter) + "\n";
  }).join("");
}
