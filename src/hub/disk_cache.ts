/**
 * Downloaded files in a folder, in the layout of Python's `huggingface_hub`, so that both find each other's:
 *
 *     models--owner--name/blobs/<hash>                  the content; <hash>.incomplete while it comes
 *     models--owner--name/snapshots/<commit>/<file>     a relative link to it, or the content where links cannot be made
 *     models--owner--name/refs/<branch or tag>          a commit
 *     models--owner--name/.no_exist/<commit>/<file>     empty: the commit has no such file
 *     .locks/models--owner--name/<hash>.berth           held while it comes
 *
 * @module
 */
import { HubError } from "../errors.ts";
import {
  copyFile,
  createFile,
  filePath,
  fileState,
  freeBytes,
  linkFile,
  listFolder,
  moveFile,
  openFile,
  openPartial,
  readText,
  removeFile,
  writeFileWhole,
} from "../runtime/files.ts";
import { environmentVariable } from "../runtime/platform.ts";
import type { ByteSource } from "../weights/source.ts";
import { type FetchFrom, type HubCache, type RemoteFile, wrongBytes } from "./cache.ts";
import { withFileLock } from "./file_lock.ts";
import { createHasher } from "./hash.ts";
import { cacheFolderName, encodePath, isCommit, type RepositoryType } from "./names.ts";
import { isOn } from "./options.ts";
import { formatBytes } from "./progress.ts";

/** What is there already is hashed in pieces of this size. */
const REREAD_BYTES = 2 ** 20;

/** The files of one model in a cache folder. */
export class DiskCache implements HubCache {
  readonly place: string;
  readonly #folder: URL;
  readonly #locks: URL;

  /**
   * @param root The folder of all models.
   * @param id The model or dataset.
   * @param type Which of both.
   */
  constructor(root: URL, id: string, type: RepositoryType = "model") {
    this.place = filePath(root);
    this.#folder = new URL(`${cacheFolderName(id, type)}/`, root);
    this.#locks = new URL(`.locks/${cacheFolderName(id, type)}/`, root);
  }

  async commitOf(revision: string): Promise<string | null> {
    const commit = (await readText(this.#url("refs", revision)))?.trim();
    return commit && isCommit(commit) ? commit : null;
  }

  async rememberCommit(revision: string, commit: string): Promise<void> {
    if (revision === commit || await this.commitOf(revision) === commit) return;
    await writeFileWhole(this.#url("refs", revision), [new TextEncoder().encode(commit)]);
  }

  async list(commit: string, folder = ""): Promise<string[]> {
    return await listFolder(this.#url("snapshots", commit, ...(folder ? [folder] : [])));
  }

  async open(commit: string, path: string): Promise<ByteSource | null> {
    const file = await openFile(this.#url("snapshots", commit, path));
    return file && { ...file, name: path };
  }

  async isAbsent(commit: string, path: string): Promise<boolean> {
    return await fileState(this.#url(".no_exist", commit, path)) !== null;
  }

  async rememberAbsent(commit: string, path: string): Promise<void> {
    await createFile(this.#url(".no_exist", commit, path), "");
  }

  async add(commit: string, file: RemoteFile, fetchFrom: FetchFrom, signal?: AbortSignal): Promise<void> {
    const entry = this.#url("snapshots", commit, file.path), blob = this.#url("blobs", file.hash.hex);
    await withFileLock(new URL(`${file.hash.hex}.berth`, this.#locks), signal, async () => {
      if (await fileState(entry)) return; // another process was faster
      const isNew = (await fileState(blob))?.byteLength !== file.byteLength;
      if (isNew) await this.#download(blob, file, fetchFrom);
      const up = "../".repeat(file.path.split("/").length + 1);
      if (
        !isOn(environmentVariable("HF_HUB_DISABLE_SYMLINKS")) &&
        await linkFile(`${up}blobs/${file.hash.hex}`, entry)
      ) return;
      if (isNew) await moveFile(blob, entry); // as Python does: content is on the disk once
      else await copyFile(blob, entry);
    });
  }

  /** Brings content to its place, whole and right. */
  async #download(blob: URL, file: RemoteFile, fetchFrom: FetchFrom): Promise<void> {
    const incomplete = new URL(`${blob.href}.incomplete`);
    for (;;) {
      const { begin, hex } = await this.#fill(incomplete, file, fetchFrom);
      if (hex === file.hash.hex) break;
      await removeFile(incomplete);
      // What an earlier process left may be damaged, by a power cut for one: then all is fetched anew, once.
      if (begin === 0) throw wrongBytes(file, hex);
    }
    if (!await moveFile(incomplete, blob) && !await fileState(blob)) {
      throw new HubError(
        `Cannot keep ${file.path}: ${filePath(incomplete)} was removed while it was written`,
      );
    }
  }

  /** Goes on where the file ends; tells where that was, and the hash of the whole. */
  async #fill(
    incomplete: URL,
    file: RemoteFile,
    fetchFrom: FetchFrom,
  ): Promise<{ begin: number; hex: string }> {
    if (((await fileState(incomplete))?.byteLength ?? 0) > file.byteLength) await removeFile(incomplete);
    const partial = await openPartial(incomplete);
    try {
      const { byteLength: begin } = partial,
        hasher = await createHasher(file.hash.algorithm, file.byteLength);
      let at = 0;
      for (; at < begin; at = Math.min(begin, at + REREAD_BYTES)) {
        hasher.update(await partial.read(at, Math.min(begin, at + REREAD_BYTES)));
      }
      if (begin < file.byteLength) {
        await this.#checkSpace(file, begin);
        for await (const bytes of fetchFrom(begin)) {
          await partial.write(at, bytes);
          hasher.update(bytes);
          at += bytes.length;
        }
      }
      await partial.flush();
      return { begin, hex: hasher.hex() };
    } finally {
      await partial.close();
    }
  }

  async #checkSpace(file: RemoteFile, begin: number): Promise<void> {
    const free = await freeBytes(this.#folder), wanted = file.byteLength - begin;
    if (free !== null && free < wanted) {
      throw new HubError(
        `Cannot download ${file.path}: no space is left for its ${formatBytes(wanted)} in ${this.place}, ` +
          `${formatBytes(free)} are free; set cache_dir or HF_HUB_CACHE to another disk`,
      );
    }
  }

  #url(...parts: string[]): URL {
    return new URL(parts.map(encodePath).join("/"), this.#folder);
  }
}
