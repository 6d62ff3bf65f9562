// Mutated files: a WeightsError or a right answer, never another error and never a hang.
// BERTH_FUZZ=10000 sets the number of runs of each property; the default is 300.

import assert from "node:assert/strict";
import fc from "../helpers/property.ts";
import { BerthError, ConfigError, WeightsError } from "../../src/errors.ts";
import {
  type Checkpoint,
  elementBytes,
  encodeSafetensors,
  filesFromMap,
  matchNames,
  openCheckpoint,
  parseConfigJson,
  sourceFromBytes,
  streamTensors,
} from "../../src/weights/mod.ts";
import { readEntry, readZipDirectory } from "../../src/weights/zip.ts";
import {
  concat,
  dictPickle,
  type FakeEntry,
  golden,
  op,
  openBytes,
  tensorPickle,
  torchZip,
  zipOf,
} from "./helpers.ts";

const numRuns = Number(Deno.env.get("BERTH_FUZZ") ?? 300);

/** A change of a file: what, where (a fraction of its length), how long, with what. */
type Mutation = [kind: number, place: number, length: number, value: number];

// Mostly one change, mostly a small one: else hardly a file would be accepted.
const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.tuple(
    fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, { weight: 2, arbitrary: fc.nat(9) }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(40),
    fc.nat(2 ** 32 - 1),
  ),
  { minLength: 1, maxLength: 4, size: "xsmall" },
);

const NUMBERS = [
  0,
  1,
  2,
  7,
  8,
  127,
  128,
  255,
  256,
  65535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 52,
  2 ** 53,
  1e19,
];
const TEXTS = [
  '"',
  "}",
  "]",
  ",",
  "-1",
  "1e9",
  "9007199254740993",
  '"F32"',
  '"BF16"',
  "[]",
  "{}",
  "null",
  "\\u0000",
  " ",
];

function mutate(file: Uint8Array, list: readonly Mutation[]): Uint8Array {
  let bytes = file.slice();
  for (const [kind, place, length, value] of list) {
    const at = Math.min(Math.floor(place * bytes.length), Math.max(0, bytes.length - 1));
    const before = bytes.subarray(0, at);
    const number = NUMBERS[value % NUMBERS.length];
    if (kind === 0) bytes[at] ^= 1 << (value % 8);
    if (kind === 1) bytes[at] = value & 255;
    if (kind === 2) bytes = before.slice();
    if (kind === 3) bytes = concat(before, bytes.subarray(at + length));
    if (kind === 4) bytes = concat(before, bytes.subarray(at, at + length), bytes.subarray(at));
    if (kind === 5) bytes = concat(before, TEXTS[value % TEXTS.length], bytes.subarray(at + (length % 4)));
    if (kind === 6 || kind === 7) {
      const width = kind === 6 ? 4 : 8;
      const written = Array.from({ length: width }, (_, i) => Math.floor(number / 256 ** i) % 256);
      if (at + width <= bytes.length) bytes.set(written, at);
    }
    if (kind === 8) bytes.fill(value & 255, at, at + length);
    if (kind === 9) bytes = concat(before, String(number), bytes.subarray(at + length));
  }
  return bytes;
}

/** Reads every tensor both ways. */
async function readAll(checkpoint: Checkpoint): Promise<void> {
  for (const [name, { byteLength, dtype, shape }] of checkpoint.tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    assert.equal(byteLength, count * elementBytes(dtype));
    const results = await Promise.allSettled([
      checkpoint.read(name),
      checkpoint.readFloat32(name, new Float32Array(count)),
    ]);
    for (const result of results) {
      if (result.status === "rejected") {
        assert.ok(result.reason instanceof WeightsError, String(result.reason.stack));
      }
    }
    if (results[0].status === "fulfilled") assert.equal(results[0].value.bytes.length, byteLength);
  }
}

let accepted = 0;

/** Runs the action; true if it succeeded, false for a typed error. */
async function survives(action: () => Promise<void>): Promise<boolean> {
  const start = performance.now();
  let succeeded = true;
  try {
    await action();
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    assert.ok(error.message.length < 600);
    succeeded = false;
  }
  if (succeeded) accepted++;
  assert.ok(performance.now() - start < 4000, "a hang");
  return succeeded;
}

const options = { numRuns, endOnFailure: true };

/** A long run fails as well if hardly anything was accepted: then it would have tried little. */
function fuzz(name: string, property: fc.IAsyncProperty<unknown[]>): void {
  Deno.test(`${numRuns} ${name}`, async () => {
    accepted = 0;
    await fc.assert(property, options);
    assert.ok(numRuns < 1000 || accepted * 200 >= numRuns, `only ${accepted} of ${numRuns} were accepted`);
  });
}

