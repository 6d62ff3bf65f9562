/**
 * Files on disk, where there is a file system (Deno, Node, Bun): ranges read, whole files written or not at all,
 * and the few operations that a cache shared by several processes needs.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises";
import { HubError } from "../errors.ts";
import { builtin } from "./platform.ts";

/** A file open for reading in ranges. */
export interface OpenFile {
  readonly byteLength: number;
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Fills the target from that place on. */
  readInto(begin: number, target: Uint8Array): Promise<void>;
  close(): void;
}

/** A file that is being filled. */
export interface PartialFile {
  /** The length when it was opened. */
  readonly byteLength: number;
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  write(begin: number, bytes: Uint8Array): Promise<void>;
  /** Makes sure that what was written survives a power cut. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

function fileSystem(action: string) {
  const fs = builtin("node:fs");
  if (!fs) throw new HubError(`Cannot ${action}: this runtime has no file system`);
  return fs;
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? (error as { name?: string }).name ?? "";
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error));
}

function failure(action: string, file: URL, error: unknown): HubError {
  if (error instanceof HubError) return error;
  const reason = codeOf(error) === "ENOSPC"
    ? "no space is left on the disk"
    : error instanceof Error
    ? error.message
    : String(error);
  return new HubError(`Cannot ${action} ${filePath(file)}: ${reason}`, { cause: error });
}

/** True where there are files at all. */
export function hasFileSystem(): boolean {
  return builtin("node:fs") !== undefined;
}

/** The path of a `file:` URL, for messages and for the user. */
export function filePath(file: URL): string {
  return builtin("node:url")?.fileURLToPath(file) ?? file.pathname;
}

/** A path as a URL. */
export function fileUrl(path: string): URL {
  if (path.startsWith("file://")) return new URL(path);
  const url = builtin("node:url");
  if (!url) throw new HubError(`Cannot read the file ${path}: this runtime has no file system`);
  return url.pathToFileURL(path);
}

/** A path, or a URL, as a URL that ends with a slash, so that names can be resolved against it. */
export function folderUrl(path: string | URL): URL {
  if (path instanceof URL) return new URL(path.href.replace(/\/?$/, "/"));
  if (typeof path !== "string") {
    throw new HubError(`Cannot use the folder ${path}: a path or a URL is wanted`);
  }
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

/** The names in a folder; none if there is no such folder. */
export async function listFolder(folder: URL): Promise<string[]> {
  try {
    return await fileSystem(`list ${folder.pathname}`).promises.readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw failure("list", folder, error);
  }
}

/** The length in bytes and the time of the last change, or null if there is no such file. Links are followed. */
export async function fileState(file: URL): Promise<{ byteLength: number; modifiedMs: number } | null> {
  try {
    const { size, mtimeMs } = await fileSystem(`look at ${file.pathname}`).promises.stat(file);
    return { byteLength: size, modifiedMs: mtimeMs };
  } catch (error) {
    if (isMissing(error)) return null;
    throw failure("look at", file, error);
  }
}

/** A small text file, or null if there is none. */
export async function readText(file: URL): Promise<string | null> {
  try {
    return await fileSystem(`read ${file.pathname}`).promises.readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw failure("read", file, error);
  }
}

async function fill(handle: FileHandle, file: URL, begin: number, target: Uint8Array): Promise<void> {
  for (let at = 0; at < target.length;) {
    const { bytesRead } = await handle.read(target, at, target.length - at, begin + at);
    if (bytesRead === 0) {
      throw new HubError(
        `Cannot read ${filePath(file)}: it ends at byte ${begin + at}, not at ${begin + target.length}`,
      );
    }
    at += bytesRead;
  }
}

async function readFully(
  handle: FileHandle,
  file: URL,
  begin: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - begin);
  await fill(handle, file, begin, bytes);
  return bytes;
}

/**
 * Opens a file, or gives null if there is none.
 *
 * @throws {HubError} if it is there but cannot be read.
 */
export async function openFile(file: URL): Promise<OpenFile | null> {
  const fs = fileSystem(`read ${file.pathname}`);
  try {
    const state = await fs.promises.stat(file); // opening a pipe would wait for its writer
    if (!state.isFile()) return null;
    const opened = await fs.promises.open(file, "r");
    return {
      byteLength: state.size,
      read: (begin, end) => readFully(opened, file, begin, end),
      readInto: (begin, target) => fill(opened, file, begin, target),
      close: () => void opened.close(),
    };
  } catch (error) {
    if (isMissing(error)) return null;
    throw failure("read", file, error);
  }
}

/**
 * Writes a file under a temporary name and renames it: it is there whole, or as it was before.
 *
 * @throws {HubError} if it cannot be written.
 */
export async function writeFileWhole(
  file: URL,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  await replaceFile("write", file, (temporary) => writeChunks(temporary, chunks).then(() => true));
}

async function writeChunks(
  file: URL,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const handle = await fileSystem(`write ${file.pathname}`).promises.open(file, "w");
  try {
    for await (const chunk of chunks) await handle.writeFile(chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Puts a text or bytes at a file's end at once, so that others can follow the file.
 *
 * @throws {HubError} if it cannot be written.
 */
export function appendToFile(file: URL, data: string | Uint8Array): void {
  try {
    fileSystem(`write ${file.pathname}`).appendFileSync(file, data);
  } catch (error) {
    throw failure("write", file, error);
  }
}

/** A file to be written, in chunks. */
export interface FileChunks {
  /** Its name in its folder. */
  readonly name: string;
  /** Its bytes; called once. */
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** How the folders are named that {@linkcode writeFolderWhole} has not finished. */
const UNFINISHED = /^\..*\.part$/;

/**
 * Writes a folder under a temporary name and renames it: it is there with all its files, or as it was before.
 *
 * @throws {HubError} if it cannot be written.
 */
export async function writeFolderWhole(folder: URL, files: Iterable<FileChunks>): Promise<void> {
  const { promises } = fileSystem(`write ${folder.pathname}`);
  const parent = new URL("..", folder), name = folder.pathname.split("/").at(-2);
  const sibling = () => new URL(`.${name}.${crypto.randomUUID().slice(0, 8)}.part/`, parent);
  const temporary = sibling(), former = sibling();
  try {
    await promises.mkdir(temporary, { recursive: true });
    for (const { name, chunks } of files) await writeChunks(new URL(name, temporary), chunks());
    await syncFolder(temporary);
    await promises.rename(folder, former).catch((error) => {
      if (!isMissing(error)) throw error;
    });
    await promises.rename(temporary, folder);
    await syncFolder(parent);
  } catch (error) {
    await promises.rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw failure("write", folder, error);
  } finally {
    await promises.rm(former, { recursive: true, force: true }).catch(() => {});
  }
}

/** Makes sure that a folder's names survive a power cut, where that can be asked for. */
async function syncFolder(folder: URL): Promise<void> {
  try {
    const handle = await fileSystem("write").promises.open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows opens no folders; the rename is as safe as its file system makes it.
  }
}

/** Removes a folder with all that is in it; nothing if there is none. */
export async function removeFolder(folder: URL): Promise<void> {
  try {
    await fileSystem(`remove ${folder.pathname}`).promises.rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw failure("remove", folder, error);
  }
}

/** Removes what writers of folders left behind that were ended before they had finished. */
export async function removeUnfinished(parent: URL): Promise<void> {
  for (const name of await listFolder(parent)) {
    if (UNFINISHED.test(name)) await removeFolder(new URL(`${encodeURIComponent(name)}/`, parent));
  }
}

/**
 * Lets `make` make a file under a temporary name, then renames it; makes the folder. Not where `make` gives false.
 * An error names the `subject`.
 */
async function replaceFile(
  action: string,
  file: URL,
  make: (temporary: URL) => Promise<boolean>,
  subject = file,
): Promise<boolean> {
  const { promises } = fileSystem(`${action} ${file.pathname}`);
  const temporary = new URL(`${file.href}.${crypto.randomUUID().slice(0, 8)}.part`);
  try {
    await promises.mkdir(new URL(".", file), { recursive: true });
    const made = await make(temporary);
    if (made) await promises.rename(temporary, file);
    return made;
  } catch (error) {
    await promises.rm(temporary, { force: true }).catch(() => {});
    throw failure(action, subject, error);
  }
}

/**
 * Opens a file so that it can be filled from where it ends; makes it and its folder if there is none.
 * Bytes are written at the places given, so that two processes that write the same content do no harm.
 *
 * @throws {HubError} if it cannot be written.
 */
export async function openPartial(file: URL): Promise<PartialFile> {
  const fs = fileSystem(`write ${file.pathname}`);
  try {
    await fs.promises.mkdir(new URL(".", file), { recursive: true });
    const { O_CREAT, O_RDWR } = fs.constants;
    const handle = await fs.promises.open(file, O_CREAT | O_RDWR, 0o644);
    return {
      byteLength: (await handle.stat()).size,
      read: (begin, end) => readFully(handle, file, begin, end),
      async write(begin, bytes) {
        try {
          for (let at = 0; at < bytes.length;) {
            at += (await handle.write(bytes, at, bytes.length - at, begin + at)).bytesWritten;
          }
        } catch (error) {
          throw failure("write", file, error);
        }
      },
      flush: () => handle.sync(),
      close: () => handle.close(),
    };
  } catch (error) {
    throw failure("write", file, error);
  }
}

/**
 * Makes a file with a text, or gives false if there is one of that name already.
 *
 * @throws {HubError} if it cannot be written.
 */
export async function createFile(file: URL, text: string): Promise<boolean> {
  const fs = fileSystem(`write ${file.pathname}`);
  try {
    await fs.promises.mkdir(new URL(".", file), { recursive: true });
    await fs.promises.writeFile(file, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw failure("write", file, error);
  }
}

/** Sets a file's time of change to now; nothing if it is gone. */
export async function touchFile(file: URL): Promise<void> {
  const now = new Date();
  await builtin("node:fs")?.promises.utimes(file, now, now).catch(() => {});
}

/** Removes a file; nothing if there is none. */
export async function removeFile(file: URL): Promise<void> {
  try {
    await fileSystem(`remove ${file.pathname}`).promises.rm(file, { force: true });
  } catch (error) {
    throw failure("remove", file, error);
  }
}

/** Renames a file, over another if need be; makes the folder. Gives false if there is no such file. */
export async function moveFile(from: URL, to: URL): Promise<boolean> {
  const fs = fileSystem(`move ${from.pathname}`);
  try {
    await fs.promises.mkdir(new URL(".", to), { recursive: true });
    await fs.promises.rename(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw failure("move", from, error);
  }
}

/** Copies a file; the copy is there whole or not at all. */
export async function copyFile(from: URL, to: URL): Promise<void> {
  const fs = fileSystem(`copy ${from.pathname}`);
  await replaceFile("copy", to, (temporary) => fs.promises.copyFile(from, temporary).then(() => true), from);
}

/**
 * Makes a symbolic link in place of whatever has its name.
 *
 * @param target What it points to, relative to the link's folder.
 * @returns False where links cannot be made: on some file systems, or without the permission.
 */
export async function linkFile(target: string, link: URL): Promise<boolean> {
  const fs = fileSystem(`link ${link.pathname}`);
  return await replaceFile(
    "link",
    link,
    (temporary) => fs.promises.symlink(target, temporary).then(() => true, () => false),
  );
}

/** The bytes that this user may still write on a folder's disk, or null if unknown. */
export async function freeBytes(folder: URL): Promise<number | null> {
  try {
    const { bavail, bsize } = await fileSystem("measure the disk").promises.statfs(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}
