/** What the tests of the weights share: golden files, files on disk, hand-made pickles and zips. */

import assert from "node:assert/strict";
import { WeightsError } from "../../src/errors.ts";
import {
  type ByteSource,
  type Checkpoint,
  type ModelFiles,
  openSafetensors,
  openTorch,
  sourceFromBytes,
} from "../../src/weights/mod.ts";

/** The bytes of a golden file. */
export function golden(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(`./golden/${name}`, import.meta.url));
}

/** Whether a file or folder beside the checkout is there; the tests that need it are skipped otherwise. */
export function isThere(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch {
    console.log(`(skipped: ${url.pathname} is absent)`);
    return false;
  }
}

/** A file on disk, read in ranges. */
export function sourceFromFile(path: URL | string): ByteSource {
  const file = Deno.openSync(path, { read: true });
  return {
    name: String(path).split("/").at(-1)!,
    byteLength: file.statSync().size,
    read(begin: number, end: number): Promise<Uint8Array> {
      const bytes = new Uint8Array(end - begin);
      return this.readInto!(begin, bytes).then(() => bytes);
    },
    readInto(begin: number, target: Uint8Array): Promise<void> {
      file.seekSync(begin, Deno.SeekMode.Start);
      for (let at = 0; at < target.length;) {
        const count = file.readSync(target.subarray(at));
        if (count === null) return Promise.reject(new Error("the file is cut off"));
        at += count;
      }
      return Promise.resolve();
    },
    close: (): void => file.close(),
  };
}

/** A model folder on disk. */
export function filesFromFolder(folder: URL): ModelFiles {
  const ifThere = <T>(action: () => T): T | null => {
    try {
      return action();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  };
  return {
    name: folder.pathname,
    read: (name: string): Promise<Uint8Array | null> =>
      Promise.resolve(ifThere(() => Deno.readFileSync(new URL(name, folder)))),
    open: (name: string): Promise<ByteSource | null> =>
      Promise.resolve(ifThere(() => sourceFromFile(new URL(name, folder)))),
  };
}

export function openBytes(bytes: Uint8Array, name = "test.safetensors"): Promise<Checkpoint> {
  const source = sourceFromBytes(name, bytes);
  return name.endsWith(".bin") ? openTorch(source) : openSafetensors(source);
}

/** Asserts a WeightsError whose message matches, without a hang: each takes under 0.5 s on an idle machine. */
export async function rejects(action: () => Promise<unknown>, message: RegExp): Promise<void> {
  const start = performance.now();
  await assert.rejects(action, (error: Error) => {
    assert.ok(error instanceof WeightsError, `${error.stack}`);
    assert.match(error.message, message);
    assert.ok(error.message.length < 600, `a message of ${error.message.length} characters`);
    return true;
  });
  assert.ok(performance.now() - start < 4000, "took more than 4 s");
}

/** Asserts the same values: NaN equals any NaN, 0 does not equal -0. */
export function assertSameFloats(a: Float32Array, b: Float32Array, what: string): void {
  assert.equal(a.length, b.length, what);
  for (let i = 0; i < a.length; i++) {
    if (!Object.is(a[i], b[i])) assert.fail(`${what}: element ${i} is ${a[i]}, expected ${b[i]}`);
  }
}

export function concat(...parts: (Uint8Array | number[] | string)[]): Uint8Array<ArrayBuffer> {
  const bytes = parts.map((part) => typeof part === "string" ? new TextEncoder().encode(part) : part);
  const out = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of bytes) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function u16(value: number): number[] {
  return [value & 255, value >>> 8 & 255];
}

export function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

export function u64(value: number): number[] {
  return [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];
}

/** A safetensors file with any header and any data. */
export function safetensorsOf(
  header: string | Uint8Array,
  data: number | Uint8Array = 0,
): Uint8Array<ArrayBuffer> {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  return concat(u64(json.length), json, typeof data === "number" ? new Uint8Array(data) : data);
}

/** An entry of a hand-made zip; the fields beside name and data are lies. */
export interface FakeEntry {
  readonly name: string;
  readonly data: Uint8Array | string;
  readonly method?: number;
  readonly flags?: number;
  readonly size?: number;
  readonly begin?: number;
}

/** A zip of stored entries, with room for lies. */
export function zipOf(
  entries: readonly FakeEntry[],
  count = entries.length,
  directoryShift = 0,
): Uint8Array<ArrayBuffer> {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, data, method = 0, flags = 0, size, begin } of entries) {
    const length = concat(data).length;
    const sizes = [...u32(size ?? length), ...u32(size ?? length)];
    const nameLength = u16(concat(name).length);
    const local = concat(
      [0x50, 0x4b, 3, 4, 20, 0],
      u16(flags),
      u16(method),
      u32(0),
      u32(0),
      sizes,
      nameLength,
      u16(0),
      name,
      data,
    );
    directory.push(concat(
      [0x50, 0x4b, 1, 2, 20, 0, 20, 0],
      u16(flags),
      u16(method),
      u32(0),
      u32(0),
      sizes,
      nameLength,
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      u32(begin ?? at),
      name,
    ));
    files.push(local);
    at += local.length;
  }
  const central = concat(...directory);
  const end = [
    0x50,
    0x4b,
    5,
    6,
    0,
    0,
    0,
    0,
    ...u16(count),
    ...u16(count),
    ...u32(central.length),
    ...u32(at + directoryShift),
    0,
    0,
  ];
  return concat(...files, central, end);
}

/** A zip checkpoint with that pickle and storages. */
export function torchZip(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array<ArrayBuffer> {
  return zipOf([
    { name: "archive/data.pkl", data: pickle },
    ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
    { name: "archive/version", data: "3\n" },
  ]);
}

/** Opcodes of pickles, by their names in Python's pickletools. */
export const op = {
  proto: (version = 2): number[] => [0x80, version],
  text: (value: string): Uint8Array => concat([0x58], u32(concat(value).length), value),
  int: (value: number): number[] => [0x4a, ...u32(value)],
  global: (module: string, name: string): Uint8Array => concat("c", `${module}\n${name}\n`),
  ints: (values: readonly number[]): number[] => [0x28, ...values.flatMap((value) => op.int(value)), 0x74],
  mark: [0x28],
  tuple: [0x74],
  emptyTuple: [0x29],
  emptyDict: [0x7d],
  emptyList: [0x5d],
  setItem: [0x73],
  reduce: [0x52],
  persistent: [0x51],
  none: [0x4e],
  stop: [0x2e],
};

/** The opcodes of a storage and of a tensor that looks into it. */
export function tensorPickle(options: {
  key?: string;
  type?: string;
  elements?: number;
  offset?: number;
  shape?: readonly number[];
  strides?: readonly number[];
} = {}): Uint8Array {
  const { key = "0", type = "FloatStorage", elements = 4, offset = 0, shape = [4], strides = [1] } = options;
  return concat(
    op.global("torch._utils", "_rebuild_tensor_v2"),
    op.mark,
    op.mark,
    op.text("storage"),
    op.global("torch", type),
    op.text(key),
    op.text("cpu"),
    op.int(elements),
    op.tuple,
    op.persistent,
    op.int(offset),
    op.ints(shape),
    op.ints(strides),
    [0x89],
    op.global("collections", "OrderedDict"),
    op.emptyTuple,
    op.reduce,
    op.tuple,
    op.reduce,
  );
}

/** The pickle of a dict with one value. */
export function dictPickle(name: string, value: Uint8Array): Uint8Array {
  return concat(op.proto(), op.emptyDict, op.text(name), value, op.setItem, op.stop);
}
