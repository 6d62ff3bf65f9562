import assert from "node:assert/strict";
import {
  type ByteSource,
  encodeSafetensors,
  filesFromMap,
  type ModelFiles,
  openCheckpoint,
  shardSafetensors,
  toFloat32,
} from "../../src/weights/mod.ts";
import { concat, golden, rejects } from "./helpers.ts";

function one(value: number): Uint8Array {
  return encodeSafetensors([{ name: "x", dtype: "F32", shape: [1], data: new Float32Array([value]) }]);
}

function folder(files: Record<string, Uint8Array | string>): ModelFiles {
  const bytes = Object.entries(files).map(([name, file]): [string, Uint8Array] => [name, concat(file)]);
  return filesFromMap("folder", new Map(bytes));
}

/** The folder, but it counts the files that are open, and cannot be listed. */
function counted(files: ModelFiles): ModelFiles & { open_count: number } {
  const result = {
    name: files.name,
    open_count: 0,
    read: files.read,
    async open(name: string): Promise<ByteSource | null> {
      const source = await files.open(name);
      if (source === null) return null;
      result.open_count++;
      return { ...source, close: () => void result.open_count-- };
    },
  };
  return result;
}

function indexOf(weight_map: Record<string, unknown>): string {
  return JSON.stringify({ metadata: { total_size: 26966425600.0 }, weight_map });
}

Deno.test("files are looked for in the order of transformers", async () => {
  const files: Record<string, Uint8Array | string> = {
    "model.safetensors": one(1),
    "model.safetensors.index.json": indexOf({ x: "a.safetensors" }),
    "a.safetensors": one(2),
    "pytorch_model.bin": golden("torch_zip64.bin"),
    "pytorch_model.bin.index.json": indexOf({ "0.bias": "b.bin" }),
    "b.bin": golden("torch_module_state.bin"),
  };
  const names = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
  ];
  const tensors = ["x", "x", "x", "0.bias"];
  const values = [[1], [2], [0, 1, 2, 3, 4]];
  for (const [i, name] of names.entries()) {
    const counter = counted(folder(files));
    const checkpoint = await openCheckpoint(counter);
    assert.equal(checkpoint.name, name);
    assert.equal(checkpoint.format, i < 2 ? "safetensors" : "pytorch");
    assert.deepEqual([...checkpoint.tensors.keys()], [tensors[i]]);
    const found = toFloat32(await checkpoint.read(tensors[i]));
    if (i < 3) assert.deepEqual([...found], values[i]);
    assert.equal(counter.open_count, 1);
    checkpoint.close();
    assert.equal(counter.open_count, 0);
    await rejects(() => checkpoint.read(tensors[i]), /is closed/);
    delete files[name];
  }
});

Deno.test("shards of transformers are one checkpoint", async () => {
  const names = [
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
  ];
  const files = folder(Object.fromEntries(names.map((name) => [name, golden(`shards/${name}`)])));
  const checkpoint = await openCheckpoint(files);
  assert.deepEqual(checkpoint.metadata, { format: "pt" });
  const order: string[] = JSON.parse(new TextDecoder().decode(golden("shards/order.json")));
  assert.deepEqual(new Set(checkpoint.tensors.keys()), new Set(order));
  for (const [name, { byteLength }] of checkpoint.tensors) {
    await checkpoint.readFloat32(name, new Float32Array(byteLength / 4));
  }
});

Deno.test("what is written in shards is read back", async () => {
  const tensors = Array.from({ length: 20 }, (_, i) => ({
    name: `t${i}`,
    dtype: "F32" as const,
    shape: [i],
    data: Float32Array.from({ length: i }, () => i),
  }));
  const written = shardSafetensors(tensors, { max_shard_size: 200 });
  const files = new Map(written.map(({ name, chunks }) => [name, concat(...chunks())]));
  const counter = counted(filesFromMap("shards", files));
  const checkpoint = await openCheckpoint(counter);
  for (const { name, data } of tensors) assert.deepEqual(toFloat32(await checkpoint.read(name)), data);
  assert.equal(counter.open_count, written.length - 1);
  checkpoint.close();
  assert.equal(counter.open_count, 0);
});

