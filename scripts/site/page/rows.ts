/** Pasted text -> rows of fields. Forgiving where a file would be refused: each line stands for itself. */
import type { Problem } from "./examples.ts";

/** A row, and the line at which it begins. */
export interface TextRow {
  line: number;
  fields: string[];
}

/** A quoted field goes over this many lines at most. */
const MAX_LINES = 40;

/** What stands between fields: the first that the text's beginning has in most of its lines. */
const DELIMITERS = ["\t", ";", ","];

/** Splits a text; tells the lines that cannot be split. */
export function readRows(text: string): { rows: TextRow[]; problems: Problem[] } {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/), rows: TextRow[] = [], problems: Problem[] = [];
  const delimiter = findDelimiter(lines.filter((line) => line.trim() !== "").slice(0, 100));
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

function findDelimiter(lines: readonly string[]): string {
  const share = (delimiter: string) => lines.filter((line) => line.includes(delimiter)).length / lines.length;
  return DELIMITERS.find((delimiter) => share(delimiter) > 0.5) ?? ",";
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

/** Fields as RFC 4180 has them; a quote inside an unquoted field is text. */
function fieldsOf(text: string, delimiter: string): string[] | undefined {
  const fields: string[] = [];
  for (let at = 0;;) {
    if (text[at] === '"') {
      const [quoted] = /^"(?:[^"]|"")*"/.exec(text.slice(at)) ?? [];
      if (quoted === undefined) return undefined;
      fields.push(quoted.slice(1, -1).replaceAll('""', '"'));
      at += quoted.length;
      if (at < text.length && text[at] !== delimiter) return undefined;
    } else {
      const end = text.indexOf(delimiter, at) < 0 ? text.length : text.indexOf(delimiter, at);
      fields.push(text.slice(at, end));
      at = end;
    }
    if (at >= text.length) return fields;
    at++;
  }
}
