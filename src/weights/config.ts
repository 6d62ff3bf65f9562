/**
 * config.json as a plain object. Which keys a model needs, and what stands for missing ones, is the model's affair.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { type Json, parseJson } from "./json.ts";

/** A value of a configuration. */
export type ConfigValue = null | boolean | number | string | ConfigValue[] | { [key: string]: ConfigValue };

/** A configuration: keys as in transformers, unknown ones included. */
export interface ConfigObject {
  /** A key as transformers spells it. */
  [key: string]: ConfigValue;
}

/** 4 MB: a configuration with 20,000 labels has about 1 MB. */
const MAX_BYTES = 4_000_000;

/**
 * Parses a config.json. Nothing in it is required and unknown keys are kept.
 *
 * @param json The file's bytes (UTF-8) or text, at most 4 MB and 32 levels deep.
 * @returns The object.
 * @throws {ConfigError} If it is not a JSON object, too large, too deep, or has a key twice.
 */
export function parseConfigJson(json: Uint8Array | string): ConfigObject {
  const error = (problem: string): ConfigError => new ConfigError(`Cannot read config.json: ${problem}.`);
  const bytes = typeof json === "string" ? new TextEncoder().encode(json) : json;
  if (bytes.length > MAX_BYTES) throw error(`it has ${bytes.length} bytes, expected up to ${MAX_BYTES}`);
  const value = parseJson(bytes, { maxDepth: 32, maxValues: 500_000, naturalNumbers: false, error });
  if (!(value instanceof Map)) throw error("it is no JSON object");
  return toPlain(value) as ConfigObject;
}

// Object.fromEntries defines own keys, so "__proto__" sets no prototype.
function toPlain(value: Json): ConfigValue {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries(Array.from(value, ([key, item]) => [key, toPlain(item)]));
}
