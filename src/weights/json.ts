/**
 * JSON from untrusted bytes (RFC 8259), stricter than `JSON.parse`: bad UTF-8, duplicate keys,
 * deep nesting and floods of values are refused. Objects come as maps, so that no key is special.
 *
 * @module
 */

import { isCount, utf8 } from "./problem.ts";

/** A parsed value. */
export type Json = null | boolean | number | string | Json[] | Map<string, Json>;

/** What the parser accepts, and how it fails. */
export interface JsonRules {
  /** Levels of arrays and objects. */
  readonly maxDepth: number;
  /** Keys and values of any kind; for the memory that they take, an array counts twice, an object four times. */
  readonly maxValues: number;
  /** Whether every number must be a safe integer of 0 or more, written without sign, point or exponent. */
  readonly naturalNumbers: boolean;
  /** Makes the error from "... at byte n". */
  error(problem: string): Error;
}

/** Digits of a number; Python's integers may be long, floats have 25. */
const NUMBER_LENGTH = 400;

/** Parses the whole of `bytes` as one JSON value; throws `rules.error` otherwise. */
export function parseJson(bytes: Uint8Array, rules: JsonRules): Json {
  let at = 0;
  let values = 0;
  const bad = (problem = "no JSON"): Error => rules.error(`${problem} at byte ${at}`);

  const skipSpace = (): void => {
    let next = at; // a local variable: 100 MB take 0.2 s, a captured one 10 times as long
    while (isSpace(bytes[next])) next++;
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
      while (end - begin < NUMBER_LENGTH && !isDelimiter(bytes[end])) end++;
    }
    at = end;
    let value;
    let text;
    try {
      text = utf8.decode(bytes.subarray(begin, at));
      value = JSON.parse(text);
    } catch {
      throw bad();
    }
    if (typeof value === "string" && !value.isWellFormed()) throw bad("half a surrogate pair");
    if (typeof value === "number" && rules.naturalNumbers && !(isCount(value) && /^\d+$/.test(text))) {
      throw bad(`the number ${text.slice(0, 40)}`);
    }
    return value;
  };

  const parseObject = (depth: number): Map<string, Json> => {
    const object = new Map<string, Json>();
    if (take(0x7d)) return object;
    do {
      skipSpace();
      const key = parseScalar();
      values++;
      if (typeof key !== "string") throw bad();
      if (object.has(key)) throw bad(`the key ${JSON.stringify(key.slice(0, 100))} twice`);
      if (!take(0x3a)) throw bad();
      object.set(key, parseValue(depth));
    } while (take(0x2c));
    if (!take(0x7d)) throw bad();
    return object;
  };

  const parseArray = (depth: number): Json[] => {
    const array: Json[] = [];
    if (take(0x5d)) return array;
    do array.push(parseValue(depth)); while (take(0x2c));
    if (!take(0x5d)) throw bad();
    return array;
  };

  const parseValue = (depth: number): Json => {
    skipSpace();
    const isObject = bytes[at] === 0x7b;
    const isArray = bytes[at] === 0x5b;
    values += isObject ? 4 : isArray ? 2 : 1;
    if (values > rules.maxValues || depth > rules.maxDepth) throw bad("too many values or levels");
    if (!isObject && !isArray) return parseScalar();
    at++;
    return isObject ? parseObject(depth + 1) : parseArray(depth + 1);
  };

  const result = parseValue(0);
  skipSpace();
  if (at < bytes.length) throw bad();
  return result;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

// What ends a number or word: space, control characters, "," "]" "}" or the end of the bytes.
function isDelimiter(byte: number): boolean {
  return !(byte > 0x20) || byte === 0x2c || byte === 0x5d || byte === 0x7d;
}
