/**
 * Reads safetensors: 8 bytes of header length, a JSON header, then the tensors without gaps
 * (https://github.com/huggingface/safetensors#format). As strict as the library, and duplicate names are refused.
 *
 * @module
 */

import { type Checkpoint, checkpointOf, type FileContent } from "./checkpoint.ts";
import type { Float32Target } from "./convert.ts";
import { elementBytes, isDType, type TensorData, type TensorInfo } from "./dtype.ts";
import { type Json, parseJson } from "./json.ts";
import { type Complain, complainOf, countElements, disguise, isCounts, quote, viewOf } from "./problem.ts";
import { type ByteSource, readExact } from "./source.ts";
import { readStream } from "./stream_reader.ts";
import { BLOCK_BYTES, collect, fillFloat32 } from "./tensor_io.ts";

/** The library's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Bounds the memory of a parsed header to about 100 MB: some 75,000 tensors. */
const MAX_HEADER_VALUES = 1_000_000;

/** What is fetched at first: the header of a BERT has 10 to 50 kB. */
const FIRST_READ_BYTES = 65_536;

/** A parsed header. */
interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In file order, without gaps; `begin` counts from the end of the header. */
  readonly entries: readonly { readonly info: TensorInfo; readonly begin: number }[];
  /** The bytes of all tensors. */
  readonly dataBytes: number;
}

/** A tensor that arrives in a stream: read it before the next one is asked for, or it passes by. */
export interface StreamedTensor extends TensorInfo {
  /** Converts the values into memory of as many elements; see {@linkcode Checkpoint.readFloat32}. */
  readFloat32(target: Float32Target): Promise<void>;
  /** Collects the values. */
  read(): Promise<TensorData>;
}

/**
 * Opens a safetensors file; only its header is read.
 *
 * @param source The file. The checkpoint's `close` closes it.
 * @returns The checkpoint.
 * @throws {WeightsError} If the file is malformed.
 */
export async function openSafetensors(source: ByteSource): Promise<Checkpoint> {
  return checkpointOf(source.name, await readSafetensors(source), [source]);
}

/** Reads the header of a safetensors file. */
export async function readSafetensors(source: ByteSource): Promise<FileContent> {
  const { name, byteLength } = source;
  const complain = complainOf(name);
  const first = await readExact(source, 0, Math.min(FIRST_READ_BYTES, byteLength));
  const dataBegin = 8 + headerLength(first, complain);
  const json = dataBegin > first.length
    ? await readExact(source, 8, dataBegin)
    : first.subarray(8, dataBegin);
  const { metadata, entries, dataBytes } = parseHeader(json, complain);
  if (dataBegin + dataBytes !== byteLength) {
    throw complain(`by its header it has ${dataBegin + dataBytes} bytes, it has ${byteLength}`);
  }
  const stored = entries.map(({ info, begin }) => ({
    info,
    source,
    locate: (): number => dataBegin + begin,
  }));
  return { format: "safetensors", metadata, stored };
}

/**
 * Reads a safetensors file that arrives as a stream. The tensors come in file order; what is not read passes by.
 * Leaving the loop early cancels the stream.
 *
 * @param stream The file's bytes.
 * @param name The file's name, for messages. Default `"stream"`.
 * @returns The tensors.
 * @throws {WeightsError} If the file is malformed, or shorter or longer than its header says.
 */
export async function* streamTensors(
  stream: ReadableStream<Uint8Array>,
  name = "stream",
): AsyncGenerator<StreamedTensor, void, undefined> {
  const complain = complainOf(name);
  const reader = readStream(stream, complain);
  try {
    const header = await reader.take(headerLength(await reader.take(8), complain));
    for (const { info } of parseHeader(header, complain).entries) {
      let rest = info.byteLength;
      let used = false;
      const blocks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        if (used) throw complain(`${quote(info.name)} can be read once, before the next tensor`);
        used = true;
        for (; rest > 0; rest -= BLOCK_BYTES) yield await reader.take(Math.min(BLOCK_BYTES, rest));
      };
      yield {
        ...info,
        readFloat32: (target: Float32Target): Promise<void> => fillFloat32(info, blocks(), target),
        read: (): Promise<TensorData> => collect(info, blocks()),
      };
      if (!used) { for await (const _ of blocks()); }
      if (rest > 0) throw complain(`${quote(info.name)} was not read to its end before the next tensor`);
    }
    await reader.expectEnd();
  } finally {
    await reader.cancel();
  }
}

// The length of the JSON header from the first 8 bytes.
function headerLength(first: Uint8Array, complain: Complain): number {
  const problem = disguise(first);
  if (problem !== null) throw complain(problem);
  const length = first.length < 8 ? 0n : viewOf(first).getBigUint64(0, true);
  if (length === 0n || length > MAX_HEADER_BYTES) {
    throw complain(`its header has ${length} bytes, expected 2 to ${MAX_HEADER_BYTES}`);
  }
  return Number(length);
}

function parseHeader(bytes: Uint8Array, complain: Complain): Header {
  const header = parseJson(bytes, {
    maxDepth: 4,
    maxValues: MAX_HEADER_VALUES,
    naturalNumbers: true,
    error: (problem) => complain(`its header has ${problem}`),
  });
  if (!(header instanceof Map)) throw complain("its header is no JSON object");
  const metadata = parseMetadata(header.get("__metadata__") ?? new Map(), complain);
  header.delete("__metadata__");
  const entries = Array.from(header, ([name, value]) => parseEntry(name, value, complain));
  entries.sort((a, b) => a.begin - b.begin || a.info.byteLength - b.info.byteLength);
  let end = 0;
  for (const { info, begin } of entries) {
    if (begin !== end) {
      throw complain(`tensor ${quote(info.name)} begins at byte ${begin}, the one before it ends at ${end}`);
    }
    end += info.byteLength;
  }
  return { metadata, entries, dataBytes: end };
}

function parseMetadata(value: Json, complain: Complain): Record<string, string> {
  if (value instanceof Map && [...value.values()].every((item) => typeof item === "string")) {
    return Object.fromEntries(value as Map<string, string>);
  }
  throw complain("its __metadata__ is no object of strings");
}

function parseEntry(name: string, value: Json, complain: Complain): Header["entries"][number] {
  const [dtype, shape, offsets] = ["dtype", "shape", "data_offsets"].map((key) =>
    value instanceof Map ? value.get(key) : null
  );
  if (!isDType(dtype)) throw complain(`tensor ${quote(name)} has the unknown type ${quote(dtype)}`);
  const [begin, end] = isCounts(offsets) ? offsets : [];
  const byteLength = isCounts(shape) ? countElements(shape) * elementBytes(dtype) : NaN;
  if (!isCounts(shape) || end - begin !== byteLength) {
    throw complain(
      `tensor ${
        quote(name)
      } is ${dtype} ${quote(shape)} of ${byteLength} bytes, its data_offsets are ${quote(offsets)}`,
    );
  }
  return { info: { name, dtype, shape, byteLength }, begin };
}
