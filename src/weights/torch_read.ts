/**
 * Reads what torch.save writes, without Python: the zip form (torch 1.6 and later) and the form before.
 * Only flat state dicts: a dict whose values are tensors (other values are left out).
 *
 * @module
 */

import { type Checkpoint, checkpointOf, type FileContent } from "./checkpoint.ts";
import { elementBytes } from "./dtype.ts";
import { PickleEndError, readPickle } from "./pickle.ts";
import { type Complain, complainOf, disguise, quote, viewOf } from "./problem.ts";
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
  const start = await readExact(source, 0, Math.min(512, source.byteLength));
  const text = String.fromCharCode(...start);
  if (text.startsWith("PK\x03\x04")) return await readZipForm(source, complain);
  if (text.startsWith("\x80")) return await readOldForm(source, complain);
  if (text.startsWith("ustar", 257)) throw complain("it is a tar of torch before 0.1.10");
  throw complain(disguise(start) ?? "it was not written by torch.save");
}

async function readZipForm(source: ByteSource, complain: Complain): Promise<FileContent> {
  const entries = await readZipDirectory(source);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw complain(`it has ${pickles.length} zip entries data.pkl, expected one`);
  const root = pickles[0].slice(0, -"data.pkl".length);
  if (entries.has(`${root}constants.pkl`)) {
    throw complain("it is a TorchScript program, expected a state dict");
  }
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
  const byteOrder = order && String.fromCharCode(...await readEntry(source, order, 6));
  if (order && byteOrder !== "big" && byteOrder !== "little") {
    throw complain(`its byteorder is ${quote(byteOrder)}`);
  }
  return contentOf(source, value, complain, {
    locate: (key) => locateEntry(source, entries.get(`${root}data/${key}`)!),
    bigEndian: byteOrder === "big",
  });
}

// Magic number, protocol, sys_info, object, storage keys; then each storage: its count as int64, its bytes.
async function readOldForm(source: ByteSource, complain: Complain): Promise<FileContent> {
  const { value, keys, end, host } = await readOldPickles(source, complain);
  const begins = new Map<TorchValue, number>();
  let at = end;
  for (const key of keys) {
    begins.set(key, at + 8);
    at += 8 + (host.records.get(key as string)?.byteLength ?? NaN);
  }
  if (!(at <= source.byteLength) || begins.size !== host.records.size || keys.length !== begins.size) {
    throw complain(`its ${host.records.size} storages do not end with the file`);
  }
  return contentOf(source, value, complain, {
    async locate(key: string): Promise<number> {
      const begin = begins.get(key)!;
      const { dtype, byteLength } = host.records.get(key)!;
      const elements = viewOf(await readExact(source, begin - 8, begin)).getBigInt64(0, true);
      if (Number(elements) * elementBytes(dtype) === byteLength) return begin;
      throw complain(`its storage ${quote(key)} has ${elements} elements, expected ${byteLength} bytes`);
    },
    bigEndian: false, // torch writes this form in little endian on every machine
  });
}

/** The pickles of the old form, and where they end. */
interface OldPickles {
  readonly value: TorchValue;
  readonly keys: readonly TorchValue[];
  readonly end: number;
  readonly host: TorchHost;
}

async function readOldPickles(source: ByteSource, complain: Complain): Promise<OldPickles> {
  const longest = Math.min(source.byteLength, MAX_PICKLE_BYTES);
  for (let size = FIRST_READ_BYTES;; size *= 2) {
    const bytes = await readExact(source, 0, Math.min(size, longest));
    try {
      return parseOldPickles(bytes, complain);
    } catch (error) {
      if (!(error instanceof PickleEndError) || size >= longest) throw error;
    }
  }
}

function parseOldPickles(bytes: Uint8Array, complain: Complain): OldPickles {
  const host = torchHost(complain);
  let end = 0;
  const next = (): TorchValue => {
    const pickle = readPickle(bytes, end, host, complain);
    end = pickle.end;
    return pickle.value;
  };
  if (next() !== MAGIC_NUMBER) {
    throw complain("it was not written by torch.save");
  }
  const version = next();
  if (version !== PROTOCOL_VERSION) {
    throw complain(`its version is ${quote(version)}, expected ${PROTOCOL_VERSION}`);
  }
  next(); // sys_info: the sizes of C types on the machine that wrote it
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) throw complain("it has no list of storages");
  return { value, keys, end, host };
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
      throw complain(`tensor ${quote(name)} has ${info.byteLength} bytes`);
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
