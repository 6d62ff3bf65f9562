/**
 * Reads what torch.save writes, without Python: the zip form (torch 1.6 and later) and the form before.
 * Only flat state dicts: a dict whose values are tensors (other values are left out).
 *
 * @module
 */

import { type Checkpoint, checkpointOf, type FileContent } from "./checkpoint.ts";
import { elementBytes } from "./dtype.ts";
import { PickleEndError, readPickle } from "./pickle.ts";
import { asciiOf, type Complain, complainOf, quote, readUint, refuseStandIn } from "./problem.ts";
import { type ByteSource, readExact } from "./source.ts";
import { has, type TorchHost, torchHost, type TorchTensor, type TorchValue } from "./torch_objects.ts";
import { locateEntry, readEntry, readZipDirectory } from "./zip.ts";

/** The pickle of bert-large has 100 kB. */
const MAX_PICKLE_BYTES = 16_000_000;

/** What is fetched of the old form at first; doubled until the pickles end. */
const FIRST_READ_BYTES = 262_144;

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;

/** How a form of file holds its storages. */
interface Records {
  /** Where a record begins; called when it is first read. */
  locate(key: string): Promise<number>;
  readonly bigEndian: boolean;
}

/**
 * Opens a file written by torch.save; its tensors are read later. Nothing in it is executed.
 *
 * @param source The file. The checkpoint's `close` closes it.
 * @returns The checkpoint.
 * @throws {WeightsError} If the file is malformed, compressed, or holds more than a dict of tensors.
 */
export async function openTorch(source: ByteSource): Promise<Checkpoint> {
  return checkpointOf(source.name, await readTorch(source), [source]);
}

/** Reads the pickle of a file written by torch.save. */
export async function readTorch(source: ByteSource): Promise<FileContent> {
  const complain = complainOf(source.name);
  const start = await readExact(source, 0, Math.min(8, source.byteLength));
  if (asciiOf(start).startsWith("PK\x03\x04")) return await readZipForm(source, complain);
  if (start[0] === 0x80) return await readOldForm(source, complain);
  refuseStandIn(start, complain);
  throw complain("it was not written by torch.save");
}

async function readZipForm(source: ByteSource, complain: Complain): Promise<FileContent> {
  const entries = await readZipDirectory(source);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw complain(`it has ${pickles.length} zip entries data.pkl, expected one`);
  const root = pickles[0].slice(0, -"data.pkl".length);
  const host = torchHost(complain);
  const pickle = await readEntry(source, entries.get(pickles[0])!, MAX_PICKLE_BYTES);
  const { value } = readPickle(pickle, 0, host, complain);
  for (const [key, { byteLength }] of host.records) {
    const found = entries.get(`${root}data/${key}`)?.byteLength;
    if (found !== byteLength) {
      throw complain(`its storage ${quote(key)} has ${found} bytes, expected ${byteLength}`);
    }
  }
  const order = entries.get(`${root}byteorder`);
  const byteOrder = order ? asciiOf(await readEntry(source, order, 6)) : "little";
  const bigEndian = byteOrder === "big";
  if (!bigEndian && byteOrder !== "little") throw complain(`its byteorder is ${quote(byteOrder)}`);
  return contentOf(source, value, complain, {
    locate: (key) => locateEntry(source, entries.get(`${root}data/${key}`)!),
    bigEndian,
  });
}

// Magic number, protocol, sys_info, object, storage keys; then each storage: its count as int64, its bytes.
async function readOldForm(source: ByteSource, complain: Complain): Promise<FileContent> {
  const { values, end, host } = await readOldPickles(source, complain);
  const [magic, version, , value, keys] = values; // the third is sys_info: the sizes of C types
  if (magic !== MAGIC_NUMBER || version !== PROTOCOL_VERSION || !Array.isArray(keys)) {
    throw complain("it was not written by torch.save");
  }
  const begins = new Map<TorchValue, number>();
  let at = end;
  for (const key of keys) {
    begins.set(key, at + 8);
    at += 8 + (host.records.get(key as string)?.byteLength ?? NaN);
  }
  if (!(at <= source.byteLength) || begins.size !== host.records.size || keys.length !== begins.size) {
    throw complain(`its storages end at byte ${at}, it has ${source.byteLength} bytes`);
  }
  return contentOf(source, value, complain, {
    async locate(key: string): Promise<number> {
      const begin = begins.get(key)!;
      const { dtype, byteLength } = host.records.get(key)!;
      const found = readUint(await readExact(source, begin - 8, begin), 0, 8) * elementBytes(dtype);
      if (found !== byteLength) {
        throw complain(`its storage ${quote(key)} has ${found} bytes, expected ${byteLength}`);
      }
      return begin;
    },
    bigEndian: false, // torch writes this form in little endian on every machine
  });
}

// The five pickles of the old form, and where they end.
async function readOldPickles(
  source: ByteSource,
  complain: Complain,
): Promise<{ values: TorchValue[]; end: number; host: TorchHost }> {
  const longest = Math.min(source.byteLength, MAX_PICKLE_BYTES);
  for (let size = FIRST_READ_BYTES;; size *= 2) {
    const bytes = await readExact(source, 0, Math.min(size, longest));
    const host = torchHost(complain);
    const values: TorchValue[] = [];
    try {
      let end = 0;
      while (values.length < 5) {
        const pickle = readPickle(bytes, end, host, complain);
        end = pickle.end;
        values.push(pickle.value);
      }
      return { values, end, host };
    } catch (error) {
      if (!(error instanceof PickleEndError) || size >= longest) throw error;
    }
  }
}

function contentOf(source: ByteSource, value: TorchValue, complain: Complain, records: Records): FileContent {
  const begins = new Map<string, Promise<number>>();
  const locate = async ({ storage: { key, byteOffset } }: TorchTensor): Promise<number> => {
    if (!begins.has(key)) begins.set(key, records.locate(key));
    return await begins.get(key)! + byteOffset;
  };
  const dict = value instanceof Map ? [...value] : [];
  const stored = dict.flatMap(([name, tensor]) => {
    if (typeof name !== "string" || !has(tensor, "layout")) return [];
    const { info, layout } = tensor;
    // What is expanded may not need more memory than the file.
    if (info.byteLength > source.byteLength) {
      throw complain(`tensor ${quote(name)} has ${info.byteLength} bytes, more than the file`);
    }
    const { bigEndian } = records;
    return [{ info: { name, ...info }, source, layout, bigEndian, locate: () => locate(tensor) }];
  });
  if (stored.length === 0) {
    const names = dict.slice(0, 5).map(([name]) => quote(name)).join(", ");
    throw complain(`it holds no state dict: no tensors, but ${names || "something else"}`);
  }
  return { format: "pytorch", metadata: {}, stored };
}
