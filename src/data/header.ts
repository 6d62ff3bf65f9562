/**
 * Files without a header line: told by a first line whose label other lines have too.
 *
 * @module
 */
import { isUsualName } from "./columns.ts";
import { type CsvDialect, CsvParser } from "./csv.ts";
import { quote } from "./problem.ts";

/** Names for the columns, and a sentence for the user. */
export interface FoundColumns {
  readonly names: readonly string[];
  readonly note: string;
}

/** So many lines tell. */
const LEAST_LINES = 4;

/**
 * Names the columns if the first line is an example: two columns, or three, of which one repeats its first value in other
 * lines and has few different ones. That is the label, the others are texts. Undefined if the first line may be a header.
 *
 * @param sample The beginning of the text.
 */
export function detectColumns(name: string, sample: string, dialect: CsvDialect): FoundColumns | undefined {
  const rows = linesOf(name, sample, dialect), [first, ...rest] = rows;
  if (rows.length < LEAST_LINES || first.length < 2 || first.length > 3 || first.some(isUsualName)) {
    return undefined;
  }
  const kinds = first.map((_, k) => new Set(rest.map((row) => row[k])).size);
  const repeated = first.flatMap((value, k) =>
    kinds[k] <= rest.length / 2 && rest.some((row) => row[k] === value) ? [k] : []
  );
  if (repeated.length === 0) return undefined;
  const label = repeated.reduce((best, k) => kinds[k] < kinds[best] ? k : best),
    texts = ["text", "text_pair"];
  const names = first.map((_, k) => k === label ? "label" : texts.shift()!);
  const why = `${quote(first[label])} of line 1 stands in column ${label + 1} of other lines too`;
  return { names, note: `the file has no header line (${why}): its columns are ${names.join(", ")}` };
}

/** The lines of a sample that is not malformed, as fields. */
function linesOf(name: string, sample: string, dialect: CsvDialect): string[][] {
  try {
    const { rows } = new CsvParser(name, { ...dialect, column_names: true }).push(sample);
    return rows.map(({ values }) => values as string[]);
  } catch {
    return [];
  }
}
