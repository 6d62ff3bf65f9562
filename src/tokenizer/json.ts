/**
 * JSON from outside: parsed, checked, with errors that name the file.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import { AddedToken } from "./added_tokens.ts";
import { decodeUtf8 } from "./vocabulary.ts";

/** A JSON object of unknown content. */
export type Json = Record<string, unknown>;

/** The object in a JSON file; an empty one if there is no such file. */
export function parseObject(content: string | Uint8Array | null | undefined, file: string): Json {
  if (content == null) return {};
  const text = decodeUtf8(content, file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TokenizerError(`Cannot load ${file}: ${(error as Error).message}`, { cause: error });
  }
  return asObject(value, file, "the file");
}

/** The value, if it is a JSON object. */
export function asObject(value: unknown, file: string, what: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new TokenizerError(`Cannot load ${file}: ${what} is ${show(value)}, wanted an object`);
}

/** An added token as the files write it. */
export function parseAddedToken(value: unknown, file: string): AddedToken {
  const token = asObject(value, file, "an added token");
  for (const key of ["single_word", "lstrip", "rstrip", "normalized", "special"]) {
    if (token[key] !== undefined && typeof token[key] !== "boolean") {
      throw new TokenizerError(
        `Cannot load ${file}: ${key} of an added token is ${show(token[key])}, wanted a boolean`,
      );
    }
  }
  return new AddedToken(token.content as string, token);
}

/** A token id as the files write it. */
export function parseId(value: unknown, file: string): number {
  if (Number.isInteger(Number(value)) && Number(value) >= 0) return Number(value);
  throw new TokenizerError(
    `Cannot load ${file}: the id of an added token is ${show(value)}, wanted a whole number`,
  );
}

/** The beginning of a value, for messages. */
export function show(value: unknown): string {
  return `${JSON.stringify(value)}`.slice(0, 80);
}
