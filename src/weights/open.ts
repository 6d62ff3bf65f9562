/**
 * Opens the weights of a model folder, whatever kind they are of.
 *
 * @module
 */

import { WeightsError } from "../errors.ts";
import { type Checkpoint, checkpointOf, type FileContent } from "./checkpoint.ts";
import { quote } from "./problem.ts";
import { readSafetensors } from "./safetensors_read.ts";
import { openShards } from "./shards_read.ts";
import type { ByteSource, ModelFiles } from "./source.ts";
import { readTorch } from "./torch_read.ts";

/** What is looked for, in this order; the order of transformers. */
const READERS: Readonly<Record<string, (source: ByteSource) => Promise<FileContent>>> = {
  "model.safetensors": readSafetensors,
  "model.safetensors.index.json": readSafetensors,
  "pytorch_model.bin": readTorch,
  "pytorch_model.bin.index.json": readTorch,
};

/** Weights of other kinds, for the message; asked for by these names where the folder cannot be listed. */
const OTHER_KINDS = /\.(h5|msgpack|onnx|gguf)$/;
const OTHER_NAMES = ["tf_model.h5", "flax_model.msgpack", "model.onnx", "model.gguf"];

/**
 * Opens a model's weights: the first that is there of `model.safetensors`, `model.safetensors.index.json`,
 * `pytorch_model.bin`, `pytorch_model.bin.index.json`. Tensors are read when they are asked for.
 *
 * @param files The model's folder.
 * @returns The checkpoint; `close` it.
 * @throws {WeightsError} If there are no weights of these kinds, or they are malformed.
 */
export async function openCheckpoint(files: ModelFiles): Promise<Checkpoint> {
  for (const [name, read] of Object.entries(READERS)) {
    const source = await files.open(name);
    if (source === null) continue;
    if (name.endsWith(".json")) {
      source.close?.();
      return await openShards(files, name, read);
    }
    try {
      return checkpointOf(name, await read(source), [source]);
    } catch (error) {
      source.close?.();
      throw error;
    }
  }
  const others = (await files.list?.() ?? await probe(files)).filter((name) => OTHER_KINDS.test(name));
  const names = others.slice(0, 5).map(quote).join(", ");
  const hint = names && ` It has only ${names}, which cannot be read: save the model as safetensors first.`;
  const wanted = Object.keys(READERS).join(", ");
  throw new WeightsError(`Cannot find weights in ${quote(files.name)}: looked for ${wanted}.${hint}`);
}

async function probe(files: ModelFiles): Promise<string[]> {
  const present: string[] = [];
  for (const name of OTHER_NAMES) {
    const source = await files.open(name);
    source?.close?.();
    if (source !== null) present.push(name);
  }
  return present;
}
