/**
 * A model or a dataset on a hub as a folder: files are downloaded when they are opened, and kept.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import type { ByteSource, ModelFiles } from "../weights/source.ts";
import type { HubCache, RemoteFile } from "./cache.ts";
import { download } from "./download.ts";
import { HttpClient } from "./http_client.ts";
import { explain, HttpFailure } from "./http_failure.ts";
import { checkFileName, isCommit, pagePath, type RepositoryType } from "./names.ts";
import type { HubSettings } from "./options.ts";
import { RemoteModel } from "./remote.ts";
import { openUrl } from "./url_source.ts";
import { readWhole } from "./whole.ts";

/** What is in the cache is used if the hub does not answer for so long. */
const QUICK_MS = 10_000;

/** Progress is told at most this often for each file. */
const REPORT_MS = 100;

/** The files of one commit of a model or a dataset. */
export class Repository implements ModelFiles {
  readonly #listings = new Map<string, Promise<ReadonlyMap<string, RemoteFile>>>();
  readonly #arrivals = new Map<string, Promise<void>>();
  #isOffline: boolean;

  private constructor(
    readonly id: string,
    readonly settings: HubSettings,
    readonly remote: RemoteModel,
    readonly cache: HubCache | null,
    readonly commit: string,
    isOffline: boolean,
  ) {
    this.#isOffline = isOffline;
  }

  /**
   * Finds the commit that is asked for.
   *
   * @param id The model or dataset.
   * @param cache What keeps the files; null for reading them from the hub each time.
   * @param type A model or a dataset.
   * @throws {HubError} if there is no such model or revision, or it cannot be reached and is not in the cache.
   */
  static async open(
    id: string,
    settings: HubSettings,
    cache: HubCache | null,
    type: RepositoryType = "model",
  ): Promise<Repository> {
    const { revision, hubUrl, token, signal, isOffline, patience } = settings;
    const client = new HttpClient(new URL(hubUrl).origin, token, signal, patience);
    const remote = new RemoteModel(hubUrl, id, client, type);
    const make = (commit: string, offline: boolean) =>
      new Repository(id, settings, remote, cache, commit, offline);
    const known = isCommit(revision) ? revision : await cache?.commitOf(revision) ?? null;
    const action = `Cannot load "${id}" (revision ${revision})`;
    if (isOffline) {
      if (known && (await cache?.list(known))?.length) return make(known, true);
      const place = cache?.place ?? "this runtime, which has no cache,";
      const rule = "local_files_only or HF_HUB_OFFLINE forbids to download it";
      throw new HubError(`${action}: ${place} has nothing of it, and ${rule}`);
    }
    if (known === revision) return make(known, false);
    const quick = { attempts: 1, stallMs: Math.min(QUICK_MS, client.patience.stallMs) };
    try {
      return make(await remote.commit(revision, known ? client.with(quick) : client), false);
    } catch (error) {
      if (known && error instanceof HttpFailure && error.isUnreachable) {
        warnOffline(id, known, error);
        return make(known, true);
      }
      const hasToken = token !== undefined, wanted = `revision "${revision}"`;
      throw explain(error, { action, wanted, hubUrl, id: pagePath(id, type), type, hasToken });
    }
  }

  get name(): string {
    return this.#isOffline ? `${this.id} (offline: only what ${this.cache?.place} has)` : this.id;
  }

  async open(name: string): Promise<ByteSource | null> {
    return await this.#open(name, Infinity);
  }

