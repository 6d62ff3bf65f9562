/**
 * Records in JSON: one object a line (JSON Lines), or a list of objects. Both are read piece by piece.
 *
 * @module
 */
import { countNewlines, dataError, quote } from "./problem.ts";
import { MAX_RECORD_LENGTH, type Row, type RowBatch, type RowLimits, type RowParser } from "./rows.ts";

function parseObject(name: string, text: string, line: number, column: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw dataError(name, { line, column }, `there is no JSON: ${quote(text.trim().slice(0, 60))}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  const found = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  throw dataError(
    name,
    { line, column },
    `there is ${found}, wanted an object such as {"text": "...", "label": "..."}`,
  );
}

function tooLong(name: string, line: number, limit: number): Error {
  const problem =
    `the record that begins here has more than ${limit} characters; max_record_length allows more`;
  return dataError(name, { line }, problem);
}

/** Reads JSON Lines: one object a line. Empty lines are skipped. */
export class JsonLinesParser implements RowParser {
  #buffer = "";
  #line = 1;

  /**
   * @param name The file's name, for messages.
   * @param limits The longest line.
   */
  constructor(readonly name: string, readonly limits: RowLimits = {}) {}

  push(text: string): RowBatch {
    this.#buffer += text;
    const rows: Row[] = [];
    let at = 0;
    for (let end = this.#buffer.indexOf("\n"); end >= 0; end = this.#buffer.indexOf("\n", at)) {
      this.#add(rows, this.#buffer.slice(at, end));
      at = end + 1;
    }
    this.#buffer = this.#buffer.slice(at);
    this.#check(this.#buffer.length);
    return { columns: null, rows };
  }

  end(): RowBatch {
    const rows: Row[] = [];
    this.#add(rows, this.#buffer);
    return { columns: null, rows };
  }

  #add(rows: Row[], text: string): void {
    this.#check(text.length);
    if (text.trim() !== "") {
      rows.push({ line: this.#line, values: parseObject(this.name, text, this.#line, 1) });
    }
    this.#line++;
  }

  #check(length: number): void {
    const { max_record_length = MAX_RECORD_LENGTH } = this.limits;
    if (length > max_record_length) throw tooLong(this.name, this.#line, max_record_length);
  }
}

/** Where a list's parser is. */
type State = "start" | "first" | "value" | "after" | "done";

const OPEN = /[\[{]/, SPACE = /\s/;

/** Reads a list of objects, `[{...}, {...}]`, or objects one after the other. */
export class JsonListParser implements RowParser {
  #buffer = "";
  /** Up to where the buffer was looked at. */
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #state: State = "start";
  #isList = false;
  #depth = 0;
  #isInString = false;
  #begin = { at: 0, line: 1, column: 1 };

  /**
   * @param name The file's name, for messages.
   * @param limits The longest record.
   */
  constructor(readonly name: string, readonly limits: RowLimits = {}) {}

  push(text: string): RowBatch {
    this.#buffer += text;
    const rows: Row[] = [];
    while (this.#at < this.#buffer.length && this.#step(rows));
    const kept = this.#depth > 0 ? this.#begin.at : this.#at;
    this.#buffer = this.#buffer.slice(kept);
    this.#at -= kept;
    this.#begin.at -= kept;
    this.#lineStart -= kept;
    return { columns: null, rows };
  }

  end(): RowBatch {
    if (this.#depth > 0) throw dataError(this.name, this.#begin, "the record that begins here has no end");
    if (this.#isList && this.#state !== "done") throw this.#problem('the list has no end: "]" is wanted');
    return { columns: null, rows: [] };
  }

  /** Takes one character, or a whole stretch of a record; false if the rest of the text is wanted first. */
  #step(rows: Row[]): boolean {
    if (this.#depth > 0) return this.#inside(rows);
    const char = this.#buffer[this.#at];
    if (char === "\n") {
      this.#line++;
      this.#lineStart = this.#at + 1;
    } else if (!SPACE.test(char)) this.#between(char);
    if (this.#depth === 0) this.#at++;
    return true;
  }

  /** A character between two records. */
  #between(char: string): void {
    const state = this.#state;
    if (state === "start" && char === "[") [this.#isList, this.#state] = [true, "first"];
    else if (char === "{" && (state === "start" || state === "first" || state === "value" || !this.#isList)) {
      this.#depth = 1;
      this.#begin = { at: this.#at, line: this.#line, column: this.#at - this.#lineStart + 1 };
      this.#at++;
    } else if (char === "," && state === "after" && this.#isList) this.#state = "value";
    else if (char === "]" && this.#isList && (state === "first" || state === "after")) this.#state = "done";
    else {
      const wanted = state === "done" ? "nothing" : state === "after" ? '"," or "]"' : "an object {...}";
      const rest = this.#buffer.slice(this.#at, this.#at + 20);
      throw this.#problem(`there is ${quote(rest)}, wanted ${wanted}`);
    }
  }

  /** Looks for the end of a record. */
  #inside(rows: Row[]): boolean {
    const text = this.#buffer;
    let at = this.#at, depth = this.#depth, isInString = this.#isInString;
    for (; at < text.length && depth > 0; at++) {
      const char = text[at];
      if (isInString) {
        if (char === "\\") {
          if (at + 1 === text.length) break;
          at++;
        } else if (char === '"') isInString = false;
      } else if (char === '"') isInString = true;
      else if (OPEN.test(char)) depth++;
      else if (char === "}" || char === "]") depth--;
    }
    const isCut = at < text.length && depth > 0;
    [this.#at, this.#depth, this.#isInString] = [at, depth, isInString];
    const { max_record_length = MAX_RECORD_LENGTH } = this.limits, { at: begin, line, column } = this.#begin;
    if (at - begin > max_record_length) throw tooLong(this.name, line, max_record_length);
    if (depth > 0) return !isCut && at < text.length;
    const record = text.slice(begin, at);
    rows.push({ line, values: parseObject(this.name, record, line, column) });
    this.#line += countNewlines(record);
    if (record.includes("\n")) this.#lineStart = begin + record.lastIndexOf("\n") + 1;
    this.#state = "after";
    return true;
  }

  #problem(problem: string): Error {
    return dataError(this.name, { line: this.#line, column: this.#at - this.#lineStart + 1 }, problem);
  }
}
