/**
 * Opens the files that `model.safetensors.index.json` or `pytorch_model.bin.index.json` names as one checkpoint.
 *
 * @module
 */

import { type Checkpoint, checkpointOf, type FileContent } from "./checkpoint.ts";
import { parseJson } from "./json.ts";
import { type Complain, complainOf, quote } from "./problem.ts";
import type { ByteSource, ModelFiles } from "./source.ts";
import type { StoredTensor } from "./tensor_io.ts";

/** The index of BERT has 20 kB. */
const MAX_INDEX_BYTES = 20_000_000;

const MAX_SHARDS = 1024;

/** Opens the shards that an index names, as one checkpoint. */
export async function openShards(
  files: ModelFiles,
  name: string,
  readFile: (source: ByteSource) => Promise<FileContent>,
): Promise<Checkpoint> {
  const complain = complainOf(name);
  const weightMap = parseIndex(await files.read(name) ?? new Uint8Array(0), complain);
  const sources: ByteSource[] = [];
  try {
    let first: FileContent | undefined;
    const tensors = new Map<string, StoredTensor>();
    for (const file of new Set(weightMap.values())) {
      const source = await files.open(file);
      if (source === null) throw complain(`the shard ${quote(file)} is missing`);
      sources.push(source);
      const shard = await readFile(source);
      first ??= shard;
      for (const tensor of shard.stored) {
        if (weightMap.get(tensor.info.name) === file) tensors.set(tensor.info.name, tensor);
      }
    }
    const stored = Array.from(weightMap, ([tensor, file]) => {
      const found = tensors.get(tensor);
      if (found === undefined) throw complain(`${quote(file)} has no tensor ${quote(tensor)}`);
      return found;
    });
    return checkpointOf(name, { ...first!, stored }, sources);
  } catch (error) {
    sources.forEach((source) => source.close?.());
    throw error;
  }
}

function parseIndex(bytes: Uint8Array, complain: Complain): Map<string, string> {
  if (bytes.length > MAX_INDEX_BYTES) {
    throw complain(`it has ${bytes.length} bytes, expected up to ${MAX_INDEX_BYTES}`);
  }
  const error = (problem: string): Error => complain(`it has ${problem}`);
  const index = parseJson(bytes, { maxDepth: 8, maxValues: 500_000, naturalNumbers: false, error });
  const weightMap = index instanceof Map && index.get("weight_map");
  if (!(weightMap instanceof Map) || weightMap.size === 0) throw complain("it has no weight_map");
  const shards = new Set(weightMap.values());
  if (shards.size > MAX_SHARDS) {
    throw complain(`it has ${shards.size} shards, expected up to ${MAX_SHARDS}`);
  }
  for (const file of shards) {
    // A name inside the folder itself: no path, no drive, no control character, no hidden file.
    // deno-lint-ignore no-control-regex
    if (typeof file !== "string" || !/^(?!\.)[^/\\:\x00-\x1f\x7f]{1,255}$/.test(file)) {
      throw complain(`the shard ${quote(file)} is no plain file name`);
    }
  }
  return weightMap as Map<string, string>;
}
