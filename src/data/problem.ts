/**
 * How the readers of data word what is wrong, and where.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { quote } from "../weights/problem.ts";

export { quote };

/** Where something stands: lines and characters are counted from 1; a name is that of a data column. */
export interface Place {
  /** The line. */
  readonly line?: number;
  /** The character, or the name of the data column. */
  readonly column?: number | string;
}

/** The error for a place in a file: `Cannot read "a.csv", line 3, column 7: ...`. */
export function dataError(name: string, place: Place, problem: string): DataError {
  const line = place.line === undefined ? "" : `, line ${place.line}`;
  const column = typeof place.column === "string"
    ? `, column ${quote(place.column)}`
    : place.column === undefined
    ? ""
    : `, column ${place.column}`;
  return new DataError(`Cannot read ${quote(name)}${line}${column}: ${problem}`);
}

/** `a, b and 3 more`, quoted. */
export function listed(names: readonly string[], most = 20): string {
  const shown = names.slice(0, most).map((name) => quote(name)).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** The name that is nearest to what was asked for, or undefined if none is near. */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  const short = wanted.slice(0, 100).toLowerCase();
  const ranked = names.slice(0, 1000).map((name) => ({
    name,
    distance: editDistance(short, name.slice(0, 100).toLowerCase()),
  })).sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.ceil(short.length / 3)) ? best.name : undefined;
}

/** Letters to put in, leave out or change (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1])));
    }
    row = next;
  }
  return row[b.length];
}

/** How many line ends a text has. */
export function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