const safetensorsFiles = ["st_dtypes", "st_names", "st_empty", "st_metadata", "torch_values"].map((name) =>
  golden(`${name}.safetensors`)
);
fuzz(
  "mutated safetensors: refused, or read and written again",
  fc.asyncProperty(fc.nat(safetensorsFiles.length - 1), mutations, async (which, list) => {
    const bytes = mutate(safetensorsFiles[which], list);
    const read = await survives(async () => {
      const checkpoint = await openBytes(bytes);
      await readAll(checkpoint);
      const names = [...checkpoint.tensors.keys()];
      const tensors = await Promise.all(names.map(async (name) => {
        const { bytes, ...info } = await checkpoint.read(name);
        return { ...info, data: bytes };
      }));
      const again = await openBytes(encodeSafetensors(tensors, checkpoint.metadata));
      assert.deepEqual(new Set(again.tensors.values()), new Set(checkpoint.tensors.values()));
      for (const { name, data } of tensors) {
        assert.deepEqual((await again.read(name)).bytes.slice(), data.slice());
      }
    });
    const streamed = await survives(async () => {
      const half = bytes.length >>> 1;
      const chunks = [bytes.subarray(0, half), bytes.subarray(half)];
      const stream = new ReadableStream<Uint8Array>({
        pull(controller): void {
          const chunk = chunks.shift();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
      });
      for await (const tensor of streamTensors(stream)) {
        assert.equal((await tensor.read()).bytes.length, tensor.byteLength);
      }
    });
    assert.equal(streamed, read, "file and stream disagree");
  }),
);

const zipFiles = ["zip", "zip64", "big_endian", "new_types", "module_state"].map((name) =>
  golden(`torch_${name}.bin`)
);
fuzz(
  "mutated zip checkpoints: refused or read",
  fc.asyncProperty(fc.nat(zipFiles.length - 1), fc.boolean(), mutations, async (which, nearEnd, list) => {
    const near = list.map((
      [kind, place, ...rest],
    ): Mutation => [kind, nearEnd ? 1 - place / 8 : place, ...rest]);
    await survives(async () => await readAll(await openBytes(mutate(zipFiles[which], near), "x.bin")));
  }),
);

/** The pickle and the storages of a zip checkpoint. */
async function partsOf(file: Uint8Array): Promise<[Uint8Array, Record<string, Uint8Array>]> {
  const source = sourceFromBytes("x.bin", file);
  let pickle = new Uint8Array(0);
  const storages: Record<string, Uint8Array> = {};
  for (const entry of (await readZipDirectory(source)).values()) {
    const bytes = (await readEntry(source, entry, 10_000)).slice();
    if (entry.name.endsWith("data.pkl")) pickle = bytes;
    const [, key] = /\/data\/(\w+)$/.exec(entry.name) ?? [];
    if (key !== undefined) storages[key] = bytes;
  }
  return [pickle, storages];
}

const parts = await Promise.all([...zipFiles, golden("torch_protocol4.bin")].map(partsOf));
fuzz(
  "mutated pickles in sound archives: refused or read",
  fc.asyncProperty(fc.nat(parts.length - 1), mutations, async (which, list) => {
    const [pickle, storages] = parts[which];
    const file = torchZip(mutate(pickle, list), storages);
    await survives(async () => await readAll(await openBytes(file, "x.bin")));
  }),
);

const oldFiles = [golden("torch_old.bin"), golden("torch_old_protocol4.bin")];
fuzz(
  "mutated old checkpoints: refused or read",
  fc.asyncProperty(fc.nat(1), mutations, async (which, list) => {
    await survives(async () => await readAll(await openBytes(mutate(oldFiles[which], list), "x.bin")));
  }),
);

const small = fc.oneof(fc.nat(4), fc.integer({ min: -2, max: 12 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31)));
fuzz(
  "random views of a storage: refused where they leave it, else read as a plain loop reads them",
  fc.asyncProperty(
    fc.array(fc.tuple(small, small), { maxLength: 4 }),
    small,
    fc.constantFrom(["FloatStorage", 4], ["HalfStorage", 2], ["ByteStorage", 1], ["LongStorage", 8] as const),
    async (axes, offset, [type, size]) => {
      const [shape, strides] = [axes.map(([size]) => size), axes.map(([, stride]) => stride)];
      const storage = Uint8Array.from({ length: 24 * Number(size) }, (_, i) => i * 37);
      const pickle = dictPickle(
        "x",
        tensorPickle({ type: String(type), elements: 24, offset, shape, strides }),
      );
      let places: number[] | null = [offset];
      for (const [length, stride] of axes) {
        if (length < 0 || stride < 0 || (length > 24 && stride > 0)) places = null;
        if (length > 10_000) places = null;
        places = places?.flatMap((place) => Array.from({ length }, (_, i) => place + i * stride)) ?? null;
      }
      if (shape.includes(0) && Math.min(offset, ...shape, ...strides) >= 0) places = [];
      if (offset < 0 || places?.some((place) => place >= 24)) places = null;
      const file = torchZip(pickle, { 0: storage });
      // What overlaps itself may not become larger than the file.
      if (places !== null && places.length * Number(size) > file.length) places = null;
      let bytes: Uint8Array | null = null;
      await survives(async () => {
        bytes = (await (await openBytes(file, "x.bin")).read("x")).bytes;
      });
      const expected = places?.flatMap((
        place,
      ) => [...storage.subarray(place * Number(size), (place + 1) * Number(size))]);
      assert.deepEqual(bytes && [...bytes], expected ?? null);
    },
  ),
);

const globals = [
  "torch\nFloatStorage\n",
  "collections\nOrderedDict\n",
  "torch._utils\n_rebuild_tensor_v2\n",
  "torch\nSize\n",
  "os\nsystem\n",
];
const opcodes = fc.oneof(
  fc.constantFrom(..."(N)]}aesuRbtQ.".split("").map((char) => concat(char))),
  fc.constantFrom(...[0x85, 0x86, 0x87, 0x88, 0x94, 0x93, 0x81].map((byte) => Uint8Array.of(byte))),
  fc.nat(255).map((value) => Uint8Array.of(0x4b, value)),
  fc.nat(9).map((value) => Uint8Array.of(0x68, value)),
  fc.nat(9).map((value) => Uint8Array.of(0x71, value)),
  fc.constantFrom(...globals).map((name) => concat("c", name)),
  fc.constantFrom("storage", "0", "cpu", "x").map((text) => concat([0x8c, text.length], text)),
);
fuzz(
  "sound pickles with random opcodes after their first tensors: refused or read",
  fc.asyncProperty(fc.array(opcodes, { maxLength: 30 }), fc.boolean(), async (pieces, isBalanced) => {
    const start = dictPickle("x", tensorPickle()).slice(0, -1);
    // A mark, anything, and the pop of all that is above the mark as a tuple, as the value of a key.
    const balanced = concat(op.text("y"), op.mark, ...pieces, op.tuple, op.setItem);
    const pickle = concat(start, isBalanced ? balanced : concat(...pieces), op.stop);
    const file = torchZip(pickle, { 0: new Uint8Array(16) });
    await survives(async () => await readAll(await openBytes(file, "x.bin")));
  }),
);

const lie = fc.oneof(
  { weight: 9, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 8, 30, 100, 65535, 2 ** 31, 2 ** 32 - 1) },
);
const sound: FakeEntry[] = [
  { name: "a/data.pkl", data: dictPickle("x", tensorPickle()) },
  { name: "a/data/0", data: new Uint8Array(16) },
  { name: "a/byteorder", data: "big" },
  { name: "a/version", data: "3\n" },
];
fuzz(
  "archives with lies in their fields: refused or read",
  fc.asyncProperty(
    fc.shuffledSubarray(sound, { minLength: 2 }),
    fc.array(fc.record({ size: lie, begin: lie, method: fc.constantFrom(0, 0, 0, 0, 0, 0, 8) }), {
      minLength: 4,
      maxLength: 4,
    }),
    fc.constantFrom(0, 0, 0, 1, -1, 60_000),
    fc.constantFrom(0, 0, 0, -1, 50),
    async (entries, lies, count, shift) => {
      const zip = zipOf(entries.map((entry, i) => ({ ...entry, ...lies[i] })), entries.length + count, shift);
      await survives(async () => await readAll(await openBytes(zip, "x.bin")));
    },
  ),
);