  async read(name: string): Promise<Uint8Array | null> {
    return await readWhole(name, (limit) => this.#open(name, limit));
  }

  async list(folder = ""): Promise<readonly string[]> {
    if (!this.#isOffline) return [...(await this.#listing(folder)).keys()];
    const kept = await this.cache?.list(this.commit, folder) ?? [];
    return folder === "" ? kept : kept.map((name) => `${folder}/${name}`);
  }

  async #open(name: string, limit: number): Promise<ByteSource | null> {
    const path = checkFileName(name), { cache, commit, settings } = this;
    settings.signal?.throwIfAborted();
    const kept = await cache?.open(commit, path);
    if (kept) {
      if (!this.#isOffline) await this.#note(() => cache!.rememberCommit(settings.revision, commit));
      this.#report({ status: "initiate", file: path });
      this.#report({ status: "done", file: path });
      return kept;
    }
    if (this.#isOffline || await cache?.isAbsent(commit, path)) return null;
    const file = (await this.#listing(path.slice(0, Math.max(0, path.lastIndexOf("/"))))).get(path);
    if (!file) {
      if (cache && !this.#isOffline) await this.#note(() => cache.rememberAbsent(commit, path));
      return null;
    }
    if (file.byteLength > limit) {
      throw new HubError(
        `Cannot read ${path} of "${this.id}": it has ${file.byteLength} bytes, the limit is ${limit}`,
      );
    }
    if (!cache) return await this.#openRemote(path);
    let arrival = this.#arrivals.get(path);
    if (!arrival) {
      arrival = this.#add(cache, file).finally(() => this.#arrivals.delete(path));
      this.#arrivals.set(path, arrival);
    }
    await arrival;
    return await cache.open(commit, path);
  }

  async #add(cache: HubCache, file: RemoteFile): Promise<void> {
    const { path } = file, { commit, settings } = this;
    this.#report({ status: "initiate", file: path });
    await this.#explained(
      path,
      () => cache.add(commit, file, (begin) => this.#fetch(file, begin), settings.signal),
    );
    await cache.rememberCommit(settings.revision, commit);
    this.#report({ status: "done", file: path });
  }

  /** Keeps what makes the next time faster; a cache that cannot be written serves as well. */
  async #note(remember: () => Promise<void>): Promise<void> {
    await remember().catch((error) => {
      if (!(error instanceof HubError)) throw error;
    });
  }

  /** A file that nothing keeps: read from the hub, range by range. */
  async #openRemote(path: string): Promise<ByteSource | null> {
    const source = await this.#explained(path, () => openUrl(this.remote.client, this.#url(path), path));
    return source &&
      { ...source, read: (begin, end) => this.#explained(path, () => source.read(begin, end)) };
  }

  /** The bytes from `begin` on, with reports. */
  async *#fetch({ path, byteLength: total }: RemoteFile, begin: number): AsyncGenerator<Uint8Array> {
    this.#report({ status: "download", file: path });
    const tell = (loaded: number) =>
      this.#report({ status: "progress", file: path, progress: 100 * loaded / total, loaded, total });
    tell(begin);
    let loaded = begin, toldMs = performance.now();
    for await (const bytes of download(this.remote.client, this.#url(path), { byteLength: total, begin })) {
      yield bytes;
      loaded += bytes.length;
      if (loaded < total && performance.now() - toldMs < REPORT_MS) continue;
      toldMs = performance.now();
      tell(loaded);
    }
  }

  #url(path: string): URL {
    return this.remote.fileUrl(this.commit, path);
  }

  #report(event: Omit<Parameters<HubSettings["report"]>[0], "name">): void {
    this.settings.report({ ...event, name: this.id });
  }

  async #listing(folder: string): Promise<ReadonlyMap<string, RemoteFile>> {
    let listing = this.#listings.get(folder);
    if (!listing) this.#listings.set(folder, listing = this.#list(folder));
    try {
      return await listing;
    } catch (error) {
      this.#listings.delete(folder);
      throw error;
    }
  }

  async #list(folder: string): Promise<ReadonlyMap<string, RemoteFile>> {
    const { cache, commit, remote } = this;
    const isKept = (await cache?.list(commit) ?? []).length > 0;
    try {
      return await remote.list(commit, folder);
    } catch (error) {
      if (folder && error instanceof HttpFailure && error.status === 404) return new Map();
      if (isKept && error instanceof HttpFailure && error.isUnreachable) {
        warnOffline(this.id, commit, error);
        this.#isOffline = true;
        return new Map();
      }
      throw this.#explain(error, "the files", `revision "${this.settings.revision}"`);
    }
  }

  /** Runs what may fail because of one file, and tells which. */
  async #explained<T>(path: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw this.#explain(error, path, `file "${path}"`);
    }
  }

  #explain(error: unknown, what: string, wanted: string): unknown {
    const { id, commit, settings: { revision, hubUrl, token } } = this;
    const version = revision === commit ? `commit ${commit}` : `revision ${revision}, commit ${commit}`;
    const action = `Cannot load ${what} of "${id}" (${version})`;
    const { type } = this.remote;
    return explain(error, {
      action,
      wanted,
      hubUrl,
      id: pagePath(id, type),
      type,
      hasToken: token !== undefined,
    });
  }
}

function warnOffline(id: string, commit: string, failure: HttpFailure): void {
  console.warn(`Using the cached files of "${id}" (commit ${commit}): ${failure.message} (${failure.url})`);
}
