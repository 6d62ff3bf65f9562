/**
 * Where checkpoints are kept: a folder of `checkpoint-<step>` folders, memory, or whatever implements the interface.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import { createHasher } from "../hub/hash.ts";
import {
  type FileChunks,
  folderUrl,
  listFolder,
  openFile,
  removeFolder,
  removeUnfinished,
  writeFolderWhole,
} from "../runtime/files.ts";
import { filesFromMap, type ModelFiles } from "../weights/mod.ts";

/** Keeps checkpoints, each a set of files, by the step at which they were made. */
export interface CheckpointStore {
  /** Gets ready for a run: removes what was left half written. */
  prepare(): Promise<void>;
  /** The steps of the checkpoints that are there, in ascending order. */
  list(): Promise<number[]>;
  /** Writes a checkpoint, whole or not at all; one of the same step is replaced. */
  write(step: number, files: readonly FileChunks[]): Promise<void>;
  /** The files of a checkpoint. */
  read(step: number): Promise<ModelFiles>;
  /** Removes a checkpoint; nothing if there is none. */
  remove(step: number): Promise<void>;
  /** How messages call a checkpoint. */
  nameOf(step: number): string;
}

/** Checkpoints in a folder, as transformers lays them out: `checkpoint-500/model.safetensors`, ... */
export class FolderStore implements CheckpointStore {
  /** The folder. */
  readonly folder: URL;

  /**
   * Checkpoints in that folder; it is made when the first one is written.
   *
   * @throws {HubError} where there is no file system.
   */
  constructor(folder: string | URL) {
    this.folder = folderUrl(folder);
  }

  /** Removes folders that a writer did not finish. */
  async prepare(): Promise<void> {
    await removeUnfinished(this.folder);
  }

  /** The steps, in ascending order. */
  async list(): Promise<number[]> {
    const steps = (await listFolder(this.folder)).map((name) => /^checkpoint-(\d{1,15})$/.exec(name)?.[1]);
    return steps.filter((step) => step !== undefined).map(Number).sort((a, b) => a - b);
  }

  /** Writes a folder under another name, and renames it. */
  async write(step: number, files: readonly FileChunks[]): Promise<void> {
    await writeFolderWhole(this.#at(step), files);
  }

  /** The files of a checkpoint. */
  read(step: number): Promise<ModelFiles> {
    const folder = this.#at(step),
      open = async (name: string) => {
        const file = await openFile(new URL(name, folder));
        return file && { ...file, name };
      };
    const read = async (name: string) => {
      const file = await open(name);
      return file && await file.read(0, file.byteLength).finally(() => file.close());
    };
    return Promise.resolve({ name: this.nameOf(step), open, read, list: () => listFolder(folder) });
  }

  /** Removes a checkpoint's folder. */
  async remove(step: number): Promise<void> {
    await removeFolder(this.#at(step));
  }

  /** The folder's name. */
  nameOf(step: number): string {
    return `checkpoint-${step}`;
  }

  #at(step: number): URL {
    return new URL(`checkpoint-${step}/`, this.folder);
  }
}

/** Checkpoints in memory: where there are no files, and in tests. */
export class MemoryStore implements CheckpointStore {
  readonly #checkpoints = new Map<number, ReadonlyMap<string, Uint8Array>>();

  /** Nothing is ever half written. */
  prepare(): Promise<void> {
    return Promise.resolve();
  }

  /** The steps, in ascending order. */
  list(): Promise<number[]> {
    return Promise.resolve([...this.#checkpoints.keys()].sort((a, b) => a - b));
  }

  /** Keeps the files' bytes. */
  async write(step: number, files: readonly FileChunks[]): Promise<void> {
    const kept = new Map<string, Uint8Array>();
    for (const { name, chunks } of files) {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      for await (const chunk of chunks()) parts.push(chunk.slice());
      kept.set(name, new Uint8Array(await new Blob(parts).arrayBuffer()));
    }
    this.#checkpoints.set(step, kept);
  }

  /** The files of a checkpoint. */
  read(step: number): Promise<ModelFiles> {
    return Promise.resolve(filesFromMap(this.nameOf(step), this.#checkpoints.get(step) ?? new Map()));
  }

  /** Forgets a checkpoint. */
  remove(step: number): Promise<void> {
    this.#checkpoints.delete(step);
    return Promise.resolve();
  }

  /** As a folder would be named. */
  nameOf(step: number): string {
    return `checkpoint-${step}`;
  }
}

/** Names all files of a checkpoint with their hashes, as `sha256sum` does; written last. */
const SUMS = "SHA256SUMS";

/** Writes files and their hashes. */
export async function writeChecked(
  store: CheckpointStore,
  step: number,
  files: readonly FileChunks[],
): Promise<void> {
  const lines: string[] = [];
  const hashed = files.map(({ name, chunks }): FileChunks => ({
    name,
    chunks: async function* () {
      const hasher = await createHasher("sha256", 0);
      for await (const chunk of chunks()) {
        hasher.update(chunk);
        yield chunk;
      }
      lines.push(`${hasher.hex()}  ${name}\n`);
    },
  }));
  const sums: FileChunks = { name: SUMS, chunks: () => [new TextEncoder().encode(lines.join(""))] };
  await store.write(step, [...hashed, sums]);
}

/** Bytes of a file that are hashed at a time. */
const BLOCK = 2 ** 22;

/**
 * The files of a checkpoint, if all of them are there and have their hashes.
 *
 * @throws {HubError} if one is missing, damaged or not named in the list of hashes.
 */
export async function readChecked(
  store: CheckpointStore,
  step: number,
  required: readonly string[],
): Promise<ModelFiles> {
  const files = await store.read(step), name = store.nameOf(step);
  const sums = await files.read(SUMS);
  if (!sums) throw new HubError(`Cannot read ${name}: it has no ${SUMS}`);
  const lines = new TextDecoder().decode(sums).split("\n").filter((line) => line !== "");
  for (const file of required) {
    if (lines.some((line) => line.endsWith(`  ${file}`))) continue;
    throw new HubError(`Cannot read ${name}: ${SUMS} does not name ${file}`);
  }
  for (const line of lines) {
    const [, hash, file] = /^([0-9a-f]{64}) {2}([\w.-]+)$/.exec(line) ?? [];
    if (!file) throw new HubError(`Cannot read ${name}: ${SUMS} is damaged`);
    const source = await files.open(file);
    if (!source) throw new HubError(`Cannot read ${name}: ${file} is missing`);
    const hasher = await createHasher("sha256", source.byteLength);
    try {
      for (let at = 0; at < source.byteLength; at += BLOCK) {
        hasher.update(await source.read(at, Math.min(at + BLOCK, source.byteLength)));
      }
    } finally {
      source.close?.();
    }
    if (hasher.hex() !== hash) throw new HubError(`Cannot read ${name}: ${file} is damaged`);
  }
  return files;
}
