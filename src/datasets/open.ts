/**
 * Where data comes from: a path, a URL, standard input, a dataset on a hub, a `Blob` (a browser's file), bytes.
 *
 * @module
 */
import { dataError } from "../data/problem.ts";
import { download } from "../hub/download.ts";
import { HttpClient } from "../hub/http_client.ts";
import { HttpFailure } from "../hub/http_failure.ts";
import type { HubOptions } from "../hub/mod.ts";
import { openUrl } from "../hub/url_source.ts";
import { fileUrl, isFolder, openFile } from "../runtime/files.ts";
import { standardInput } from "../runtime/platform.ts";
import { type ByteSource, sourceFromBytes } from "../weights/source.ts";
import { type Chunks, chunksOf } from "./chunks.ts";
import { openHubFiles } from "./hub_files.ts";

/** What data is read from. `"-"` is standard input, `hf://datasets/OWNER/NAME` a dataset on a hub. */
export type DataLocation = string | URL | Blob | Uint8Array;

/** How data is found. */
export interface OpenOptions extends HubOptions {
  /** The part of a hub's dataset. Default `"train"`. */
  split?: string;
}

/** Data that was found. */
export interface OpenData {
  /** For messages. */
  readonly name: string;
  /** False for standard input. */
  readonly isRepeatable: boolean;
  /** How many bytes, where that is known. */
  readonly byteLength?: number;
  /** The bytes from the first on. */
  chunks(): Chunks;
  /** Opens it for reading in ranges, where that can be done. */
  random?(): Promise<ByteSource>;
}

/** Files are read in pieces of this size. */
const CHUNK_BYTES = 2 ** 20;

/**
 * Finds data; several files if a hub's dataset has its split in parts.
 *
 * @throws {DataError} if there is nothing of that name, {HubError} if a hub or a file cannot be read.
 */
export async function openData(location: DataLocation, options: OpenOptions): Promise<OpenData[]> {
  if (location instanceof Uint8Array) {
    return [
      fromSource("bytes in memory", () => Promise.resolve(sourceFromBytes("bytes in memory", location))),
    ];
  }
  if (location instanceof Blob) return [fromBlob(location)];
  const text = String(location);
  if (text === "-") return [{ name: "standard input", isRepeatable: false, chunks: standardInput }];
  if (text.startsWith("hf://")) {
    const files = await openHubFiles(text, options);
    return files.map(({ name, open }) => fromSource(name, open));
  }
  if (/^https?:\/\//.test(text)) return [await fromUrl(new URL(text), options)];
  return [await fromFile(text, location instanceof URL ? location : fileUrl(text))];
}

/** Data that can be read in ranges. */
function fromSource(name: string, open: () => Promise<ByteSource>): OpenData {
  return {
    name,
    isRepeatable: true,
    random: open,
    async *chunks() {
      const source = await open();
      try {
        for (let at = 0; at < source.byteLength; at += CHUNK_BYTES) {
          yield await source.read(at, Math.min(source.byteLength, at + CHUNK_BYTES));
        }
      } finally {
        source.close?.();
      }
    },
  };
}

function fromBlob(blob: Blob): OpenData {
  const name = (blob as File).name ?? "blob";
  const read = async (begin: number, end: number) =>
    new Uint8Array(await blob.slice(begin, end).arrayBuffer());
  return {
    name,
    isRepeatable: true,
    byteLength: blob.size,
    chunks: () => chunksOf(blob.stream()),
    random: () => Promise.resolve({ name, byteLength: blob.size, read }),
  };
}

async function fromFile(name: string, url: URL): Promise<OpenData> {
  const open = async (): Promise<ByteSource> => {
    const file = await openFile(url);
    if (file) return { ...file, name };
    throw dataError(name, {}, isFolder(url) ? "it is a folder, a file is wanted" : "there is no such file");
  };
  const { byteLength, close } = await open();
  close?.();
  return { ...fromSource(name, open), byteLength };
}

async function fromUrl(url: URL, options: OpenOptions): Promise<OpenData> {
  const client = new HttpClient(
    url.origin,
    options.token || undefined,
    options.signal ?? undefined,
    options.patience ?? {},
  );
  const name = decodeURIComponent(url.pathname.split("/").at(-1) || url.host);
  const source = await explained(url, () => openUrl(client, url, name));
  if (!source) throw dataError(url.href, {}, "the server has no such file");
  const { byteLength } = source;
  return {
    ...fromSource(url.href, () => Promise.resolve(source)),
    byteLength,
    async *chunks() {
      if (byteLength === 0) return;
      const pieces = download(client, url, { byteLength, begin: 0 })[Symbol.asyncIterator]();
      try {
        for (;;) {
          const { done, value } = await explained(url, () => pieces.next());
          if (done) return;
          yield value;
        }
      } finally {
        await pieces.return?.(undefined);
      }
    },
  };
}

async function explained<T>(url: URL, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof HttpFailure) throw dataError(url.href, {}, error.message);
    throw error;
  }
}
