/**
 * JSON from untrusted bytes (RFC 8259), stricter than `JSON.parse`: bad UTF-8, duplicate keys,
 * deep nesting and floods of values are refused. Objects come as maps, so that no key is special.
 *
 * @module
 */

import { isCount, quote, utf8 } from "./problem.ts";

/** A parsed value. */
export type Json = null | boolean | number | string | Json[] | Map<string, Json>;

/** What the parser accepts, and how it fails. */
export interface JsonRules {
  /** Levels of arrays and objects. */
  readonly maxDepth: number;
  /** Keys and values; for the memory that they take, each list or object counts as 4, each 64 bytes of text as 1. */
  readonly maxValues: number;
  /** Whether every number must be a safe integer of 0 or more, written without sign, point or exponent. */
  readonly naturalNumbers: boolean;
  /** Makes the error from "... at byte n". */
  error(problem: string): Error;
}

/** Digits of a number; Python's integers may be long, floats have 25. */
const NUMBER_LENGTH = 400;

/** Longer than the names of tensors. */
const SHORT_LENGTH = 100;

/** Parses the whole of `bytes` as one JSON value; throws `rules.error` otherwise. */
export function parseJson(bytes: Uint8Array, rules: JsonRules): Json {
  let at = 0;
  let values = 0;
  const bad = (problem = "no JSON"): Error => rules.error(`${problem} at byte ${at}`);

  const spend = (count: number): void => {
    values += count;
    if (values > rules.maxValues) throw bad("too many values or levels");
  };

  const skipSpace = (): void => {
    let next = at; // a local variable inside the bounds: 100 MB take 0.1 s, otherwise up to 1 s
    while (next < bytes.length && isSpace(bytes[next])) next++;
    at = next;
  };

  // Skips space, then takes the byte if it is the next one.
  const take = (byte: number): boolean => {
    skipSpace();
    if (bytes[at] !== byte) return false;
    at++;
    return true;
  };

  // A string, number or word: JSON.parse knows their rules.
  const parseScalar = (): string | number | boolean | null => {
    const begin = at;
    let end = at;
    if (bytes[end] === 0x22) {
      for (end++; end < bytes.length && bytes[end] !== 0x22; end++) if (bytes[end] === 0x5c) end++;
      end++;
    } else {
      while (end < bytes.length && end - begin < NUMBER_LENGTH && !isDelimiter(bytes[end])) end++;
    }
    at = end;
    spend(1 + (end - begin >>> 6));
    let value;
    let text;
    try {
      text = textOf(bytes.subarray(begin, at));
      value = JSON.parse(text);
    } catch {
      throw bad();
    }
    if (typeof value === "string" && !value.isWellFormed()) throw bad(); // half a surrogate pair
    if (typeof value === "number" && rules.naturalNumbers && !(isCount(value) && /^\d+$/.test(text))) {
      throw bad(`the number ${text}`);
    }
    return value;
  };

  // What stands between brackets, up to the closing one.
  const parseItems = (close: number, parseItem: () => void): void => {
    if (take(close)) return;
    do parseItem(); while (take(0x2c));
    if (!take(close)) throw bad();
  };

  const parseValue = (depth: number): Json => {
    skipSpace();
    const open = bytes[at];
    if (open !== 0x7b && open !== 0x5b) return parseScalar();
    spend(depth < rules.maxDepth ? 4 : Infinity);
    at++;
    if (open === 0x5b) {
      const array: Json[] = [];
      parseItems(0x5d, () => array.push(parseValue(depth + 1)));
      return array;
    }
    const object = new Map<string, Json>();
    parseItems(0x7d, () => {
      skipSpace();
      const key = parseScalar();
      if (typeof key !== "string") throw bad();
      if (object.has(key)) throw bad(`the key ${quote(key)} twice`);
      if (!take(0x3a)) throw bad();
      object.set(key, parseValue(depth + 1));
    });
    return object;
  };

  const result = parseValue(0);
  skipSpace();
  if (at < bytes.length) throw bad();
  return result;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

// Short ASCII is put together here, in a quarter of the time that the decoder takes.
function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte > 127 || text.length > SHORT_LENGTH) return utf8.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

// What ends a number or word: space, control characters, "," "]" "}".
function isDelimiter(byte: number): boolean {
  return byte <= 0x20 || byte === 0x2c || byte === 0x5d || byte === 0x7d;
}
