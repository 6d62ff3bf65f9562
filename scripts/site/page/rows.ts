/** Pasted text -> rows of fields. Forgiving where a file would be refused: each line stands for itself. */
import { CsvParser } from "../../../src/data/csv.ts";
import { detectDelimiter } from "../../../src/data/format.ts";
import type { Problem } from "./examples.ts";

/** A row, and the line at which it begins. */
export interface TextRow {
  line: number;
  fields: string[];
}

/** A quoted field goes over this many lines at most. */
const MAX_LINES = 40;

/** The delimiter is found out from so much of the text. */
const SAMPLE_LENGTH = 2 ** 15;

/** Splits a text; tells the lines that cannot be split. */
export function readRows(text: string): { rows: TextRow[]; problems: Problem[] } {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/), rows: TextRow[] = [], problems: Problem[] = [];
  const { delimiter } = detectDelimiter("text", text.slice(0, SAMPLE_LENGTH), ",", '"');
  for (let at = 0; at < lines.length; at++) {
    if (lines[at].trim() === "") continue;
    const row = recordAt(lines, at, delimiter);
    if (row) rows.push({ line: at + 1, fields: row.fields });
    else {problems.push({
        line: at + 1,
        message: "its quotes do not close, or something follows the closing quote",
      });}
    at += (row?.lines ?? 1) - 1;
  }
  return { rows, problems };
}

/** The record that begins at a line; `undefined` if there is none. */
function recordAt(
  lines: readonly string[],
  at: number,
  delimiter: string,
): { fields: string[]; lines: number } | undefined {
  const most = lines[at].includes('"') ? MAX_LINES : 1;
  for (let count = 1; count <= most && at + count <= lines.length; count++) {
    const fields = fieldsOf(lines.slice(at, at + count).join("\n"), delimiter);
    if (fields) return { fields, lines: count };
  }
}

function fieldsOf(text: string, delimiter: string): string[] | undefined {
  try {
    const [row] = new CsvParser("text", { delimiter, quote: '"', column_names: true }).push(text + "\n").rows;
    return row?.values as string[] | undefined;
  } catch {
    return undefined;
  }
}
