/** A static server on loopback, with the headers that isolate a page or without them. */
import { createReadStream, type Stats, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
};

/** With these a page may share memory between its threads. */
const ISOLATION: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

/** How {@linkcode serve} serves. */
export interface ServeOptions {
  /** Sends the headers of cross-origin isolation. Default true. */
  isolated?: boolean;
  /** Default: any that is free. */
  port?: number;
  /** More headers of every answer. */
  headers?: Readonly<Record<string, string>>;
}

/** A running server. */
export interface Server {
  /** Ends with a slash. */
  readonly url: string;
  /** The paths that were asked for, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Serves the files of a folder. */
export async function serve(folder: URL, options: ServeOptions = {}): Promise<Server> {
  const { isolated = true, port = 0, headers = {} } = options, requests: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    requests.push(request.url ?? "/");
    const file = new URL("." + (pathname.endsWith("/") ? `${pathname}index.html` : pathname), folder);
    const state = file.href.startsWith(folder.href) ? fileState(file) : undefined;
    if (!state?.isFile() || !/^(GET|HEAD)$/.test(request.method ?? "")) {
      return void response.writeHead(state?.isFile() ? 405 : 404, { "content-type": "text/plain" }).end();
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(file.pathname)] ?? "application/octet-stream",
      "content-length": state.size,
      "cache-control": "no-cache",
      ...(isolated ? ISOLATION : {}),
      ...headers,
    });
    if (request.method === "HEAD") return void response.end();
    createReadStream(fileURLToPath(file)).on("error", () => response.destroy()).pipe(response);
  });
  await new Promise<void>((listening, refused) => {
    server.once("error", refused).listen(port, "127.0.0.1", listening);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

function fileState(file: URL): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined; // a name that no file can have
  }
}
