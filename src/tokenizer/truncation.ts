/**
 * Truncation: which windows of the sequences make up a row, and which overflow into further rows.
 *
 * @module
 */

import { TokenizerError } from "../errors.ts";
import type { TokenWindow } from "./encoding.ts";

/** How sequences are shortened. */
export interface Truncation {
  readonly strategy: "longest_first" | "only_first" | "only_second";
  /** Tokens that may stay, special tokens not counted. */
  readonly room: number;
  /** Tokens that a window shares with the one before it. */
  readonly stride: number;
  /** The end at which tokens are cut off. */
  readonly side: "left" | "right";
}

/**
 * Shortens one or two sequences together.
 *
 * @param overflow whether what is cut off is wanted, too.
 * @returns the windows of each row: first the row itself, then what overflows.
 * @throws TokenizerError if the chosen sequence cannot be shortened enough, or the stride leaves no room.
 */
export function truncate(
  sequences: readonly TokenWindow[],
  truncation: Truncation | null,
  overflow: boolean,
): TokenWindow[][] {
  if (!truncation) return [[...sequences]];
  const [first, second] = targetLengths(sequences, truncation).map((length, i) =>
    windows(sequences[i], length, truncation, overflow)
  );
  if (!second) return first.map((window) => [window]);
  // The row, then every further window of the first sequence with all of the second, then the rest of the second.
  const [a, ...overflowA] = first;
  const [b, ...overflowB] = second;
  return [
    [a, b],
    ...overflowA.flatMap((window) => second.map((other) => [window, other])),
    ...overflowB.map((other) => [a, other]),
  ];
}

// The length that each sequence is cut to.
function targetLengths(sequences: readonly TokenWindow[], { strategy, room }: Truncation): number[] {
  const lengths = sequences.map((window) => window.end - window.begin);
  const excess = lengths.reduce((sum, length) => sum + length, 0) - room;
  if (room === 0) return lengths.map(() => 0);
  if (excess <= 0) return lengths;
  if (strategy === "longest_first") {
    if (lengths.length === 1) return [room];
    const short = Math.min(...lengths);
    const half = Math.floor(room / 2);
    const [small, large] = short > half ? [half, room - half] : [short, room - short];
    return lengths[0] > lengths[1] ? [large, small] : [small, large];
  }
  const index = strategy === "only_first" ? 0 : 1;
  if (index >= lengths.length) {
    throw new TokenizerError(`Cannot truncate "${strategy}": there is no second sequence`);
  }
  if (lengths[index] <= excess) {
    throw new TokenizerError(`Cannot truncate "${strategy}" by ${excess} tokens: it has ${lengths[index]}`);
  }
  lengths[index] -= excess;
  return lengths;
}

// Cuts a sequence into windows of `length` tokens; only the first, if the overflow is not wanted.
function windows(whole: TokenWindow, length: number, cut: Truncation, overflow: boolean): TokenWindow[] {
  const { tokens, begin, end } = whole;
  const { stride, side } = cut;
  if (length >= end - begin) return [whole];
  if (length === 0) return [{ tokens, begin, end: begin }, ...(overflow ? [whole] : [])];
  if (stride >= length) throw new TokenizerError(`Cannot truncate to ${length} tokens with stride ${stride}`);
  const result: TokenWindow[] = [];
  for (let skipped = 0;; skipped += length - stride) {
    const window = side === "right"
      ? { tokens, begin: begin + skipped, end: Math.min(begin + skipped + length, end) }
      : { tokens, begin: Math.max(end - skipped - length, begin), end: end - skipped };
    result.push(window);
    if (!overflow || (side === "right" ? window.end === end : window.begin === begin)) return result;
  }
}
