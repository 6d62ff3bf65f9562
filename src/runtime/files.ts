/**
 * Files on disk, where there is a file system (Deno, Node, Bun): ranges read, whole files written or not at all.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import { builtin } from "./platform.ts";

/** A file open for reading in ranges. */
export interface OpenFile {
  readonly byteLength: number;
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
}

function fileSystem(action: string) {
  const fs = builtin("node:fs");
  if (!fs) throw new HubError(`Cannot ${action}: this runtime has no file system`);
  return fs;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "");
}

/** A path as a `file:` URL that ends with a slash, so that names can be resolved against it. */
export function folderUrl(path: string): URL {
  const url = builtin("node:url");
  if (!url) throw new HubError(`Cannot use the folder ${path}: this runtime has no file system`);
  const folder = url.pathToFileURL(path);
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  return folder;
}

/** True if there is a folder of that name. */
export function isFolder(folder: URL): boolean {
  return builtin("node:fs")?.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Opens a file, or gives null if there is none.
 *
 * @throws {HubError} if it is there but cannot be read.
 */
export async function openFile(file: URL): Promise<OpenFile | null> {
  const fs = fileSystem(`read ${file.pathname}`);
  try {
    const handle = await fs.promises.open(file, "r");
    const { size } = await handle.stat();
    return {
      byteLength: size,
      read: async (begin, end) => {
        const bytes = new Uint8Array(end - begin);
        for (let at = 0; at < bytes.length;) {
          const { bytesRead } = await handle.read(bytes, at, bytes.length - at, begin + at);
          if (bytesRead === 0) throw new HubError(`Cannot read ${file.pathname}: it ends at byte ${begin + at} of ${size}`);
          at += bytesRead;
        }
        return bytes;
      },
      close: () => void handle.close(),
    };
  } catch (error) {
    if (isMissing(error)) return null;
    throw new HubError(`Cannot read ${file.pathname}: ${reason(error)}`, { cause: error });
  }
}

/**
 * Writes a file under a temporary name and renames it: it is there whole, or as it was before.
 *
 * @throws {HubError} if it cannot be written.
 */
export async function writeFileWhole(file: URL, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const fs = fileSystem(`write ${file.pathname}`);
  const temporary = new URL(`${file.href}.${crypto.randomUUID().slice(0, 8)}.part`);
  try {
    await fs.promises.mkdir(new URL(".", file), { recursive: true });
    const handle = await fs.promises.open(temporary, "w");
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.promises.rename(temporary, file);
  } catch (error) {
    await fs.promises.rm(temporary, { force: true }).catch(() => {});
    throw new HubError(`Cannot write ${file.pathname}: ${reason(error)}`, { cause: error });
  }
}
