/**
 * Where a value stands in a text of JSON.
 *
 * @module
 */
import { countNewlines, type Place } from "./problem.ts";

const SPACE = /\s*/y, SCALAR = /"(?:[^"\\]|\\.)*"|[^\s,\]}]+/sy;

/**
 * The line and column of the value at a path; of the last value on the way that is there.
 *
 * @param text JSON that can be parsed.
 * @param path Names and numbers from the root on.
 */
export function jsonPlace(text: string, path: readonly (string | number)[]): Place {
  let at = skipSpace(text, 0);
  for (const step of path) {
    const found = childOf(text, at, step);
    if (found === undefined) break;
    at = found;
  }
  const before = text.slice(0, at);
  return { line: countNewlines(before) + 1, column: before.length - before.lastIndexOf("\n") };
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

/** Behind the value that begins here. */
function endOf(text: string, at: number): number {
  let depth = 0;
  do {
    at = skipSpace(text, at);
    const char = text[at];
    if (char === "[" || char === "{") depth++, at++;
    else if (char === "]" || char === "}") depth--, at++;
    else if (char === "," || char === ":") at++;
    else {
      SCALAR.lastIndex = at;
      SCALAR.test(text);
      at = SCALAR.lastIndex;
    }
  } while (depth > 0 && at < text.length);
  return at;
}

/** Where a part of a list or object begins; of names that come twice, the last, as `JSON.parse` takes it. */
function childOf(text: string, at: number, step: string | number): number | undefined {
  if (text[at] !== (typeof step === "number" ? "[" : "{")) return undefined;
  at = skipSpace(text, at + 1);
  let found: number | undefined;
  for (let i = 0; at < text.length && text[at] !== "]" && text[at] !== "}"; i++) {
    let name: unknown = i;
    if (typeof step === "string") {
      const end = endOf(text, at);
      name = JSON.parse(text.slice(at, end));
      at = skipSpace(text, skipSpace(text, end) + 1); // behind the colon
    }
    if (name === step) found = at;
    if (name === step && typeof step === "number") break;
    at = skipSpace(text, endOf(text, at));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return found;
}
