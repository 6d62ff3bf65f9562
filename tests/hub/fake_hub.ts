/** A small Hugging Face Hub on loopback: metadata, downloads and uploads, with faults on demand. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";

/** What goes wrong with one answer. */
export interface Fault {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Ends the connection after so many bytes of the body. */
  cutAfter?: number;
  /** Sends so many bytes of the body and then nothing more. */
  stallAfter?: number;
  /** Ends the connection before the head. */
  drop?: boolean;
  /** Ignores the request's range. */
  noRanges?: boolean;
  /** Waits before it answers. */
  delayMs?: number;
  /** Sends these bytes instead. */
  bytes?: Uint8Array<ArrayBuffer>;
}

export interface Request {
  method: string;
  path: string;
  range: string | undefined;
  authorization: string | undefined;
  hasLength: boolean;
  /** Bytes of the body that were sent. */
  sent: number;
}

export interface FakeModel {
  commit: string;
  files: Map<string, Uint8Array<ArrayBuffer>>;
  /** The token that it wants, if it is private. */
  token?: string;
  isGated?: boolean;
}

/** Files of more than this are large ones: named by their SHA-256 and redirected to another host. */
export const LARGE_BYTES = 4096;

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function gitSha1(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** The name of a file's content in the cache. */
export function blobName(bytes: Uint8Array): string {
  return bytes.length > LARGE_BYTES ? sha256(bytes) : gitSha1(bytes);
}

/** The same bytes for the same seed. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i;
    bytes[i] = state >>> 8;
  }
  return bytes;
}

export class FakeHub {
  readonly models = new Map<string, FakeModel>();
  readonly log: Request[] = [];
  /** Asked for each request; what it gives goes wrong. */
  fault: (request: Request) => Fault | undefined = () => undefined;
  /** Where large files are redirected to. */
  cdn = "";
  readonly uploads = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly commits: Record<string, unknown>[][] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        console.error(error);
        response.destroy();
      });
    });
  }

  static async start(): Promise<FakeHub> {
    const hub = new FakeHub();
    await new Promise<void>((resolve) => hub.#server.listen(0, "127.0.0.1", resolve));
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  add(
    id: string,
    files: Record<string, Uint8Array<ArrayBuffer> | string>,
    more: Partial<FakeModel> = {},
  ): FakeModel {
    const encode = (content: Uint8Array<ArrayBuffer> | string) =>
      typeof content === "string" ? new TextEncoder().encode(content) : content;
    const map = new Map(Object.entries(files).map(([path, content]) => [path, encode(content)]));
    const commit = gitSha1(
      new TextEncoder().encode(id + JSON.stringify([...map].map(([p, b]) => [p, sha256(b)]))),
    );
    const model = { commit, files: map, ...more };
    this.models.set(id, model);
    return model;
  }

  /** Requests for bytes of a file. */
  downloads(path: string): Request[] {
    return this.log.filter((request) =>
      request.path.endsWith(path) && request.method === "GET" && !/\/api\//.test(request.path)
    );
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://hub"), { authorization, range } = request.headers;
    const hasLength = request.headers["content-length"] !== undefined;
    const entry: Request = {
      ...{ method: request.method!, path: url.pathname, range, authorization, hasLength, sent: 0 },
    };
    this.log.push(entry);
    const fault = this.fault(entry) ?? {};
    if (fault.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault.drop) return void request.socket.destroy();
    if (fault.status) return this.#send(entry, response, fault.status, fault.headers ?? {}, fault.body ?? "");
    const body = await readBody(request);
    const object = /^\/objects\/([0-9a-f]{64})$/.exec(url.pathname);
    if (object) return this.#object(entry, response, object[1], body, fault);
    const route =
      /^(?:\/api\/models|\/api(?=\/datasets))?\/((?:datasets\/)?(?:[\w.-]+\/)??[\w.-]+?)(\/(?:revision|tree|resolve|preupload|commit)\/.*|\.git\/.*)$/;
    const [, id, rest = ""] = route.exec(url.pathname) ?? [];
    const model = this.models.get(id ?? "");
    if (url.pathname === "/api/repos/create") return this.#create(entry, response, body);
    if (!model || (model.token && authorization !== `Bearer ${model.token}`)) {
      return this.#send(entry, response, 401, {
        "x-error-code": "RepoNotFound",
        "x-error-message": "Repository not found",
      }, "");
    }
    if (model.isGated) {
      return this.#send(entry, response, 403, {
        "x-error-code": "GatedRepo",
        "x-error-message": "Access is restricted",
      }, "");
    }
    const [, kind, revision, path = ""] = /^\/(\w+)\/([^/]+)\/?(.*)$/.exec(rest) ?? [];
    if (rest.endsWith("/info/lfs/objects/batch")) return this.#batch(entry, response, body);
    if (kind === "preupload") return this.#preupload(entry, response, body);
    if (kind === "commit") return this.#commit(entry, response, model, body);
    if (!["main", "v1", model.commit].includes(revision)) {
      return this.#send(entry, response, 404, { "x-error-code": "RevisionNotFound" }, "");
    }
    if (kind === "revision") return this.#json(entry, response, { _id: "1", id, sha: model.commit });
    if (kind === "tree") return this.#tree(entry, response, model, decodeURIComponent(path));
    return this.#resolve(entry, response, model, decodeURIComponent(path), fault);
  }

  #tree(entry: Request, response: ServerResponse, model: FakeModel, folder: string): void {
    const prefix = folder && `${folder}/`;
    const files = [...model.files].filter(([path]) =>
      path.startsWith(prefix) && !path.slice(prefix.length).includes("/")
    );
    if (folder && files.length === 0) {
      return this.#send(entry, response, 404, { "x-error-code": "EntryNotFound" }, "");
    }
    this.#json(
      entry,
      response,
      files.map(([path, bytes]) => ({
        type: "file",
        path,
        size: bytes.length,
        oid: gitSha1(bytes),
        ...(bytes.length > LARGE_BYTES
          ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }
          : {}),
      })),
    );
  }

  #resolve(entry: Request, response: ServerResponse, model: FakeModel, path: string, fault: Fault): void {
    const bytes = model.files.get(path), head = { "x-repo-commit": model.commit };
    if (!bytes) return this.#send(entry, response, 404, { ...head, "x-error-code": "EntryNotFound" }, "");
    if (bytes.length > LARGE_BYTES && this.cdn) {
      const linked = { "x-linked-etag": `"${sha256(bytes)}"`, "x-linked-size": `${bytes.length}` };
      return this.#send(entry, response, 302, {
        ...head,
        ...linked,
        location: `${this.cdn}/objects/${sha256(bytes)}`,
      }, "");
    }
    this.#bytes(entry, response, bytes, { ...head, etag: `"${blobName(bytes)}"` }, fault);
  }

  #object(
    entry: Request,
    response: ServerResponse,
    oid: string,
    body: Uint8Array<ArrayBuffer>,
    fault: Fault,
  ): void {
    if (entry.method === "PUT") {
      if (!entry.hasLength) return this.#send(entry, response, 411, {}, ""); // as Amazon's storage
      this.uploads.set(oid, body);
      return this.#send(entry, response, 200, {}, "");
    }
    const all = [...this.models.values()].flatMap((model) => [...model.files.values()]);
    const bytes = all.find((file) => sha256(file) === oid);
    if (!bytes) return this.#send(entry, response, 404, {}, "");
    this.#bytes(entry, response, bytes, { etag: `"${oid}"` }, fault);
  }

  /** Sends bytes, or the range that is asked for, or what the fault says. */
  #bytes(
    entry: Request,
    response: ServerResponse,
    content: Uint8Array<ArrayBuffer>,
    headers: Record<string, string>,
    fault: Fault,
  ): void {
    const all = fault.bytes ?? content, range = /^bytes=(\d+)-(\d*)$/.exec(entry.range ?? "");
    let body = all, status = 200;
    if (range && !fault.noRanges) {
      const begin = Number(range[1]), end = range[2] ? Number(range[2]) + 1 : all.length;
      if (begin >= all.length) {
        return this.#send(entry, response, 416, { "content-range": `bytes */${all.length}` }, "");
      }
      body = all.subarray(begin, end);
      headers = { ...headers, "content-range": `bytes ${begin}-${begin + body.length - 1}/${all.length}` };
      status = 206;
    }
    const limit = fault.cutAfter ?? fault.stallAfter;
    response.writeHead(status, {
      ...headers,
      "content-length": `${body.length}`,
      "accept-ranges": "bytes",
      connection: "close",
    });
    if (entry.method === "HEAD") return void response.end();
    const part = body.subarray(0, limit ?? body.length);
    entry.sent = part.length;
    if (limit === undefined || limit >= body.length) return void response.end(part);
    response.flushHeaders();
    response.write(part);
    if (fault.cutAfter !== undefined) {
      setTimeout(() => (part.length > 0 ? response : response.socket)?.destroy(), 20);
    }
  }

  #create(entry: Request, response: ServerResponse, body: Uint8Array): void {
    const { organization, name } = JSON.parse(new TextDecoder().decode(body)), id = `${organization}/${name}`;
    if (this.models.has(id)) return this.#send(entry, response, 409, {}, "");
    this.add(id, {}, { token: entry.authorization?.replace("Bearer ", "") });
    this.#json(entry, response, { url: `${this.url}/${id}`, id });
  }

  #preupload(entry: Request, response: ServerResponse, body: Uint8Array): void {
    const { files } = JSON.parse(new TextDecoder().decode(body)) as {
      files: { path: string; size: number }[];
    };
    const mode = ({ size }: { size: number }) => size > LARGE_BYTES ? "lfs" : "regular";
    this.#json(entry, response, {
      files: files.map((file) => ({ path: file.path, uploadMode: mode(file) })),
    });
  }

  #batch(entry: Request, response: ServerResponse, body: Uint8Array): void {
    const { objects } = JSON.parse(new TextDecoder().decode(body)) as {
      objects: { oid: string; size: number }[];
    };
    const host = this.cdn || this.url;
    const answers = objects.map(({ oid, size }) => ({
      oid,
      size,
      actions: { upload: { href: `${host}/objects/${oid}` } },
    }));
    this.#json(entry, response, { transfer: "basic", objects: answers });
  }

  #commit(entry: Request, response: ServerResponse, model: FakeModel, body: Uint8Array): void {
    const lines = new TextDecoder().decode(body).split("\n").map((line) => JSON.parse(line));
    this.commits.push(lines);
    for (const { key, value } of lines) {
      if (key === "file") model.files.set(value.path, new Uint8Array(Buffer.from(value.content, "base64")));
    }
    this.#json(entry, response, {
      commitOid: "c".repeat(40),
      commitUrl: `${this.url}/commit`,
      hookOutput: "",
    });
  }

  #json(entry: Request, response: ServerResponse, value: unknown): void {
    this.#send(entry, response, 200, { "content-type": "application/json" }, JSON.stringify(value));
  }

  #send(
    entry: Request,
    response: ServerResponse,
    status: number,
    headers: Record<string, string>,
    body: string,
  ): void {
    const length = new TextEncoder().encode(body).length;
    response.writeHead(status, { "content-length": `${length}`, connection: "close", ...headers });
    response.end(entry.method === "HEAD" ? undefined : body);
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
