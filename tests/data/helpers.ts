/** What the tests of data share. */
import { ok } from "node:assert/strict";
import { DataError } from "../../src/errors.ts";
import { load_dataset, type LoadOptions } from "../../src/datasets/mod.ts";
import type { Row, RowBatch, RowParser } from "../../src/data/rows.ts";
import { TextDecoding } from "../../src/data/text_decoding.ts";

export const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** A file of that name in memory. */
export function file(content: string | Uint8Array<ArrayBuffer>, name = "data.csv"): File {
  return new File([content], name);
}

/** What is thrown for a file; it must be a DataError that names the file. */
export async function refusal(
  content: string | Uint8Array<ArrayBuffer>,
  name = "data.csv",
  options: LoadOptions = {},
): Promise<string> {
  try {
    await load_dataset(file(content, name), options);
  } catch (error) {
    ok(error instanceof DataError, String((error as Error).stack));
    ok(error.message.startsWith(`Cannot read "${name}"`), error.message);
    ok(error.message.length < 700, "a message of reasonable length");
    return error.message;
  }
  throw new Error(`${name} was accepted`);
}

/** All rows that a parser makes of bytes that come in pieces of these lengths, over and over. */
export function parseInPieces(parser: RowParser, bytes: Uint8Array, pieces: readonly number[]): Row[] {
  const decoding = new TextDecoding("test"), rows: Row[] = [];
  const take = (batch: RowBatch) => void rows.push(...batch.rows);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = Math.max(1, pieces[i % pieces.length]);
    for (const text of decoding.push(bytes.subarray(at, at + length))) take(parser.push(text));
    at += length;
  }
  for (const text of decoding.end()) take(parser.push(text));
  take(parser.end());
  return rows;
}
