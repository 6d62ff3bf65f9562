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
import {
  type Complain,
  complainOf,
  countElements,
  isCounts,
  quote,
  readUint,
  refuseStandIn,
} from "./problem.ts";
import { type ByteSource, readExact } from "./source.ts";
import { sourceFromStream } from "./stream_source.ts";
import { fillFloat32, readStored } from "./tensor_io.ts";

/** The library's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Some 14,000 tensors: bounds the time to about 0.3 s and the memory to about 50 MB. */
const MAX_HEADER_VALUES = 300_000;

/** A parsed header. */
interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In file order, without gaps; `begin` counts from the end of the header. */
  readonly entries: readonly { readonly info: TensorInfo; readonly begin: number }[];
  /** The bytes of all tensors. */
  readonly dataBytes: number;
}

/** A tensor that arrives in a stream: read it once, before the next one is asked for, or it passes by. */
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
export async function readSafetensors(source: ByteSource): Promise<FileContent & { byteLength: number }> {
  const complain = complainOf(source.name);
  const first = await readExact(source, 0, Math.min(8, source.byteLength));
  refuseStandIn(first, complain);
  const headerBytes = readUint(first, 0, 8);
  if (!(headerBytes <= MAX_HEADER_BYTES)) {
    throw complain(`its header has ${headerBytes} bytes, expected up to ${MAX_HEADER_BYTES}`);
  }
  const dataBegin = 8 + headerBytes;
  const { metadata, entries, dataBytes } = parseHeader(await readExact(source, 8, dataBegin), complain);
  const byteLength = dataBegin + dataBytes;
  if (byteLength !== source.byteLength && source.byteLength !== Infinity) {
    throw complain(`it has ${source.byteLength} bytes, by its header it should have ${byteLength}`);
  }
  const stored = entries.map(({ info, begin }) => ({
    info,
    source,
    locate: (): number => dataBegin + begin,
  }));
  return { format: "safetensors", metadata, stored, byteLength };
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
  const source = sourceFromStream(name, stream);
  try {
    const { stored, byteLength } = await readSafetensors(source);
    for (const tensor of stored) {
      yield {
        ...tensor.info,
        readFloat32: (target: Float32Target): Promise<void> => fillFloat32(tensor, target),
        read: (): Promise<TensorData> => readStored(tensor),
      };
    }
    if (await source.goesOn(byteLength)) throw complainOf(name)(`it goes on after byte ${byteLength}`);
  } finally {
    await source.cancel();
  }
}

function parseHeader(bytes: Uint8Array, complain: Complain): Header {
  const header = parseJson(bytes, {
    maxDepth: 4,
    maxValues: MAX_HEADER_VALUES,
    naturalNumbers: true,
    error: (problem) => complain(`its header has ${problem}`),
  });
  if (!(header instanceof Map)) throw complain("its header is no JSON object");
  const metadata = header.get("__metadata__") ?? new Map();
  if (!(metadata instanceof Map) || [...metadata.values()].some((value) => typeof value !== "string")) {
    throw complain("its __metadata__ is no object of strings");
  }
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
  return { metadata: Object.fromEntries(metadata), entries, dataBytes: end };
}

function parseEntry(name: string, value: Json, complain: Complain): Header["entries"][number] {
  const [dtype, shape, offsets] = ["dtype", "shape", "data_offsets"].map((key) =>
    value instanceof Map ? value.get(key) : null
  );
  if (!isDType(dtype)) throw complain(`tensor ${quote(name)} has the unknown type ${quote(dtype)}`);
  const [begin, end] = isCounts(offsets) && offsets.length === 2 ? offsets : [];
  const byteLength = isCounts(shape) ? countElements(shape) * elementBytes(dtype) : NaN;
  if (!isCounts(shape) || end - begin !== byteLength) {
    throw complain(
      `tensor ${quote(name)} is ${dtype} ${quote(shape)}, its data_offsets are ${quote(offsets)}`,
    );
  }
  return { info: { name, dtype, shape, byteLength }, begin };
}
