/**
 * Requests that last: retries with growing pauses, `Retry-After`, redirects that keep the token at home, and a limit
 * to every wait.
 *
 * @module
 */
import { HttpFailure } from "./http_failure.ts";

/** How patient a client is. */
export interface Patience {
  /** Requests for one answer. Default 5. */
  readonly attempts: number;
  /** The pause after the first failure; it doubles each time. Default 500 ms. */
  readonly pauseMs: number;
  /** The longest `Retry-After` that is obeyed; a longer one is an error. Default 120,000 ms. */
  readonly maxPauseMs: number;
  /** The longest wait for an answer's head, or for the next bytes of its body. Default 30,000 ms. */
  readonly stallMs: number;
}

const DEFAULT_PATIENCE: Patience = { attempts: 5, pauseMs: 500, maxPauseMs: 120_000, stallMs: 30_000 };

const MAX_REDIRECTS = 10;

/** In bytes a millisecond: a slower upload is taken as dead. */
const SLOWEST_UPLOAD = 10;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What is to be asked. */
export interface HttpRequest {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: BodyInit | null;
  readonly signal?: AbortSignal | null;
}

/** Sends requests for one hub or site. */
export class HttpClient {
  readonly patience: Patience;

  /**
   * @param home The only origin that gets the token.
   * @param token What goes into `Authorization`, if anything.
   * @param signal Ends every request and every pause.
   */
  constructor(
    readonly home: string,
    readonly token: string | undefined,
    readonly signal: AbortSignal | undefined,
    patience: Partial<Patience> = {},
  ) {
    this.patience = { ...DEFAULT_PATIENCE, ...patience };
  }

  /** The same client with another patience. */
  with(patience: Partial<Patience>): HttpClient {
    return new HttpClient(this.home, this.token, this.signal, { ...this.patience, ...patience });
  }

  /**
   * Asks until there is an answer.
   *
   * @param accept Statuses besides 200-299 that count as answers.
   * @throws {HttpFailure} if there is none, or the signal's reason.
   */
  async request(
    url: URL | string,
    request: HttpRequest = {},
    accept: readonly number[] = [],
  ): Promise<Response> {
    const signals = [this.signal, request.signal].filter((signal) => signal != null);
    const signal = signals.length === 1
      ? signals[0]
      : signals.length > 1
      ? AbortSignal.any(signals)
      : undefined;
    for (let attempt = 1;; attempt++) {
      let failure: HttpFailure;
      try {
        const response = await this.#follow(new URL(url), { ...request, signal });
        if (response.ok || accept.includes(response.status)) return response;
        failure = await HttpFailure.from(String(url), response);
      } catch (error) {
        signal?.throwIfAborted();
        failure = networkFailure(String(url), error);
      }
      if (
        !failure.isTransient || attempt >= this.patience.attempts || request.body instanceof ReadableStream
      ) throw failure;
      await this.pause(attempt, failure, signal);
    }
  }

  /** Waits after the given number of failures in a row, or throws the failure if that takes too long. */
  async pause(
    failures: number,
    failure: HttpFailure,
    signal: AbortSignal | undefined = this.signal,
  ): Promise<void> {
    if (failure.retryAfterMs > this.patience.maxPauseMs) throw failure;
    const growing = this.patience.pauseMs * 2 ** (failures - 1) * (0.75 + Math.random() / 2); // spreads many clients
    await sleep(Math.max(failure.retryAfterMs, Math.min(growing, this.patience.maxPauseMs)), signal);
  }

  /** The bytes of a body as they come. Throws {@linkcode HttpFailure} if the connection breaks or nothing comes. */
  async *body(response: Response): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    if (!reader) return;
    try {
      for (;;) {
        const part = await withLimit(reader.read(), this.patience.stallMs).catch((error) => {
          this.signal?.throwIfAborted();
          throw networkFailure(response.url, error);
        });
        if (part.done) return;
        yield part.value;
      }
    } finally {
      await withLimit(reader.cancel(), 100).catch(() => {});
    }
  }

  async #follow(url: URL, request: HttpRequest): Promise<Response> {
    let { method = "GET", body } = request;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const headers = new Headers(request.headers);
      headers.delete("authorization");
      if (this.token && url.origin === this.home) headers.set("authorization", `Bearer ${this.token}`);
      let response = await this.#send(url, { method, headers, body, signal: request.signal }, "manual");
      if (response.status === 0) { // a browser hides redirects; it strips the token for other hosts by itself
        response = await this.#send(url, { method, headers, body, signal: request.signal }, "follow");
      }
      const location = response.headers.get("location");
      if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
      await response.body?.cancel();
      const next = new URL(location, url);
      if (!["https:", url.protocol].includes(next.protocol)) {
        throw new HttpFailure(url.href, 400, `it redirects from ${url.protocol} to ${next.protocol}`);
      }
      if (response.status === 303 || (response.status < 303 && method === "POST")) {
        [method, body] = ["GET", undefined];
      }
      url = next;
    }
    throw new HttpFailure(url.href, 400, `it redirects more than ${MAX_REDIRECTS} times`);
  }

  async #send(url: URL, request: HttpRequest, redirect: RequestRedirect): Promise<Response> {
    const limit = new AbortController();
    const signal = request.signal ? AbortSignal.any([request.signal, limit.signal]) : limit.signal;
    const limitMs = Math.min(MAX_TIMER_MS, this.patience.stallMs + bodyBytes(request.body) / SLOWEST_UPLOAD);
    const timer = setTimeout(
      () => limit.abort(new Error(`no answer within ${Math.round(limitMs)} ms`)),
      limitMs,
    );
    try {
      return await fetch(url, { ...request, redirect, signal });
    } finally {
      clearTimeout(timer);
    }
  }
}

function bodyBytes(body: BodyInit | null | undefined): number {
  if (typeof body === "string") return body.length;
  return body instanceof Blob ? body.size : ArrayBuffer.isView(body) ? body.byteLength : body ? Infinity : 0;
}

function networkFailure(url: string, error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const text = error instanceof Error ? error.message : String(error);
  // A missing permission and a malformed request do not mend themselves.
  const status = ["NotCapable", "PermissionDenied"].includes((error as Error)?.name) ? 400 : 0;
  return new HttpFailure(url, status, `the server cannot be reached: ${text}`, "", 0, { cause: error });
}

async function withLimit<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits; rejects with the signal's reason if it is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** An answer whose body fails when it grows too long. */
export function limitBody(response: Response, maxBytes: number): Response {
  let left = maxBytes;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      left -= bytes.length;
      if (left < 0) {
        controller.error(new HttpFailure(response.url, 400, `the server sent more than ${maxBytes} bytes`));
      } else controller.enqueue(bytes);
    },
  });
  return new Response(response.body?.pipeThrough(limit), response);
}
