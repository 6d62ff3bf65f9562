/**
 * Downloaded files in a browser's Cache Storage. Content is kept in parts: a cut download goes on after the last whole
 * part, and a range is read without the rest of the file.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import type { ByteSource } from "../weights/source.ts";
import { type FetchFrom, type HubCache, type RemoteFile, wrongBytes } from "./cache.ts";
import { createHasher } from "./hash.ts";
import { cacheFolderName, encodePath, isCommit, type RepositoryType } from "./names.ts";

/** The name of the storage. */
const STORAGE = "berth-hub";

/** Tensors are read in 2 MiB: a part holds a few of those, and little is lost by a cut. */
const PART_BYTES = 8 * 2 ** 20;

/** The files of one model in Cache Storage. */
export class WebCache implements HubCache {
  readonly place = `the Cache Storage "${STORAGE}"`;
  readonly #storage: Promise<Cache>;
  readonly #base: string;

  /**
   * @param storage `globalThis.caches`.
   * @param hubUrl The hub; names under it are used as keys and never asked for.
   * @param id The model or dataset.
   * @param partBytes The length of a part. Default 8 MiB.
   * @param type A model or a dataset.
   */
  constructor(
    storage: Pick<CacheStorage, "open">,
    hubUrl: string,
    id: string,
    readonly partBytes: number = PART_BYTES,
    type: RepositoryType = "model",
  ) {
    this.#storage = storage.open(STORAGE);
    this.#base = `${hubUrl}/berth-cache/${cacheFolderName(id, type)}/`;
  }

  async commitOf(revision: string): Promise<string | null> {
    const commit = await (await this.#get("refs", revision))?.text();
    return commit && isCommit(commit) ? commit : null;
  }

  async rememberCommit(revision: string, commit: string): Promise<void> {
    if (revision !== commit) await this.#put(commit, "refs", revision);
  }

  async list(commit: string, folder = ""): Promise<string[]> {
    const prefix = `${this.#key("snapshots", commit, ...(folder ? [folder] : []))}/`;
    const keys = await (await this.#storage).keys();
    return keys.filter(({ url }) => url.startsWith(prefix)).map(({ url }) =>
      decodeURIComponent(url.slice(prefix.length))
    );
  }

  async open(commit: string, path: string): Promise<ByteSource | null> {
    const entry = await this.#get("snapshots", commit, path);
    if (!entry) return null;
    const { hex, byteLength, partBytes } = await entry.json();
    let last = { index: -1, bytes: new Uint8Array(0) };
    const part = async (index: number): Promise<Uint8Array> => {
      if (index === last.index) return last.bytes;
      const stored = await this.#get("blobs", hex, `${partBytes}`, `${index}`);
      if (!stored) {
        throw new HubError(`Cannot read ${path}: part ${index} of it is no longer in ${this.place}`);
      }
      last = { index, bytes: new Uint8Array(await stored.arrayBuffer()) };
      return last.bytes;
    };
    return {
      name: path,
      byteLength,
      async read(begin, end) {
        const bytes = new Uint8Array(end - begin);
        for (let at = begin; at < end;) {
          const from = at % partBytes, stored = await part((at - from) / partBytes);
          const piece = stored.subarray(from, from + end - at);
          if (piece.length === 0) {
            throw new HubError(`Cannot read ${path}: it ends at byte ${at}, not at ${end}`);
          }
          bytes.set(piece, at - begin);
          at += piece.length;
        }
        return bytes;
      },
    };
  }

  async isAbsent(commit: string, path: string): Promise<boolean> {
    return await this.#get(".no_exist", commit, path) !== undefined;
  }

  async rememberAbsent(commit: string, path: string): Promise<void> {
    await this.#put("", ".no_exist", commit, path);
  }

  async add(commit: string, file: RemoteFile, fetchFrom: FetchFrom): Promise<void> {
    const { hash: { hex, algorithm }, byteLength } = file, { partBytes } = this;
    const parts = Math.ceil(byteLength / partBytes);
    const hasher = await createHasher(algorithm, byteLength);
    let index = 0;
    for (; index < parts; index++) {
      const stored = await this.#get("blobs", hex, `${partBytes}`, `${index}`);
      if (!stored) break;
      hasher.update(new Uint8Array(await stored.arrayBuffer()));
    }
    if (index < parts) {
      for await (const bytes of inPieces(fetchFrom(index * partBytes), partBytes)) {
        hasher.update(bytes);
        await this.#put(bytes, "blobs", hex, `${partBytes}`, `${index++}`);
      }
    }
    const found = hasher.hex();
    if (found !== hex) {
      const storage = await this.#storage;
      for (let i = 0; i < parts; i++) await storage.delete(this.#key("blobs", hex, `${partBytes}`, `${i}`));
      throw wrongBytes(file, found);
    }
    await this.#put(JSON.stringify({ hex, byteLength, partBytes }), "snapshots", commit, file.path);
  }

  #key(...parts: string[]): string {
    return this.#base + parts.map(encodePath).join("/");
  }

  async #get(...parts: string[]): Promise<Response | undefined> {
    return await (await this.#storage).match(this.#key(...parts));
  }

  async #put(content: string | Uint8Array<ArrayBuffer>, ...parts: string[]): Promise<void> {
    try {
      await (await this.#storage).put(this.#key(...parts), new Response(content));
    } catch (error) {
      const problem = (error as Error).name === "QuotaExceededError"
        ? "no space is left"
        : (error as Error).message;
      throw new HubError(`Cannot keep ${parts[parts.length - 1]} in ${this.place}: ${problem}`, {
        cause: error,
      });
    }
  }
}

/** The same bytes in pieces of one length, the last one shorter. */
async function* inPieces(
  chunks: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = new Uint8Array(length), filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + length - filled);
      piece.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < length) continue;
      yield piece;
      [piece, filled] = [new Uint8Array(length), 0];
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
