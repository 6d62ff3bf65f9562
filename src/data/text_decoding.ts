/**
 * Bytes of a text file in pieces -> text: UTF-8, or UTF-16 if a byte order mark says so. What is no text is refused
 * with its place.
 *
 * @module
 */
import { countNewlines, dataError } from "./problem.ts";

/** Bytes of a text are decoded in pieces of this size: a string that is kept keeps the piece it was cut from. */
const PIECE_BYTES = 2 ** 16;

/** Decodes a file piece by piece. */
export class TextDecoding {
  #decoder: TextDecoder | null = null;
  #isUtf8 = true;
  #rest: Uint8Array = new Uint8Array(0);
  #line = 1;
  /** Characters of the line that were decoded already. */
  #column = 0;

  /** @param name The file's name, for messages. */
  constructor(readonly name: string) {}

  /**
   * Decodes the next bytes, whatever their number.
   *
   * @throws {DataError} if they are no UTF-8 (or UTF-16), or hold a NUL.
   */
  *push(bytes: Uint8Array): Generator<string> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const text = this.#decode(join(this.#rest, bytes.subarray(at, at + PIECE_BYTES)), false);
      if (text !== "") yield text;
    }
  }

  /** Decodes what is left at the end. */
  *end(): Generator<string> {
    const text = this.#decode(this.#rest, true);
    if (text !== "") yield text;
  }

  #decode(bytes: Uint8Array, isLast: boolean): string {
    if (!this.#decoder) {
      if (bytes.length < 4 && !isLast) {
        this.#rest = bytes.slice();
        return "";
      }
      bytes = this.#begin(bytes);
    }
    const whole = isLast ? bytes.length : this.#isUtf8 ? wholeUtf8(bytes) : wholeUtf16(bytes, this.#decoder!);
    this.#rest = bytes.slice(whole);
    const text = this.#text(bytes.subarray(0, whole));
    const nul = text.indexOf("\0");
    if (nul >= 0) {
      const what = this.#isUtf8
        ? "a NUL byte, which text has not (UTF-16 needs a byte order mark)"
        : "a NUL character";
      throw this.#problem(text.slice(0, nul), `there is ${what}`);
    }
    this.#line += countNewlines(text);
    const newline = text.lastIndexOf("\n");
    this.#column = newline < 0 ? this.#column + text.length : text.length - newline - 1;
    return text;
  }

  /** Looks for a byte order mark. */
  #begin(bytes: Uint8Array): Uint8Array {
    const [a, b, c] = bytes, isLittle = a === 0xff && b === 0xfe, isBig = a === 0xfe && b === 0xff;
    this.#isUtf8 = !isLittle && !isBig;
    const encoding = isLittle ? "utf-16le" : isBig ? "utf-16be" : "utf-8";
    this.#decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    if (!this.#isUtf8) return bytes.subarray(2);
    return a === 0xef && b === 0xbb && c === 0xbf ? bytes.subarray(3) : bytes;
  }

  #text(bytes: Uint8Array): string {
    try {
      return this.#decoder!.decode(bytes);
    } catch {
      const good = this.#isUtf8 ? validUtf8(bytes) : validUtf16(bytes, this.#decoder!);
      const before = this.#decoder!.decode(bytes.subarray(0, good));
      if (!this.#isUtf8) throw this.#problem(before, "this is no UTF-16, as its byte order mark says");
      const found = `the byte 0x${bytes[good].toString(16).padStart(2, "0")} is no UTF-8`;
      throw this.#problem(before, `${found}; save the file as UTF-8`);
    }
  }

  #problem(before: string, problem: string): Error {
    const newline = before.lastIndexOf("\n");
    const column = before.length - newline + (newline < 0 ? this.#column : 0);
    return dataError(this.name, { line: this.#line + countNewlines(before), column }, problem);
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Bytes before a character that is cut by the end. */
function wholeUtf8(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Bytes before a unit, or a pair of surrogates, that is cut by the end. */
function wholeUtf16(bytes: Uint8Array, decoder: TextDecoder): number {
  const even = bytes.length - bytes.length % 2;
  if (even === 0) return 0;
  const high = bytes[even - (decoder.encoding === "utf-16le" ? 1 : 2)];
  return high >= 0xd8 && high < 0xdc ? even - 2 : even;
}

/** How many bytes are UTF-8 (Unicode, table 3-7). */
function validUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const a = bytes[at], b = bytes[at + 1], tail = (i: number) => (bytes[at + i] & 0xc0) === 0x80;
    if (a < 0x80) at++;
    else if (a >= 0xc2 && a < 0xe0 && tail(1)) at += 2;
    else if (
      a >= 0xe0 && a < 0xf0 && tail(1) && tail(2) && !(a === 0xe0 && b < 0xa0) && !(a === 0xed && b >= 0xa0)
    ) at += 3;
    else if (
      a >= 0xf0 && a < 0xf5 && tail(1) && tail(2) && tail(3) && !(a === 0xf0 && b < 0x90) &&
      !(a === 0xf4 && b >= 0x90)
    ) at += 4;
    else break;
  }
  return at;
}

/** How many bytes are UTF-16: before a lone surrogate or half a unit. */
function validUtf16(bytes: Uint8Array, decoder: TextDecoder): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    isLittle = decoder.encoding === "utf-16le";
  const unit = (at: number) => at + 2 <= bytes.length ? view.getUint16(at, isLittle) : 0;
  const isHigh = (value: number) => value >= 0xd800 && value < 0xdc00;
  const isLow = (value: number) => value >= 0xdc00 && value < 0xe000;
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    if (isHigh(unit(at)) && isLow(unit(at + 2))) at += 2;
    else if (isHigh(unit(at)) || isLow(unit(at))) return at;
  }
  return bytes.length - bytes.length % 2;
}
