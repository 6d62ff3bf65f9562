/**
 * The directory of a zip archive whose entries are stored, not compressed, as torch.save writes it
 * (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, with zip64).
 *
 * @module
 */

import { type Complain, complainOf, isCount, quote, viewOf } from "./problem.ts";
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

/** A checkpoint has one entry per storage and five more; 10 MB name 100,000. */
const MAX_DIRECTORY_BYTES = 10_000_000;

/** Stands for what is in the zip64 record. */
const UNKNOWN = 0xffff_ffff;

const decoder = new TextDecoder();

/** Reads the directory. The entries are stored, inside the file, apart from each other, and have different names. */
export async function readZipDirectory(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const complain = complainOf(source.name);
  const damaged = (): Error => complain("its zip directory is damaged");
  const [begin, end, count] = await findDirectory(source, complain);
  const bytes = await readExact(source, begin, end);
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_HEADER_BYTES > bytes.length || view.getUint32(at, true) !== 0x0201_4b50) throw damaged();
    const nameEnd = at + CENTRAL_HEADER_BYTES + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    if (extraEnd > bytes.length) throw damaged();
    const name = decoder.decode(bytes.subarray(at + CENTRAL_HEADER_BYTES, nameEnd));
    const [byteLength, packed, headerBegin] = entryNumbers(view, at, nameEnd, extraEnd);
    if ((view.getUint16(at + 8, true) & 1) + view.getUint16(at + 10, true) !== 0 || byteLength !== packed) {
      throw complain(`the zip entry ${quote(name)} is compressed or encrypted, which torch.save never does`);
    }
    if (entries.has(name)) throw damaged();
    entries.set(name, { name, byteLength, headerBegin });
    at = extraEnd + view.getUint16(at + 32, true);
  }
  checkRanges([...entries.values()], begin, complain);
  return entries;
}

/** Where the bytes of an entry begin. */
export async function locateEntry(source: ByteSource, entry: ZipEntry): Promise<number> {
  const { name, headerBegin } = entry;
  const view = viewOf(await readExact(source, headerBegin, headerBegin + LOCAL_HEADER_BYTES));
  if (view.getUint32(0, true) !== 0x0403_4b50 || view.getUint16(8, true) !== 0) {
    throw complainOf(source.name)(`the zip entry ${quote(name)} is damaged`);
  }
  return headerBegin + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
}

/** Reads a small entry whole. */
export async function readEntry(source: ByteSource, entry: ZipEntry, limit: number): Promise<Uint8Array> {
  const { name, byteLength } = entry;
  if (byteLength > limit) {
    throw complainOf(source.name)(
      `the zip entry ${quote(name)} has ${byteLength} bytes, at most ${limit} are read`,
    );
  }
  const begin = await locateEntry(source, entry);
  return await readExact(source, begin, begin + byteLength);
}

// Begin, end and number of entries of the directory, from the record at the end of the file.
async function findDirectory(source: ByteSource, complain: Complain): Promise<[number, number, number]> {
  const tailBegin = Math.max(0, source.byteLength - END_BYTES - MAX_COMMENT_BYTES);
  const tail = viewOf(await readExact(source, tailBegin, source.byteLength));
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== 0x0605_4b50) at--;
  if (at < 0) throw complain("its zip directory is missing, as if it were cut off");
  let count = tail.getUint16(at + 10, true);
  let size = tail.getUint32(at + 12, true);
  let begin = tail.getUint32(at + 16, true);
  let limit = tailBegin + at;
  const locator = at - LOCATOR_BYTES;
  if (locator >= 0 && tail.getUint32(locator, true) === 0x0706_4b50) {
    limit = Number(tail.getBigUint64(locator + 8, true));
    const record = viewOf(await readExact(source, limit, limit + 56));
    [count, size, begin] = [32, 40, 48].map((field) => Number(record.getBigUint64(field, true)));
  }
  if (begin + size > limit || size > MAX_DIRECTORY_BYTES || count * CENTRAL_HEADER_BYTES > size) {
    throw complain(
      `its zip directory is impossible: ${count} entries in ${size} bytes from byte ${begin} on`,
    );
  }
  return [begin, begin + size, count];
}

// Size, packed size and place of an entry; those that need 64 bits stand in the extra field number 1.
function entryNumbers(view: DataView, at: number, extraBegin: number, extraEnd: number): number[] {
  const numbers = [24, 20, 42].map((field) => view.getUint32(at + field, true));
  for (let field = extraBegin; field + 4 <= extraEnd; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    let from = field + 4;
    numbers.forEach((number, i) => {
      if (number !== UNKNOWN || from + 8 > extraEnd) return;
      numbers[i] = Number(view.getBigUint64(from, true));
      from += 8;
    });
  }
  return numbers;
}

// No entry may lie in another one or in the directory.
function checkRanges(entries: ZipEntry[], limit: number, complain: Complain): void {
  entries.sort((a, b) => a.headerBegin - b.headerBegin);
  entries.forEach(({ name, byteLength, headerBegin }, i) => {
    const end = headerBegin + LOCAL_HEADER_BYTES + byteLength;
    if (!isCount(end) || end > (entries[i + 1]?.headerBegin ?? limit)) {
      throw complain(`the zip entry ${quote(name)} overlaps another one or reaches beyond the file`);
    }
  });
}
