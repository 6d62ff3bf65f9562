// A real checkpoint from beside the checkout: MiniLM, 6 layers, 22.7 M parameters.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  matchNames,
  openCheckpoint,
  openSafetensors,
  safetensorsChunksAsync,
  shardSafetensors,
  streamTensors,
  type TensorToWrite,
} from "../../src/weights/mod.ts";
import { filesFromFolder, isThere, sourceFromFile } from "./helpers.ts";

const folder = new URL("../../../shared/checkpoints/minilm-l6/", import.meta.url);
const file = new URL("model.safetensors", folder);
const ignore = !isThere(file);

/** SHA-256 of each name and its values as float32, in alphabetical order; from Python's safetensors and torch. */
const VALUES = "4bc70dc931baf222ddf12849f49444de65d38d269f0bb714769a8d19a5bcbf31";
const FILE = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";

async function hashValues(
  shapes: ReadonlyMap<string, { shape: readonly number[] }>,
  read: (name: string, target: Float32Array) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const name of [...shapes.keys()].sort()) {
    const target = new Float32Array(shapes.get(name)!.shape.reduce((product, size) => product * size, 1));
    await read(name, target);
    hash.update(name).update(new Uint8Array(target.buffer));
  }
  return hash.digest("hex");
}

Deno.test({
  name: "MiniLM has the float32 values that Python reads, all 22,713,728 of them",
  ignore,
  async fn() {
    const checkpoint = await openCheckpoint(filesFromFolder(folder));
    assert.equal(checkpoint.tensors.size, 104);
    assert.deepEqual(checkpoint.metadata, { format: "pt" });
    assert.equal(
      await hashValues(checkpoint.tensors, (name, target) => checkpoint.readFloat32(name, target)),
      VALUES,
    );
    checkpoint.close();
  },
});

Deno.test({
  name: "MiniLM read as a stream is the same",
  ignore,
  async fn() {
    const values = new Map<string, { shape: readonly number[]; values: Float32Array }>();
    for await (const tensor of streamTensors((await Deno.open(file)).readable)) {
      const target = new Float32Array(tensor.shape.reduce((product, size) => product * size, 1));
      await tensor.readFloat32(target);
      values.set(tensor.name, { shape: tensor.shape, values: target });
    }
    const read = (name: string, target: Float32Array): Promise<void> =>
      Promise.resolve(target.set(values.get(name)!.values));
    assert.equal(await hashValues(values, read), VALUES);
  },
});

Deno.test({
  name: "MiniLM is written again byte for byte, whole and tensor by tensor",
  ignore,
  async fn() {
    const checkpoint = await openSafetensors(sourceFromFile(file));
    const tensors = Array.from(checkpoint.tensors.values(), (info) => ({
      ...info,
      data: async () => (await checkpoint.read(info.name)).bytes,
    }));
    const hash = createHash("sha256");
    for await (const chunk of safetensorsChunksAsync(tensors.reverse(), checkpoint.metadata)) {
      hash.update(chunk);
    }
    assert.equal(hash.digest("hex"), FILE);
    checkpoint.close();
  },
});

Deno.test({
  name: "MiniLM written in shards of 20 MB to a folder is the same",
  ignore,
  async fn() {
    const checkpoint = await openSafetensors(sourceFromFile(file));
    const tensors: TensorToWrite[] = [];
    for (const info of checkpoint.tensors.values()) {
      tensors.push({ ...info, data: (await checkpoint.read(info.name)).bytes });
    }
    checkpoint.close();
    const out = Deno.makeTempDirSync();
    try {
      const files = shardSafetensors(tensors, { max_shard_size: "20MB" });
      assert.equal(files.length, 5);
      for (const { name, chunks } of files) {
        using target = Deno.openSync(`${out}/${name}`, { write: true, create: true });
        for (const chunk of chunks()) {
          for (let at = 0; at < chunk.length;) at += target.writeSync(chunk.subarray(at));
        }
      }
      const again = await openCheckpoint(filesFromFolder(new URL(`file://${out}/`)));
      assert.equal(again.name, "model.safetensors.index.json");
      assert.equal(
        await hashValues(again.tensors, (name, target) => again.readFloat32(name, target)),
        VALUES,
      );
      again.close();
    } finally {
      Deno.removeSync(out, { recursive: true });
    }
  },
});

Deno.test({
  name: "MiniLM's names fit a BertModel and a model with a head",
  ignore,
  async fn() {
    const checkpoint = await openSafetensors(sourceFromFile(file));
    const names = [...checkpoint.tensors.keys()];
    const base = names.filter((name) => !name.endsWith("position_ids"));
    const own = matchNames(names, base);
    assert.deepEqual([own.matched.size, own.unused, own.missing], [103, [], []]);
    const head = ["classifier.weight", "classifier.bias"];
    const headed = matchNames(names, [...base.map((name) => `bert.${name}`), ...head]);
    assert.deepEqual([headed.matched.size, headed.unused, headed.missing], [103, [], head]);
    checkpoint.close();
  },
});
