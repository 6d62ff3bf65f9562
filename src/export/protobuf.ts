/**
 * Protocol buffers' wire format, written in pieces: a message knows its length before the large fields in it are there,
 * so gigabytes pass through a few megabytes of memory (https://protobuf.dev/programming-guides/encoding). Pure.
 *
 * @module
 */

/** Bytes of known length that come when they are asked for. */
export interface ByteStream {
  /** Bytes of all chunks. */
  readonly byteLength: number;
  /** Makes the bytes, anew at each call. */
  chunks(): Iterable<Uint8Array<ArrayBuffer>>;
}

const VARINT = 0, FIXED64 = 1, LENGTH_DELIMITED = 2, FIXED32 = 5;

/** A message that is being filled: each call adds a field. Empty messages are valid. */
export class Message implements ByteStream {
  /** Bytes of the fields so far, cut where a stream comes in between. */
  readonly #parts: ByteStream[] = [];
  #bytes: number[] = [];
  #length = 0;

  /** Bytes of all fields. */
  get byteLength(): number {
    return this.#length + this.#bytes.length;
  }

  /** A whole number, as int64. */
  integer(field: number, value: number): this {
    this.#varint(field * 8 + VARINT);
    if (value >= 0) this.#varint(value);
    else {for (let i = 0, rest = BigInt.asUintN(64, BigInt(value)); i < 10; i++, rest >>= 7n) {
        this.#bytes.push(Number(rest & 127n) | (i < 9 ? 128 : 0));
      }}
    return this;
  }

  /** A 32-bit floating-point number. */
  float(field: number, value: number): this {
    this.#varint(field * 8 + FIXED32);
    this.#bytes.push(...new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  /** A 64-bit floating-point number. */
  double(field: number, value: number): this {
    this.#varint(field * 8 + FIXED64);
    this.#bytes.push(...new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  /** A string. */
  text(field: number, value: string): this {
    const bytes = new TextEncoder().encode(value);
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** A message, or bytes, of their own length. */
  embed(field: number, value: ByteStream): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.byteLength);
    this.#cut();
    this.#parts.push(value);
    this.#length += value.byteLength;
    return this;
  }

  /** The fields, in the order in which they were added. */
  *chunks(): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    this.#cut();
    for (const part of this.#parts) yield* part.chunks();
  }

  #cut(): void {
    const bytes = Uint8Array.from(this.#bytes);
    this.#parts.push({ byteLength: bytes.length, chunks: () => [bytes] });
    this.#length += bytes.length;
    this.#bytes = [];
  }

  #varint(value: number): void {
    let rest = value; // above 32 bits too, so no shifts
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes.push(rest % 128 + 128);
    this.#bytes.push(rest);
  }
}

/** The same bytes with neighbours below `limit` bytes joined, so that writing them takes few calls. */
export function* joinSmall(
  chunks: Iterable<Uint8Array<ArrayBuffer>>,
  limit = 2 ** 16,
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const buffer = new Uint8Array(limit);
  let used = 0;
  for (const chunk of chunks) {
    if (used + chunk.length > limit && used > 0) {
      yield buffer.slice(0, used);
      used = 0;
    }
    if (chunk.length > limit) yield chunk;
    else {
      buffer.set(chunk, used);
      used += chunk.length;
    }
  }
  if (used > 0) yield buffer.slice(0, used);
}