Deno.test("a folder without weights says what was looked for, and what is there instead", async () => {
  await rejects(
    () => openCheckpoint(folder({ "config.json": "{}" })),
    /^Cannot find weights in "folder": looked for model\.safetensors, model\.safetensors\.index\.json, pytorch_model\.bin, pytorch_model\.bin\.index\.json\.$/,
  );
  const other = folder({
    "tf_model.h5": "x",
    "flax_model.msgpack": "x",
    "onnx/model.onnx": "x",
    "q4_k.gguf": "x",
  });
  await rejects(
    () => openCheckpoint(other),
    /only "tf_model\.h5", "flax_model\.msgpack", "onnx\/model\.onnx", "q4_k\.gguf", which cannot be read: save the model as safe/,
  );
  const counter = counted(folder({ "tf_model.h5": "x", "model.gguf": "x" }));
  await rejects(() => openCheckpoint(counter), /only "tf_model\.h5", "model\.gguf", which cannot be read/);
  assert.equal(counter.open_count, 0);
});

Deno.test("a Git LFS pointer and a web page are named as such", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n";
  for (const name of ["model.safetensors", "pytorch_model.bin"]) {
    for (const text of [pointer, "<!DOCTYPE html><html>", "\n<html><body>"]) {
      const counter = counted(folder({ [name]: text }));
      await rejects(() => openCheckpoint(counter), /it is a Git LFS pointer or a web page/);
      assert.equal(counter.open_count, 0);
    }
  }
});

const evil = [
  "../model.safetensors",
  "..",
  "/etc/passwd",
  "sub/model.safetensors",
  "..\\model.safetensors",
  "C:model.safetensors",
  "a\0.safetensors",
  "a\n.safetensors",
  ".hidden",
  "",
  "x".repeat(256),
];
for (const name of evil) {
  Deno.test(`a shard named ${JSON.stringify(name.slice(0, 30))} is refused`, async () => {
    const files = folder({ "model.safetensors.index.json": indexOf({ x: name }), [name]: one(1) });
    const opened: string[] = [];
    const spy: ModelFiles = {
      ...files,
      open(file: string): Promise<ByteSource | null> {
        opened.push(file);
        return files.open(file);
      },
    };
    await rejects(() => openCheckpoint(spy), /the shard ".*" is no plain file name/);
    assert.deepEqual(opened, ["model.safetensors", "model.safetensors.index.json"]);
  });
}

Deno.test("an index that does not fit its shards is refused, and all files are closed", async () => {
  const cases: [Record<string, Uint8Array | string>, RegExp][] = [
    [
      { "model.safetensors.index.json": indexOf({ x: "a.st", y: "b.st" }), "a.st": one(1) },
      /the shard "b\.st" is missing/,
    ],
    [
      { "model.safetensors.index.json": indexOf({ x: "a.st", y: "a.st" }), "a.st": one(1) },
      /"a\.st" has no tensor "y"/,
    ],
    [
      { "model.safetensors.index.json": indexOf({ x: "a.st", y: "b.st" }), "a.st": one(1), "b.st": "no" },
      /Cannot read "b\.st"/,
    ],
    [{ "model.safetensors.index.json": indexOf({ x: 5 }) }, /the shard 5 is no plain/],
    [{ "model.safetensors.index.json": indexOf({ x: { y: [] } }) }, /the shard an object is no plain/],
    [{ "model.safetensors.index.json": indexOf({}) }, /it has no weight_map/],
    [{ "model.safetensors.index.json": '{"weight_map":[]}' }, /it has no weight_map/],
    [{ "model.safetensors.index.json": "[]" }, /it has no weight_map/],
    [{ "model.safetensors.index.json": "{" }, /it has no JSON at byte 1/],
    [{ "model.safetensors.index.json": '{"weight_map":{"x":"a","x":"b"}}' }, /it has the key "x" twice/],
    [
      {
        "model.safetensors.index.json": indexOf(
          Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [i, `s${i}`])),
        ),
      },
      /it has 1025 shards, expected up to 1024/,
    ],
  ];
  for (const [files, message] of cases) {
    const counter = counted(folder(files));
    await rejects(() => openCheckpoint(counter), message);
    assert.equal(counter.open_count, 0, String(message));
  }
  const huge = new Uint8Array(20_000_001).fill(0x20);
  await rejects(
    () => openCheckpoint(folder({ "model.safetensors.index.json": huge })),
    /20000001 bytes, expected up to/,
  );
});
