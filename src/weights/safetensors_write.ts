/**
 * Writes safetensors, byte for byte as the Python library does: tensors by alignment of their type descending,
 * then by name; the header padded with spaces to 8 bytes (https://github.com/huggingface/safetensors).
 *
 * @module
 */

import { WeightsError } from "../errors.ts";
import { alignmentRank, type DType, elementBytes } from "./dtype.ts";
import { countElements, isCount, isCounts, joinBytes, quote } from "./problem.ts";
import { MAX_HEADER_BYTES } from "./safetensors_read.ts";

/** A tensor to be written. */
export interface TensorToWrite {
  /** Its name in the file. */
  readonly name: string;
  /** The element type of `data` and in the file. */
  readonly dtype: DType;
  /** The size of every dimension; empty for a scalar. */
  readonly shape: readonly number[];
  /**
   * The values in C order, little endian; or a function that gives them. It is called when the tensor's turn
   * comes, anew for each chunk, so memory that may grow is safe.
   */
  readonly data: ArrayBufferView | (() => ArrayBufferView);
}

/** A tensor to be written whose values have to be awaited when its turn comes. */
export interface AwaitedTensor extends Omit<TensorToWrite, "data"> {
  /** Gives the values in C order, little endian. Called once. */
  readonly data: () => Promise<ArrayBufferView>;
}

type TensorShape = Omit<TensorToWrite, "data">;

/** Strings that go into the header, in this order. The library itself writes several in a random order. */
export type SafetensorsMetadata = Readonly<Record<string, string>>;

/** 4 MiB: what a chunk copies at most. */
const CHUNK_BYTES = 2 ** 22;

/**
 * A safetensors file in chunks of up to 4 MiB, each a copy of its own.
 *
 * @param tensors The tensors, in any order.
 * @param metadata Strings for the header. Default: none.
 * @returns The chunks; together they are the file.
 * @throws {WeightsError} If a name stands twice or a tensor's data does not fit its type and shape.
 */
export function* safetensorsChunks(
  tensors: Iterable<TensorToWrite>,
  metadata?: SafetensorsMetadata,
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const sorted = sortTensors(tensors);
  yield encodeHeader(sorted, metadata);
  for (const tensor of sorted) yield* tensorChunks(tensor);
}

/**
 * As {@linkcode safetensorsChunks}, for tensors whose values have to be awaited, one after the other.
 *
 * @param tensors The tensors, in any order.
 * @param metadata Strings for the header. Default: none.
 * @returns The chunks; together they are the file.
 * @throws {WeightsError} If a name stands twice or a tensor's data does not fit its type and shape.
 */
export async function* safetensorsChunksAsync(
  tensors: Iterable<AwaitedTensor>,
  metadata?: SafetensorsMetadata,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const sorted = sortTensors(tensors);
  yield encodeHeader(sorted, metadata);
  for (const tensor of sorted) yield* tensorChunks({ ...tensor, data: await tensor.data() });
}

/**
 * A small safetensors file as one array.
 *
 * @param tensors The tensors, in any order.
 * @param metadata Strings for the header. Default: none.
 * @returns The file.
 * @throws {WeightsError} If a name stands twice or a tensor's data does not fit its type and shape.
 */
export function encodeSafetensors(
  tensors: Iterable<TensorToWrite>,
  metadata?: SafetensorsMetadata,
): Uint8Array<ArrayBuffer> {
  return joinBytes([...safetensorsChunks(tensors, metadata)]);
}

/** The size of a tensor in the file. */
export function tensorBytes(tensor: TensorShape): number {
  const bytes = isCounts(tensor.shape) ? countElements(tensor.shape) * elementBytes(tensor.dtype) : NaN;
  if (!isCount(bytes)) throw unwritable(tensor, `its shape is [${tensor.shape}]`);
  return bytes;
}

/** Orders strings by code points, as Rust and Python do. */
export function compareCodePoints(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return rankOfUnit(a.charCodeAt(at)) - rankOfUnit(b.charCodeAt(at));
}

// Surrogates stand for code points above U+FFFF, yet are smaller than U+E000 to U+FFFF; NaN is the string's end.
function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit >= 0 ? unit : -1;
}

function sortTensors<T extends TensorShape>(tensors: Iterable<T>): T[] {
  return [...tensors].sort((a, b) =>
    alignmentRank(b.dtype) - alignmentRank(a.dtype) || compareCodePoints(a.name, b.name)
  );
}

function encodeHeader(
  sorted: readonly TensorShape[],
  metadata?: SafetensorsMetadata,
): Uint8Array<ArrayBuffer> {
  const fields = new Map<string, string>();
  if (metadata !== undefined) fields.set("__metadata__", JSON.stringify(metadata));
  let at = 0;
  for (const tensor of sorted) {
    const { name, dtype, shape } = tensor;
    if (name === "__metadata__" || fields.has(name)) throw unwritable(tensor, "the name is taken");
    const data_offsets = [at, at += tensorBytes(tensor)];
    fields.set(name, JSON.stringify({ dtype, shape, data_offsets }));
  }
  const json = `{${Array.from(fields, ([name, field]) => `${JSON.stringify(name)}:${field}`)}}`;
  const texts = [...fields.keys(), ...Object.entries(metadata ?? {}).flat()];
  const bytes = new TextEncoder().encode(json);
  const length = Math.ceil(bytes.length / 8) * 8;
  if (!texts.every((text) => typeof text === "string" && text.isWellFormed()) || length > MAX_HEADER_BYTES) {
    throw new WeightsError(
      "Cannot write safetensors: the names and metadata are no Unicode strings, or too long.",
    );
  }
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(bytes, 8);
  return header;
}

// The values, each chunk in memory of its own: never shared, never detached by a growing memory.
function* tensorChunks(tensor: TensorToWrite): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const total = tensorBytes(tensor);
  for (let at = 0; at < total; at += CHUNK_BYTES) {
    const data = typeof tensor.data === "function" ? tensor.data() : tensor.data;
    if (data.byteLength !== total) {
      throw unwritable(tensor, `its data has ${data.byteLength} bytes, expected ${total}`);
    }
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, total - at));
    chunk.set(new Uint8Array(data.buffer, data.byteOffset + at, chunk.length));
    yield chunk;
  }
}

function unwritable(tensor: TensorShape, problem: string): WeightsError {
  return new WeightsError(`Cannot write the tensor ${quote(tensor.name)}: ${problem}.`);
}
