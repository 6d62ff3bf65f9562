/**
 * What a hub says about a model: which commit a revision is, and which files a commit has. Asks with
 * `@huggingface/hub`, which is loaded when it is first needed.
 *
 * @module
 */
import type { ListFileEntry } from "@huggingface/hub";
import { HubError } from "../errors.ts";
import type { RemoteFile } from "./cache.ts";
import { type HttpClient, type HttpRequest, limitBody } from "./http_client.ts";
import { HttpFailure } from "./http_failure.ts";
import { encodePath, isCommit, pagePath, type RepositoryType } from "./names.ts";

/** No model's folder comes near these. */
const MAX_ANSWER_BYTES = 32 * 2 ** 20;
const MAX_FILES = 20_000;
const MAX_PAGES = 100;

/** A model on a hub. Its methods throw {@linkcode HttpFailure} for what the hub refuses. */
export class RemoteModel {
  /**
   * @param hubUrl The hub, without a slash at its end.
   * @param id The model or dataset.
   * @param client Sends the requests.
   * @param type A model or a dataset.
   */
  constructor(
    readonly hubUrl: string,
    readonly id: string,
    readonly client: HttpClient,
    readonly type: RepositoryType = "model",
  ) {}

  /** The commit that a revision is now. */
  async commit(revision: string, client: HttpClient = this.client): Promise<string> {
    const { datasetInfo, modelInfo } = await import("@huggingface/hub");
    const question = { ...this.#ask(client), name: this.id, revision };
    const info = await this.#understand<{ sha: string }>(() =>
      this.type === "model"
        ? modelInfo({ ...question, additionalFields: ["sha"] })
        : datasetInfo({ ...question, additionalFields: ["sha"] })
    );
    if (typeof info.sha === "string" && isCommit(info.sha)) return info.sha;
    throw new HubError(
      `Cannot load "${this.id}": ${this.hubUrl} tells no commit for the revision "${revision}"`,
    );
  }

  /** The files of one folder of a commit, by path. */
  async list(commit: string, folder: string): Promise<Map<string, RemoteFile>> {
    const { listFiles } = await import("@huggingface/hub");
    const files = new Map<string, RemoteFile>();
    const folderOf = {
      repo: { type: this.type, name: this.id },
      revision: commit,
      path: encodePath(folder),
    };
    let count = 0;
    await this.#understand(async () => {
      for await (const entry of listFiles({ ...this.#ask(this.client), ...folderOf })) {
        if (++count > MAX_FILES) throw new Error(`it lists more than ${MAX_FILES} files`);
        const file = remoteFile(entry);
        if (file) files.set(file.path, file);
      }
    });
    return files;
  }

  /** Where a file's bytes are. */
  fileUrl(commit: string, path: string): URL {
    return new URL(`${this.hubUrl}/${pagePath(this.id, this.type)}/resolve/${commit}/${encodePath(path)}`);
  }

  #ask(client: HttpClient): { hubUrl: string; fetch: typeof fetch } {
    let pages = 0;
    const send = async (url: RequestInfo | URL, request?: RequestInit) => {
      if (++pages > MAX_PAGES) throw new Error(`its answer has more than ${MAX_PAGES} pages`);
      return limitBody(await client.request(String(url), request as HttpRequest), MAX_ANSWER_BYTES);
    };
    return { hubUrl: this.hubUrl, fetch: send };
  }

  /** Runs a question; an answer that makes no sense is an error of the hub. */
  async #understand<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.client.signal?.throwIfAborted();
      if (error instanceof HttpFailure || error instanceof HubError) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      throw new HubError(`Cannot load "${this.id}": ${this.hubUrl} does not answer as a hub: ${problem}`, {
        cause: error,
      });
    }
  }
}

/** What the hub lists, checked; null for a folder. */
function remoteFile(entry: ListFileEntry): RemoteFile | null {
  if (typeof entry?.type === "string" && entry.type !== "file") return null;
  const { path, lfs } = entry ?? {}, byteLength = lfs?.size ?? entry?.size;
  const hash = lfs
    ? { algorithm: "sha256" as const, hex: String(lfs.oid).replace(/^sha256:/, "") }
    : { algorithm: "git-sha1" as const, hex: String(entry?.oid) };
  const isHash = (lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(hash.hex);
  if (typeof path === "string" && Number.isSafeInteger(byteLength) && byteLength >= 0 && isHash) {
    return { path, byteLength, hash };
  }
  throw new Error(`it lists ${JSON.stringify(entry)?.slice(0, 200)}, expected a path, a size and a hash`);
}
