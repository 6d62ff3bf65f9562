/**
 * Checks of values from outside, with errors of one form.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";

const KINDS = {
  "a boolean": (value: unknown): boolean => typeof value === "boolean",
  "a whole number": (value: unknown): boolean => Math.floor(value as number) === value && value >= 0,
  "an id": (value: unknown): boolean => (value as number) >> 0 === value && value >= 0,
  "0 to 1000": (value: unknown): boolean => (value as number) >> 0 === value && value >= 0 && value <= 1000,
  "a list": Array.isArray,
  "an object": (value: unknown): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value),
  // Half of a surrogate pair is no text.
  "text": (value: unknown): boolean => typeof value === "string" && value.isWellFormed(),
};

/** What a value should be. */
export type Kind = keyof typeof KINDS;

/**
 * The value, if it is of a kind or one of some strings.
 *
 * @throws TokenizerError `Cannot <action>: <name> is <value>, wanted <kind>`
 */
export function check<T>(action: string, name: string, value: unknown, wanted: Kind | readonly string[]): T {
  const fits = typeof wanted === "string" ? KINDS[wanted](value) : wanted.includes(value as string);
  if (!fits) throw new TokenizerError(`Cannot ${action}: ${name} is ${show(value)}, wanted ${wanted}`);
  return value as T;
}

/** The beginning of a value, for messages. */
export function show(value: unknown): string {
  return `${JSON.stringify(value)}`.slice(0, 80);
}
