/**
 * How the weight readers word what is wrong with a file, and the checks that they share.
 *
 * @module
 */

import { WeightsError } from "../errors.ts";

/** Longest part of a name from a file that a message repeats. */
const QUOTE_LENGTH = 100;

/** Makes the error for the file at hand from what is wrong with it. */
export type Complain = (problem: string) => WeightsError;

/** Words what a file gave, whatever it is, shortened; names are quoted, with control characters escaped. */
export function quote(value: unknown): string {
  if (isCounts(value)) return `[${value.slice(0, 8)}]`;
  if (typeof value !== "string") return value instanceof Object ? "an object" : String(value);
  return JSON.stringify(value.length > QUOTE_LENGTH ? `${value.slice(0, QUOTE_LENGTH)}…` : value);
}

/** How errors about a file are made. */
export function complainOf(file: string): Complain {
  return (problem: string): WeightsError => new WeightsError(`Cannot read ${quote(file)}: ${problem}.`);
}

/** Throws if the file is what is often found in place of weights. */
export function refuseStandIn(start: Uint8Array, complain: Complain): void {
  if (/^version |^\s*<(!doc|html)/i.test(asciiOf(start))) {
    throw complain("it is a Git LFS pointer or a web page");
  }
}

/** Each byte as a character; for up to 65,535. */
export function asciiOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Decodes UTF-8; throws if it is malformed. */
export const utf8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether a value from a file is a count, a size or an offset: a safe integer of 0 or more. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a value from a file is an array of counts. */
export function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

/** The number of elements of a shape; no safe integer if they are too many. */
export function countElements(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((count, size) => count * size, 1);
}

/** The bytes of all parts in one array; the part itself if it is the only one. */
export function joinBytes<B extends ArrayBufferLike>(
  parts: readonly Uint8Array<B>[],
): Uint8Array<B | ArrayBuffer> {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A little-endian number of up to 8 bytes, rounded above 2^53; NaN where the bytes end. */
export function readUint(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i];
  return value;
}
