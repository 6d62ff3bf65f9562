import assert from "node:assert/strict";
import { WeightsError } from "../../src/errors.ts";
import {
  type DType,
  encodeSafetensors,
  safetensorsChunks,
  safetensorsChunksAsync,
  shardSafetensors,
  type TensorToWrite,
} from "../../src/weights/mod.ts";
import { concat, golden, openBytes } from "./helpers.ts";

function f32(name: string, ...values: number[]): TensorToWrite {
  return { name, dtype: "F32", shape: [values.length], data: new Float32Array(values) };
}

/** The tensors of a golden file, in reverse alphabetical order. */
async function tensorsOf(file: string): Promise<[TensorToWrite[], Readonly<Record<string, string>>]> {
  const checkpoint = await openBytes(golden(file));
  const names = [...checkpoint.tensors.keys()].sort().reverse();
  const tensors = await Promise.all(names.map(async (name) => {
    const { dtype, shape, bytes } = await checkpoint.read(name);
    return { name, dtype, shape, data: bytes };
  }));
  return [tensors, checkpoint.metadata];
}

for (const name of ["dtypes", "names", "empty", "no_tensors", "metadata", "empty_metadata"]) {
  Deno.test(`st_${name}.safetensors is written byte for byte as by the Python library`, async () => {
    const file = `st_${name}.safetensors`;
    const [tensors, metadata] = await tensorsOf(file);
    const expected = golden(file);
    const hasMetadata = new TextDecoder().decode(expected).includes("__metadata__");
    assert.deepEqual(encodeSafetensors(tensors, hasMetadata ? metadata : undefined), expected);
  });
}

Deno.test("what is written from plain values is the Python library's file", () => {
  const metadata = { format: "pt", note: 'q"\\/\b\f\n\r\t\x01é\u{1f600}', a: "" };
  assert.deepEqual(encodeSafetensors([f32("x", 1)], metadata), golden("st_metadata.safetensors"));
  const names = [
    "b",
    "a.10",
    "a.2",
    "a",
    "B",
    "\u{1f600}",
    "\uffee",
    "é",
    "",
    'tab\tquote"slash\\/',
    "\x00\x1f\x7f\u2028",
  ];
  const tensors = names.map((name, i) => f32(name, i, i));
  assert.deepEqual(encodeSafetensors(tensors, { format: "pt" }), golden("st_names.safetensors"));
});

Deno.test("chunks are copies of up to 4 MiB, from memory that is looked at anew for each", () => {
  const memory = new WebAssembly.Memory({ initial: 200, maximum: 400 });
  const count = 3_000_000;
  new Float32Array(memory.buffer, 64, count).forEach((_, i, array) => array[i] = i);
  let calls = 0;
  const tensor: TensorToWrite = {
    name: "x",
    dtype: "F32",
    shape: [count],
    data: () => {
      calls++;
      memory.grow(1); // detaches all views so far
      return new Float32Array(memory.buffer, 64, count);
    },
  };
  const chunks = [...safetensorsChunks([tensor])];
  assert.deepEqual(chunks.slice(1).map(({ length }) => length), [2 ** 22, 2 ** 22, 12_000_000 - 2 ** 23]);
  assert.equal(calls, 3);
  const written = new Float32Array(concat(...chunks.slice(1)).buffer);
  assert.ok(written.every((value, i) => value === i));
});

Deno.test("shared memory is written", () => {
  const shared = new Float32Array(new SharedArrayBuffer(8));
  shared.set([1, 2]);
  const file = encodeSafetensors([{ name: "x", dtype: "F32", shape: [2], data: shared }]);
  assert.deepEqual(file, encodeSafetensors([f32("x", 1, 2)]));
  assert.ok(file.buffer instanceof ArrayBuffer);
});

