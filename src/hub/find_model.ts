/**
 * Finds a model's files by name: in the package itself, a folder, a URL, or a hub.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import { carriedCheckpoint } from "../runtime/assets.ts";
import { folderUrl, hasFileSystem, isFolder, listFolder, openFile } from "../runtime/files.ts";
import { readBytes } from "../runtime/platform.ts";
import { type ByteSource, type ModelFiles, sourceFromBytes } from "../weights/source.ts";
import type { HubCache } from "./cache.ts";
import { DiskCache } from "./disk_cache.ts";
import { HttpClient } from "./http_client.ts";
import { HttpFailure } from "./http_failure.ts";
import { checkFileName, encodePath, isHubId, type RepositoryType } from "./names.ts";
import { cacheFolder, type HubOptions, hubSettings } from "./options.ts";
import { Repository } from "./repository.ts";
import { openUrl } from "./url_source.ts";
import { WebCache } from "./web_cache.ts";
import { readWhole } from "./whole.ts";

/**
 * Finds a model's files. Nothing but a model on a hub is downloaded whole or kept.
 *
 * @param name The first that there is of: `"berth-tiny"`, which the package carries; a folder's path; the URL of a
 * folder; a model's id on the hub, `name` or `owner/name`.
 * @param options How models on a hub are found.
 * @returns The files. Those on a hub are downloaded when they are opened.
 * @throws {HubError} if there is no such model, or the hub does not give it.
 */
export async function findModelFiles(
  name: string | URL,
  options: HubOptions = {},
): Promise<ModelFiles> {
  if (typeof name !== "string" && !(name instanceof URL)) {
    throw new HubError(
      `Cannot find the model ${name}: a folder, a URL, an id on the hub or "berth-tiny" is wanted`,
    );
  }
  const text = String(name);
  const carried = carriedCheckpoint(text);
  if (carried) return carriedFiles(text, carried);
  const folder = name instanceof URL || name === "" || !hasFileSystem() ? null : folderUrl(text);
  if (folder && isReadableFolder(folder, text)) return filesAt(text, folder, options);
  if (name instanceof URL || /^(https?|file):\/\//.test(text)) {
    const url = new URL(text);
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    if (url.protocol === "file:" && !isFolder(url)) {
      throw new HubError(`Cannot find the model "${text}": there is no such folder`);
    }
    return filesAt(text, url, options);
  }
  if (isHubId(text)) {
    const settings = hubSettings(options);
    return await Repository.open(text, settings, cacheOf(text, settings.hubUrl, options));
  }
  throw new HubError(
    `Cannot find the model "${text}": it is no folder, no URL, no "owner/name" on the hub and not "berth-tiny"`,
  );
}

/** False too for a hub id whose folder the program may not look for. */
function isReadableFolder(folder: URL, name: string): boolean {
  try {
    return isFolder(folder);
  } catch (error) {
    if (isHubId(name)) return false;
    throw new HubError(`Cannot read the folder ${name}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Finds a dataset on a hub. Its files are downloaded when they are opened, and kept.
 *
 * @param id `name` or `owner/name`.
 * @throws {HubError} if there is no such dataset, or the hub does not give it.
 */
export async function findDatasetFiles(id: string, options: HubOptions = {}): Promise<Repository> {
  if (!isHubId(id)) throw new HubError(`Cannot find the dataset "${id}": "owner/name" is wanted`);
  const settings = hubSettings(options);
  return await Repository.open(id, settings, cacheOf(id, settings.hubUrl, options, "dataset"), "dataset");
}

/** What keeps downloaded files in this runtime; null where nothing can. */
function cacheOf(
  id: string,
  hubUrl: string,
  { cache_dir }: HubOptions,
  type: RepositoryType = "model",
): HubCache | null {
  if (hasFileSystem()) return new DiskCache(cacheFolder(cache_dir), id, type);
  return "caches" in globalThis ? new WebCache(globalThis.caches, hubUrl, id, undefined, type) : null;
}

/** The files of a checkpoint of the package; where it is not on disk, each is read whole. */
function carriedFiles(name: string, files: ReadonlyMap<string, () => URL>): ModelFiles {
  const open = async (file: string): Promise<ByteSource | null> => {
    const url = files.get(file)?.();
    if (!url) return null;
    return url.protocol === "file:"
      ? await openLocal(url, file)
      : sourceFromBytes(file, await readBytes(url));
  };
  const read = (file: string) => readWhole(file, () => open(file));
  return { name, open, read, list: () => Promise.resolve([...files.keys()]) };
}

function filesAt(name: string, folder: URL, options: HubOptions): ModelFiles {
  const isLocal = folder.protocol === "file:";
  const openUrl = isLocal ? openLocal : urlOpener(name, folder, options);
  const open = (file: string) => openUrl(new URL(encodePath(checkFileName(file)), folder), file);
  const read = (file: string) => readWhole(file, () => open(file));
  return isLocal ? { name, open, read, list: () => listFolder(folder) } : { name, open, read };
}

async function openLocal(url: URL, name: string): Promise<ByteSource | null> {
  const file = await openFile(url);
  return file && { ...file, name };
}

/** Opens files next to a URL, tells errors and reports what is read. */
function urlOpener(model: string, folder: URL, options: HubOptions): typeof openLocal {
  const report = options.progress_callback ?? (() => {});
  const token = options.token || undefined, signal = options.signal ?? undefined;
  const client = new HttpClient(folder.origin, token, signal, options.patience ?? {});
  const explained = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      const advice = [401, 403].includes(error.status) ? "; a token can be given (option token)" : "";
      throw new HubError(`Cannot read ${error.url}: ${error.message}${advice}`, { cause: error });
    }
  };
  return async (url, file) => {
    const source = await explained(() => openUrl(client, url, file));
    if (!source) return null;
    const event = { name: model, file }, total = source.byteLength;
    let loaded = 0;
    report({ ...event, status: "initiate" });
    report({ ...event, status: "download" });
    return {
      name: file,
      byteLength: total,
      async read(begin, end) {
        const bytes = await explained(() => source.read(begin, end));
        loaded = Math.min(total, loaded + end - begin);
        report({ ...event, status: "progress", progress: 100 * loaded / total, loaded, total });
        return bytes;
      },
      close() {
        source.close?.();
        report({ ...event, status: "done" });
      },
    };
  };
}
