/**
 * One interface over all kinds of weight files.
 *
 * @module
 */

import type { Float32Target } from "./convert.ts";
import type { TensorData, TensorInfo } from "./dtype.ts";
import { complainOf, quote } from "./problem.ts";
import type { ByteSource } from "./source.ts";
import { fillFloat32, readStored, type StoredTensor } from "./tensor_io.ts";

/** Named tensors in one or several files, read one by one. */
export interface Checkpoint {
  /** The file that was opened; of a sharded checkpoint, its index. */
  readonly name: string;
  /** The kind of the files. */
  readonly format: "safetensors" | "pytorch";
  /** The `__metadata__` of safetensors (of the first shard); empty for PyTorch. */
  readonly metadata: Readonly<Record<string, string>>;
  /** All tensors by name, in file order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Converts a tensor straight into float32 memory, 2 MiB of the file at a time.
   *
   * @param name The tensor.
   * @param target Memory of as many elements, shared or not; or a function that is called anew for each
   * block, for memory whose views die when it grows.
   * @throws {WeightsError} If there is no such tensor, the lengths differ or the file is damaged. The target may be filled in part then.
   */
  readFloat32(name: string, target: Float32Target): Promise<void>;
  /**
   * Reads a whole tensor as it is.
   *
   * @param name The tensor.
   * @returns Its values in C order, little endian.
   * @throws {WeightsError} If there is no such tensor or the file is damaged.
   */
  read(name: string): Promise<TensorData>;
  /** Closes the files. Nothing can be read afterwards. */
  close(): void;
}

/** What a reader finds in one file. */
export interface FileContent {
  readonly format: Checkpoint["format"];
  readonly metadata: Readonly<Record<string, string>>;
  readonly stored: readonly StoredTensor[];
}

/** Makes a checkpoint of what a reader found; `close` closes the sources. */
export function checkpointOf(name: string, content: FileContent, sources: readonly ByteSource[]): Checkpoint {
  const { format, metadata, stored } = content;
  const byName = new Map(stored.map((tensor) => [tensor.info.name, tensor]));
  let open = true;
  const find = (tensor: string): StoredTensor => {
    const found = open && byName.get(tensor);
    if (!found) {
      throw complainOf(tensor)(`${quote(name)} ${open ? "has no tensor of that name" : "is closed"}`);
    }
    return found;
  };
  return {
    name,
    format,
    metadata,
    tensors: new Map(stored.map(({ info }) => [info.name, info])),
    async readFloat32(tensor: string, target: Float32Target): Promise<void> {
      await fillFloat32(find(tensor), target);
    },
    async read(tensor: string): Promise<TensorData> {
      return await readStored(find(tensor));
    },
    close(): void {
      if (open) sources.forEach((source) => source.close?.());
      open = false;
    },
  };
}
