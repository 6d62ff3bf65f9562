/**
 * The directory of a zip archive whose entries are stored, not compressed, as torch.save writes it
 * (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, with zip64).
 *
 * @module
 */

import { asciiOf, type Complain, complainOf, quote, readUint } from "./problem.ts";
import { type ByteSource, readExact } from "./source.ts";

/** An entry of an archive. */
export interface ZipEntry {
  /** Its path in the archive. */
  readonly name: string;
  /** The size in bytes. */
  readonly byteLength: number;
  /** Where its local header begins in the file. */
  readonly headerBegin: number;
}

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const MAX_COMMENT_BYTES = 65_535;

/** A checkpoint has one entry per storage and five more; 4 MB name 40,000. */
const MAX_DIRECTORY_BYTES = 4_000_000;

/** Stands for what is in the zip64 record. */
const UNKNOWN = 0xffff_ffff;

/** Reads the directory. The entries are stored, inside the file, apart from each other, and have different names. */
export async function readZipDirectory(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const complain = complainOf(source.name);
  const [bytes, count, limit] = await readDirectoryBytes(source, complain);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const nameEnd = at + CENTRAL_HEADER_BYTES + readUint(bytes, at + 28, 2);
    const extraEnd = nameEnd + readUint(bytes, at + 30, 2);
    const name = asciiOf(bytes.subarray(at + CENTRAL_HEADER_BYTES, nameEnd));
    const [byteLength, packed, headerBegin] = entryNumbers(bytes, at, nameEnd, extraEnd);
    if (readUint(bytes, at, 4) !== 0x0201_4b50 || !(extraEnd <= bytes.length) || entries.has(name)) {
      throw complain("its zip directory is damaged");
    }
    if (readUint(bytes, at + 8, 1) & 1 || readUint(bytes, at + 10, 2) !== 0 || byteLength !== packed) {
      throw complain(`the zip entry ${quote(name)} is compressed or encrypted`);
    }
    entries.set(name, { name, byteLength, headerBegin });
    at = extraEnd + readUint(bytes, at + 32, 2);
  }
  // No entry may lie in another one or in the directory.
  const sorted = [...entries.values()].sort((a, b) => a.headerBegin - b.headerBegin);
  sorted.forEach(({ name, byteLength, headerBegin }, i) => {
    const end = headerBegin + LOCAL_HEADER_BYTES + byteLength;
    if (!(end <= (sorted[i + 1]?.headerBegin ?? limit))) {
      throw complain(`the zip entry ${quote(name)} lies in another one or beyond the file`);
    }
  });
  return entries;
}

/** Where the bytes of an entry begin. */
export async function locateEntry(source: ByteSource, entry: ZipEntry): Promise<number> {
  const { name, headerBegin } = entry;
  const header = await readExact(source, headerBegin, headerBegin + LOCAL_HEADER_BYTES);
  if (readUint(header, 0, 4) !== 0x0403_4b50 || readUint(header, 8, 2) !== 0) {
    throw complainOf(source.name)(`the zip entry ${quote(name)} is damaged`);
  }
  return headerBegin + LOCAL_HEADER_BYTES + readUint(header, 26, 2) + readUint(header, 28, 2);
}

/** Reads a small entry whole. */
export async function readEntry(source: ByteSource, entry: ZipEntry, limit: number): Promise<Uint8Array> {
  const { name, byteLength } = entry;
  if (byteLength > limit) {
    throw complainOf(source.name)(
      `the zip entry ${quote(name)} has ${byteLength} bytes, expected up to ${limit}`,
    );
  }
  const begin = await locateEntry(source, entry);
  return await readExact(source, begin, begin + byteLength);
}

// The directory, its number of entries and its place, from the record at the end of the file.
async function readDirectoryBytes(
  source: ByteSource,
  complain: Complain,
): Promise<[Uint8Array, number, number]> {
  const tailBegin = Math.max(0, source.byteLength - END_BYTES - MAX_COMMENT_BYTES);
  const tail = await readExact(source, tailBegin, source.byteLength);
  let at = tail.length - END_BYTES;
  while (at >= 0 && readUint(tail, at, 4) !== 0x0605_4b50) at--;
  let count = readUint(tail, at + 10, 2);
  let size = readUint(tail, at + 12, 4);
  let begin = readUint(tail, at + 16, 4);
  const locator = at - LOCATOR_BYTES;
  if (readUint(tail, locator, 4) === 0x0706_4b50) {
    const wide = readUint(tail, locator + 8, 8);
    const record = await readExact(source, wide, wide + 56);
    count = readUint(record, 32, 8);
    size = readUint(record, 40, 8);
    begin = readUint(record, 48, 8);
  }
  if (at < 0 || size > MAX_DIRECTORY_BYTES || count * CENTRAL_HEADER_BYTES > size) {
    throw complain("its zip directory is damaged");
  }
  return [await readExact(source, begin, begin + size), count, begin];
}

// Size, packed size and place of an entry; those that need 64 bits stand in the extra field number 1.
function entryNumbers(bytes: Uint8Array, at: number, extraBegin: number, extraEnd: number): number[] {
  const numbers = [24, 20, 42].map((field) => readUint(bytes, at + field, 4));
  for (let field = extraBegin; field + 4 <= extraEnd; field += 4 + readUint(bytes, field + 2, 2)) {
    if (readUint(bytes, field, 2) !== 1) continue;
    let from = field + 4;
    numbers.forEach((number, i) => {
      if (number !== UNKNOWN) return;
      numbers[i] = readUint(bytes, from, 8);
      from += 8;
    });
  }
  return numbers;
}
