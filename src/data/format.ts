/**
 * What kind of file it is, by name and content, and what stands between its fields.
 *
 * @module
 */
import { CsvParser } from "./csv.ts";
import { dataError, quote } from "./problem.ts";

/** The formats that are read. `"json"` is a list of objects, `"jsonl"` one object a line. */
export type DataFormat = "csv" | "tsv" | "jsonl" | "json" | "parquet";

/** The formats by the ends of names. */
const EXTENSIONS: Readonly<Record<string, DataFormat>> = {
  csv: "csv",
  tsv: "tsv",
  tab: "tsv",
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "json",
  parquet: "parquet",
};

/** The first bytes of files that are something else, and what they are. */
const STRANGERS: readonly [start: RegExp, what: string][] = [
  // deno-lint-ignore no-control-regex
  [/^PK\x03\x04/, "a zip archive (as .xlsx is); save it as CSV"],
  // deno-lint-ignore no-control-regex
  [/^\x1f\x8b/, "compressed twice"],
  [/^BZh|^\xfd7zXZ|^\x28\xb5\x2f\xfd/, "compressed in a way that is not read here; gzip is"],
  [/^\s*<(!doctype|html)/i, "a web page"],
  [/^version https:\/\/git-lfs/, "a Git LFS pointer, not the file itself"],
  [/^ARROW1/, "an Arrow file; save it as Parquet"],
  [/^SQLite format 3/, "a database"],
];

/** True for the bytes that gzip begins with. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** The format that a name tells, or undefined. */
export function formatOfName(name: string): DataFormat | undefined {
  const bare = name.toLowerCase().replace(/[?#].*$/, "").replace(/\.gz$/, "");
  return EXTENSIONS[/\.([a-z]+)$/.exec(bare)?.[1] ?? ""];
}

/**
 * The format of a file.
 *
 * @param name Its name.
 * @param head Its first bytes, decompressed.
 * @throws {DataError} if it is of a kind that is not read.
 */
export function formatOf(name: string, head: Uint8Array): DataFormat {
  const start = String.fromCharCode(...head.subarray(0, 64));
  if (start.startsWith("PAR1")) return "parquet";
  const stranger = STRANGERS.find(([pattern]) => pattern.test(start));
  if (stranger) throw dataError(name, {}, `it is ${stranger[1]}`);
  const told = formatOfName(name);
  if (told === "parquet") throw dataError(name, {}, "it does not begin as a Parquet file");
  if (told) return told;
  return /^(\xef\xbb\xbf)?\s*[[{]/.test(start) ? "json" : "csv";
}

/** What stands between fields, the usual first. */
const DELIMITERS = [",", "\t", ";", "|"];

/** A delimiter, and a sentence for the user if it is not the usual one. */
export interface Delimiter {
  readonly delimiter: string;
  readonly note?: string;
}

/**
 * Finds out what stands between the fields: the usual delimiter if it makes two columns or more; else another one that
 * makes as many of every line; else the usual one.
 *
 * @param name The file's name, for messages.
 * @param sample The beginning of the text.
 * @param usual `","` or tab.
 * @param quote What stands around fields, or `null`.
 */
export function detectDelimiter(
  name: string,
  sample: string,
  usual: string,
  quote: string | null,
): Delimiter {
  const columnsWith = (delimiter: string, wholeSample: boolean): number => {
    const text = wholeSample ? sample : sample.replace(/\n[\s\S]*$/, "\n");
    try {
      return new CsvParser(name, { delimiter, quote, column_names: wholeSample ? undefined : true }).push(
        text,
      )
        .columns?.length ?? 0;
    } catch {
      return 0;
    }
  };
  if (columnsWith(usual, false) > 1) return { delimiter: usual };
  const others = DELIMITERS.filter((delimiter) => delimiter !== usual)
    .map((delimiter) => ({ delimiter, columns: columnsWith(delimiter, true) }))
    .filter(({ columns }) => columns > 1).sort((a, b) => b.columns - a.columns);
  if (others.length === 0) return { delimiter: usual };
  const { delimiter, columns } = others[0];
  return {
    delimiter,
    note: `fields are separated by ${nameOf(delimiter)} (found: it makes ${columns} columns)`,
  };
}

/** How a message names a delimiter. */
export function nameOf(delimiter: string): string {
  return delimiter === "\t" ? "tab" : quote(delimiter);
}
