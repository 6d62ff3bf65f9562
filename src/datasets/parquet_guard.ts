/**
 * Looks through the pages of a Parquet column before they are decoded: counts and runs that a few bytes claim must not
 * make the decoder fill the memory (https://parquet.apache.org/docs/file-format/).
 *
 * @module
 */

/** What is known about the pages. */
export interface ColumnShape {
  /** How many values the column has in this row group, nulls too. */
  readonly values: number;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  readonly isBoolean: boolean;
  /** Decompresses a page; undefined if it is not compressed. */
  readonly decompress?: (bytes: Uint8Array, byteLength: number) => Uint8Array;
  /** The largest page, decompressed. */
  readonly maxPageBytes: number;
}

/** Numbers of a Thrift struct by field; structs inside are structs. */
type Struct = Map<number, number | Struct>;

const DATA = 0, INDEX = 1, DICTIONARY = 2, DATA_V2 = 3;
const PLAIN_DICTIONARY = 2, RLE = 3, RLE_DICTIONARY = 8, DELTA = [5, 6, 7];

/** Writers fill the last bit-packed group up. */
const PADDING_VALUES = 512;

/** Reads forwards and never beyond the end. */
class Cursor {
  constructor(readonly bytes: Uint8Array, public at = 0, readonly end = bytes.length) {}

  byte(): number {
    if (this.at >= this.end) throw new Error("a page ends too early");
    return this.bytes[this.at++];
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error("a number in a page header has no end");
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  skip(count: number): void {
    if (!(count >= 0 && count <= this.end - this.at)) throw new Error("a page ends too early");
    this.at += count;
  }
}

/** A Thrift struct in the compact protocol; texts and lists are passed over. */
function readStruct(cursor: Cursor, depth = 0): Struct {
  const fields: Struct = new Map();
  if (depth > 8) throw new Error("a page header is nested too deeply");
  for (let id = 0;;) {
    const head = cursor.byte(), type = head & 15;
    if (type === 0) return fields;
    id = head >> 4 ? id + (head >> 4) : cursor.zigzag();
    const value = readValue(cursor, type, depth);
    if (value !== undefined) fields.set(id, value);
  }
}

function readValue(cursor: Cursor, type: number, depth: number): number | Struct | undefined {
  if (type === 1 || type === 2) return Number(type === 1);
  if (type === 3) return cursor.byte();
  if (type >= 4 && type <= 6) return cursor.zigzag();
  if (type === 7) return void cursor.skip(8);
  if (type === 8) return void cursor.skip(cursor.varint());
  if (type === 12) return readStruct(cursor, depth + 1);
  throw new Error("a page header has a field of a kind that it cannot have");
}

function count(struct: number | Struct | undefined, field: number): number {
  const value = struct instanceof Map ? struct.get(field) : undefined;
  return typeof value === "number" && value >= 0 ? value : -1;
}

/** Walks along the runs of a hybrid of run lengths and packed bits. */
function checkRuns(cursor: Cursor, bitWidth: number, values: number): void {
  if (bitWidth > 32) throw new Error(`values of ${bitWidth} bits are claimed`);
  for (let seen = 0; seen < values && cursor.at < cursor.end;) {
    const head = cursor.varint(), isPacked = head % 2 === 1;
    const length = Math.floor(head / 2) * (isPacked ? 8 : 1);
    if (length > values - seen + (isPacked ? PADDING_VALUES : 0)) {
      throw new Error(`a run of ${length} values is claimed where there are ${values}`);
    }
    if (length === 0 && !isPacked) throw new Error("a run has no values");
    cursor.skip(Math.min(cursor.end - cursor.at, isPacked ? length / 8 * bitWidth : Math.ceil(bitWidth / 8)));
    seen += length;
  }
}

function bitsOf(largest: number): number {
  return 32 - Math.clz32(largest);
}

/** The levels of a page of version 1: a length of 4 bytes, then runs. */
function checkLevels(cursor: Cursor, largest: number, values: number): void {
  if (largest === 0) return;
  let length = 0;
  for (let i = 0; i < 4; i++) length += cursor.byte() * 256 ** i;
  const { at } = cursor;
  cursor.skip(length);
  checkRuns(new Cursor(cursor.bytes, at, cursor.end), bitsOf(largest), values);
}

/** The values of a page. */
function checkValues(cursor: Cursor, encoding: number, values: number, shape: ColumnShape): void {
  if (encoding === RLE && shape.isBoolean) {
    cursor.skip(4);
    checkRuns(cursor, 1, values);
  } else if (encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) {
    if (cursor.at < cursor.end) checkRuns(cursor, Math.max(1, cursor.byte()), values);
  } else if (DELTA.includes(encoding)) {
    const blockSize = cursor.varint(), parts = cursor.varint();
    if (parts === 0 || parts > 2 ** 16 || blockSize > 2 ** 24) {
      throw new Error("a block of differences is too large");
    }
  }
}

/**
 * Checks the pages of one column of one row group.
 *
 * @param chunk The bytes of the column.
 * @throws {Error} if a page claims more than there is or may be.
 */
export function checkPages(chunk: Uint8Array, shape: ColumnShape): void {
  const cursor = new Cursor(chunk);
  for (let seen = 0; seen < shape.values && cursor.at < chunk.length - 1;) {
    const header = readStruct(cursor), type = count(header, 1);
    const uncompressed = count(header, 2), compressed = count(header, 3);
    if (uncompressed < 0 || uncompressed > shape.maxPageBytes) {
      throw new Error(
        `a page of ${uncompressed} bytes is claimed, the limit is ${shape.maxPageBytes} (max_page_bytes)`,
      );
    }
    const { at } = cursor;
    cursor.skip(compressed);
    const bytes = chunk.subarray(at, at + compressed);
    const own = header.get(type === DATA ? 5 : type === DICTIONARY ? 7 : 8), values = count(own, 1);
    if (type === INDEX || type > DATA_V2 || type < 0) throw new Error("a page is of an unknown kind");
    if (values < 0 || values > shape.values - (type === DICTIONARY ? 0 : seen)) {
      throw new Error(`a page claims ${values} values where there are ${shape.values}`);
    }
    if (type === DICTIONARY) continue;
    if (type === DATA) {
      const page = new Cursor(shape.decompress?.(bytes, uncompressed) ?? bytes);
      checkLevels(page, shape.maxRepetition, values);
      checkLevels(page, shape.maxDefinition, values);
      checkValues(page, count(own, 2), values, shape);
    } else checkPageV2(bytes, uncompressed, own as Struct, values, shape);
    if (values === 0) throw new Error("a page has no values");
    seen += values;
  }
}

function checkPageV2(
  bytes: Uint8Array,
  uncompressed: number,
  own: Struct,
  values: number,
  shape: ColumnShape,
): void {
  const definition = count(own, 5), repetition = count(own, 6), levels = definition + repetition;
  if (
    definition < 0 || repetition < 0 || levels > bytes.length || levels > uncompressed ||
    count(own, 2) > values
  ) {
    throw new Error("a page's levels are longer than the page");
  }
  if (shape.maxRepetition > 0) {
    checkRuns(new Cursor(bytes, 0, repetition), bitsOf(shape.maxRepetition), values);
  }
  if (shape.maxDefinition > 0) {
    checkRuns(new Cursor(bytes, repetition, levels), bitsOf(shape.maxDefinition), values);
  }
  const packed = bytes.subarray(levels), isCompressed = own.get(7) !== 0;
  const page = isCompressed ? shape.decompress?.(packed, uncompressed - levels) ?? packed : packed;
  checkValues(new Cursor(page), count(own, 4), values, shape);
}
