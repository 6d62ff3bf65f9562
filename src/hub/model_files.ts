/**
 * A model's files by name, from a folder, from a URL with range requests, or from the package itself.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import { folderUrl, isFolder, openFile } from "../runtime/files.ts";
import type { ByteSource, ModelFiles } from "../weights/source.ts";
import { openUrl } from "./url_source.ts";

/** Checkpoints that the package carries. */
const CARRIED: Record<string, URL> = {
  "berth-tiny": new URL("../assets/berth-tiny/", import.meta.url),
};

/** Files read whole are configuration and vocabularies. */
const MAX_WHOLE_BYTES = 256 * 2 ** 20;

/**
 * Finds a model's files.
 *
 * @param name `"berth-tiny"`, a folder's path, or the URL of a folder.
 * @throws {HubError} if there is no such folder.
 */
export function openModelFiles(name: string | URL): ModelFiles {
  return new FolderFiles(String(name), locate(name));
}

function locate(name: string | URL): URL {
  if (name instanceof URL || /^(https?|file):\/\//.test(name)) {
    const url = new URL(name);
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    return url;
  }
  if (Object.hasOwn(CARRIED, name)) return CARRIED[name];
  const folder = folderUrl(name);
  if (isFolder(folder)) return folder;
  throw new HubError(`Cannot find the model "${name}": a folder, a URL or "berth-tiny" is wanted`);
}

class FolderFiles implements ModelFiles {
  constructor(readonly name: string, readonly folder: URL) {}

  async open(name: string): Promise<ByteSource | null> {
    const url = new URL(encodeURI(name), this.folder);
    if (url.protocol !== "file:") return await openUrl(url, name);
    const file = await openFile(url);
    return file && { name, byteLength: file.byteLength, read: file.read, close: file.close };
  }

  async read(name: string): Promise<Uint8Array | null> {
    const source = await this.open(name);
    if (!source) return null;
    try {
      if (source.byteLength > MAX_WHOLE_BYTES) {
        throw new HubError(`Cannot read ${name}: it has ${source.byteLength} bytes, the limit is ${MAX_WHOLE_BYTES}`);
      }
      return await source.read(0, source.byteLength);
    } finally {
      source.close?.();
    }
  }
}