const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
const shardFiles = shards.map((name): [string, Uint8Array] => [name, golden(`shards/${name}`)]);
const index = golden("shards/model.safetensors.index.json");
fuzz(
  "mutated indexes: refused or read; as configurations: refused, or what JSON.parse gives",
  fc.asyncProperty(mutations, async (list) => {
    const bytes = mutate(index, list);
    const folder = filesFromMap("folder", new Map([...shardFiles, ["model.safetensors.index.json", bytes]]));
    await survives(async () => await readAll(await openCheckpoint(folder)));
    let config: unknown;
    try {
      config = parseConfigJson(bytes);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return;
    }
    assert.deepEqual(config, JSON.parse(new TextDecoder().decode(bytes)));
  }),
);

Deno.test(`${numRuns} sets of names: each parameter is matched or missing, each tensor serves or is unused`, () => {
  const part = fc.constantFrom(
    "bert",
    "module",
    "cls",
    "predictions",
    "decoder",
    "bias",
    "weight",
    "LayerNorm",
    "gamma",
    "embeddings",
  );
  const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("."));
  const names = fc.uniqueArray(name, { maxLength: 12 });
  fc.assert(
    fc.property(names, names, (checkpointNames, parameterNames) => {
      const { matched, unused, missing } = matchNames(checkpointNames, parameterNames);
      const parameters = parameterNames.filter((name) => matched.has(name));
      assert.deepEqual([...matched.keys()], parameters);
      assert.deepEqual(missing, parameterNames.filter((name) => !matched.has(name)));
      for (const source of matched.values()) assert.ok(checkpointNames.includes(source.name));
      for (const name of checkpointNames.filter((name) => parameterNames.includes(name))) {
        assert.equal(matched.get(name)!.name, name);
      }
      assert.ok(unused.length <= checkpointNames.length);
    }),
    options,
  );
});
