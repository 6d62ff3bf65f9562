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

/** What a file is that is often found in place of weights, or `null`. */
export function disguise(start: Uint8Array): string | null {
  const text = String.fromCharCode(...start.subarray(0, 40));
  if (text.startsWith("version https://git-lfs")) {
    return "it is a Git LFS pointer, not the file it stands for";
  }
  return /^\s*<(!doctype|html|\?xml)/i.test(text) ? "it is a web page" : null;
}

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

/** A view for reading numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
