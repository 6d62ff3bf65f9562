/**
 * A checkpoint in several files: split as huggingface_hub does, indexed as transformers does
 * (https://github.com/huggingface/huggingface_hub, serialization).
 *
 * @module
 */

import { WeightsError } from "../errors.ts";
import { countElements, quote } from "./problem.ts";
import {
  compareCodePoints,
  safetensorsChunks,
  type SafetensorsMetadata,
  tensorBytes,
  type TensorToWrite,
} from "./safetensors_write.ts";

/** How {@linkcode shardSafetensors} splits. */
export interface ShardOptions {
  /** The most bytes of tensors in a file, or text such as `"5GB"`, `"200MB"`. Default `"50GB"`, as transformers. */
  readonly max_shard_size?: number | string;
  /** Strings for every header. Default `{ format: "pt" }`, which transformers writes. */
  readonly metadata?: SafetensorsMetadata;
}

/** A file to be written. */
export interface FileToWrite {
  /** Its name inside the model's folder. */
  readonly name: string;
  /** The tensors in it. */
  readonly tensors: readonly string[];
  /** Its bytes in chunks of up to 4 MiB, each a copy of its own. */
  chunks(): Iterable<Uint8Array<ArrayBuffer>>;
}

/**
 * Splits a model into files of at most `max_shard_size`, in the order given; a tensor that is larger gets a file
 * of its own. One file is `model.safetensors`; several come with `model.safetensors.index.json`.
 *
 * @param tensors The tensors in the order of the state dict.
 * @param options Sizes and metadata.
 * @returns The files to write, the index last.
 * @throws {WeightsError} If the size cannot be parsed, or a name stands twice.
 */
export function shardSafetensors(
  tensors: Iterable<TensorToWrite>,
  options: ShardOptions = {},
): FileToWrite[] {
  const { max_shard_size = "50GB", metadata = { format: "pt" } } = options;
  const list = [...tensors];
  const shards = splitByBytes(list, parseSize(max_shard_size));
  const pad = (number: number): string => String(number).padStart(5, "0");
  const files = shards.map((shard, i): FileToWrite => ({
    name: shards.length === 1
      ? "model.safetensors"
      : `model-${pad(i + 1)}-of-${pad(shards.length)}.safetensors`,
    tensors: shard.map(({ name }) => name),
    chunks: (): Iterable<Uint8Array<ArrayBuffer>> => safetensorsChunks(shard, metadata),
  }));
  if (files.length === 1) return files;
  const index = encodeIndex(list, files);
  const chunks = (): Iterable<Uint8Array<ArrayBuffer>> => [index.slice()];
  return [...files, { name: "model.safetensors.index.json", tensors: [], chunks }];
}

// As huggingface_hub: in order, a new shard where the limit would be passed.
function splitByBytes(tensors: readonly TensorToWrite[], limit: number): TensorToWrite[][] {
  const shards: TensorToWrite[][] = [];
  let current: TensorToWrite[] = [];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    if (bytes > limit) {
      shards.push([tensor]);
      continue;
    }
    if (size + bytes > limit) {
      shards.push(current);
      current = [];
      size = 0;
    }
    current.push(tensor);
    size += bytes;
  }
  return current.length > 0 || shards.length === 0 ? [...shards, current] : shards;
}

// As Python's json.dumps(index, indent=2, sort_keys=True) and a line feed.
function encodeIndex(
  tensors: readonly TensorToWrite[],
  files: readonly FileToWrite[],
): Uint8Array<ArrayBuffer> {
  const total_parameters = tensors.reduce((sum, { shape }) => sum + countElements(shape), 0);
  const total_size = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const entries = files.flatMap(({ name: file, tensors }) =>
    tensors.map((name): [string, string] => [name, file])
  );
  entries.sort(([a], [b]) => compareCodePoints(a, b));
  const index = { metadata: { total_parameters, total_size }, weight_map: Object.fromEntries(entries) };
  if (Object.keys(index.weight_map).length < tensors.length) {
    throw new WeightsError("Cannot split into shards: a name stands twice.");
  }
  // Python escapes everything but printable ASCII.
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const json = JSON.stringify(index, null, 2).replace(/[\u007f-\uffff]/g, escape);
  return new TextEncoder().encode(`${json}\n`);
}

function parseSize(size: number | string): number {
  const [, count, unit] = /^([\d.]+) *([KMGT])B$/i.exec(String(size)) ?? [];
  const bytes = typeof size === "number"
    ? size
    : Math.floor(Number(count) * 1000 ** (1 + "KMGT".indexOf(unit?.toUpperCase())));
  if (bytes > 0) return bytes;
  throw new WeightsError(
    `Cannot split into shards: max_shard_size is ${quote(size)}, expected bytes or text such as "5GB".`,
  );
}