Deno.test("the async writer awaits one tensor after the other, once, and writes the same file", async () => {
  const log: string[] = [];
  const names = ["b", "a", "c"];
  const awaited = names.map((name) => ({
    ...f32(name, 1, 2),
    data: async (): Promise<Float32Array> => {
      log.push(`+${name}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      log.push(`-${name}`);
      return new Float32Array([1, 2]);
    },
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of safetensorsChunksAsync(awaited, { format: "pt" })) chunks.push(chunk);
  assert.deepEqual(
    concat(...chunks),
    encodeSafetensors(names.map((name) => f32(name, 1, 2)), { format: "pt" }),
  );
  assert.deepEqual(log, ["+a", "-a", "+b", "-b", "+c", "-c"]);
});

Deno.test("the writer refuses what the reader would not read", () => {
  const cases: [TensorToWrite[], Record<string, string>, RegExp][] = [
    [[f32("x", 1), f32("x", 2)], {}, /"x": the name is taken/],
    [[f32("__metadata__", 1)], {}, /the name is taken/],
    [[f32("\ud800", 1)], {}, /no Unicode strings/],
    [[], { a: "\udc00" }, /no Unicode strings/],
    [[], { a: 1 as unknown as string }, /no Unicode strings/],
    [[{ ...f32("x", 1), shape: [2] }], {}, /"x": its data has 4 bytes, expected 8/],
    [[{ ...f32("x", 1), shape: [-1] }], {}, /its shape is \[-1\]/],
    [[{ ...f32("x", 1), shape: [0.5, 2] }], {}, /its shape/],
    [[{ ...f32("x", 1), shape: [2 ** 30, 2 ** 30] }], {}, /its shape/],
  ];
  for (const [tensors, metadata, message] of cases) {
    assert.throws(() => encodeSafetensors(tensors, metadata), (error: Error) => {
      return error instanceof WeightsError && message.test(error.message);
    }, String(message));
  }
});

Deno.test("shards and index are byte for byte those of transformers' save_pretrained", async () => {
  const order: string[] = JSON.parse(new TextDecoder().decode(golden("shards/order.json")));
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const checkpoints = await Promise.all(shards.map((name) => openBytes(golden(`shards/${name}`))));
  const tensors = await Promise.all(order.map(async (name) => {
    const { dtype, shape, bytes } = await checkpoints.find(({ tensors }) => tensors.has(name))!.read(name);
    return { name, dtype, shape, data: bytes };
  }));
  const files = shardSafetensors(tensors, { max_shard_size: "1KB" });
  assert.deepEqual(files.map(({ name }) => name), [...shards, "model.safetensors.index.json"]);
  for (const file of files) {
    assert.deepEqual(concat(...file.chunks()), golden(`shards/${file.name}`), file.name);
  }
  assert.deepEqual([...files[0].tensors, ...files[1].tensors], order);
});

Deno.test("tensors are split as huggingface_hub splits them", () => {
  const sizes = [6, 6, 2, 6, 2, 2, 30, 1];
  const tensors = sizes.map((size, i): TensorToWrite => ({
    name: `t${i}`,
    dtype: "U8",
    shape: [size],
    data: new Uint8Array(size),
  }));
  const files = shardSafetensors(tensors, { max_shard_size: 10 });
  // [6], [6 + 2], a file of its own for 30, then [6 + 2 + 2], [1]: large tensors do not close a shard.
  assert.deepEqual(files.map(({ tensors }) => tensors.join(" ")), [
    "t0",
    "t1 t2",
    "t6",
    "t3 t4 t5",
    "t7",
    "",
  ]);
  assert.equal(shardSafetensors(tensors)[0].name, "model.safetensors");
  assert.equal(shardSafetensors(tensors, { max_shard_size: "0.055KB" }).length, 1);
  assert.equal(shardSafetensors([]).length, 1);
  assert.throws(() => shardSafetensors([], { max_shard_size: "5 apples" }), /max_shard_size is "5 apples"/);
  assert.throws(() => shardSafetensors([], { max_shard_size: 0 }), /max_shard_size is 0/);
  assert.throws(
    () => shardSafetensors([f32("x", 1), f32("x", 1)], { max_shard_size: 4 }),
    /a name stands twice/,
  );
});

Deno.test("names outside ASCII are escaped in the index as by Python", () => {
  const files = shardSafetensors([f32("é\u{1f600}\x7f", 1), f32("b", 1)], { max_shard_size: 4 });
  const index = new TextDecoder().decode(concat(...files[2].chunks()));
  assert.equal(
    index,
    '{\n  "metadata": {\n    "total_parameters": 2,\n    "total_size": 8\n  },\n  "weight_map": {\n' +
      '    "b": "model-00002-of-00002.safetensors",\n' +
      '    "\\u00e9\\ud83d\\ude00\\u007f": "model-00001-of-00002.safetensors"\n  }\n}\n',
  );
});

Deno.test("every element type goes through a file unchanged", async () => {
  const dtypes: DType[] = ["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3"];
  const wide: DType[] = ["I16", "U16", "F16", "BF16", "I32", "U32", "F32", "F64", "I64", "U64"];
  const tensors = [...dtypes, ...wide].map((dtype, i): TensorToWrite => {
    const size = i < 5 ? 1 : i < 9 ? 2 : i < 12 ? 4 : 8;
    return {
      name: dtype,
      dtype,
      shape: [3],
      data: Uint8Array.from({ length: 3 * size }, (_, j) => i * 7 + j),
    };
  });
  const checkpoint = await openBytes(encodeSafetensors(tensors));
  for (const { name, dtype, data } of tensors) {
    const found = await checkpoint.read(name);
    assert.equal(found.dtype, dtype);
    assert.deepEqual(found.bytes.slice(), data);
  }
});
