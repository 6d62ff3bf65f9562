/**
 * What went wrong with one request, and how it is told to the user.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import type { RepositoryType } from "./names.ts";

/** Error pages longer than this are not read. */
const MAX_DETAIL_BYTES = 4096;

/** A request without a usable answer. Inside the hub only: users see the {@linkcode HubError} made of it. */
export class HttpFailure extends Error {
  override name = "HttpFailure";

  /**
   * @param url What was asked for.
   * @param status The answer's status, 0 if none came.
   * @param message What happened.
   * @param code The hub's `X-Error-Code`, such as `RevisionNotFound`.
   * @param retryAfterMs How long the server asks to wait.
   */
  constructor(
    readonly url: string,
    readonly status: number,
    message: string,
    readonly code: string = "",
    readonly retryAfterMs: number = 0,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** True if the same request may succeed later. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** True if the server is not there, or not itself. */
  get isUnreachable(): boolean {
    return this.status === 0 || this.status >= 500;
  }

  /** Reads what an answer says about its failure. */
  static async from(url: string, response: Response): Promise<HttpFailure> {
    const { status, headers } = response;
    const detail = headers.get("x-error-message") ?? await shortBody(response);
    const message = `the server answered ${status}${detail && `: ${detail}`}`;
    return new HttpFailure(
      url,
      status,
      message,
      headers.get("x-error-code") ?? "",
      retryAfter(headers.get("retry-after")),
    );
  }
}

/** The `error` of a JSON answer, or nothing. */
async function shortBody(response: Response): Promise<string> {
  const length = Number(response.headers.get("content-length") ?? NaN);
  if (!response.headers.get("content-type")?.includes("json") || !(length <= MAX_DETAIL_BYTES)) {
    await response.body?.cancel().catch(() => {});
    return "";
  }
  const { error } = await response.json().catch(() => ({}));
  return typeof error === "string" ? error.slice(0, 300) : "";
}

/** `Retry-After` in milliseconds: seconds or a date, 0 if it is neither. */
export function retryAfter(header: string | null, nowMs: number = Date.now()): number {
  if (header === null) return 0;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return ms > 0 ? ms : 0;
}

/** What a request was for. */
export interface RequestContext {
  /** `Cannot load "owner/name" (revision main)`. */
  readonly action: string;
  /** What was looked for: a revision, a file. */
  readonly wanted: string;
  readonly hubUrl: string;
  /** What follows the hub's address. */
  readonly id: string;
  /** Default a model. */
  readonly type?: RepositoryType;
  readonly hasToken: boolean;
}

/** An error for the user: what was wanted, what the server said, and what to do. Other errors pass through. */
export function explain(error: unknown, context: RequestContext): unknown {
  if (!(error instanceof HttpFailure)) return error;
  return new HubError(`${context.action}: ${reason(error, context)}`, { cause: error });
}

function reason(
  failure: HttpFailure,
  { wanted, hubUrl, id, type = "model", hasToken }: RequestContext,
): string {
  const { status, code } = failure;
  if (code === "GatedRepo" || (status === 403 && !hasToken)) {
    return `access to it is restricted (${status}): ask for it at ${hubUrl}/${id}, then give a token of that account ` +
      "(option token or HF_TOKEN)";
  }
  if (status === 401 || (status === 404 && code === "RepoNotFound")) {
    return hasToken
      ? `${hubUrl} answered ${status}: there is no such ${type}, or the token is wrong or may not use it`
      : `${hubUrl} answered ${status}: there is no such ${type}, or it is private; for a private one give a token ` +
        "(option token or HF_TOKEN)";
  }
  if (status === 403) return `${hubUrl} answered 403: the token may not do this`;
  if (status === 404) return `${hubUrl} has no ${wanted} of it (404); it was looked for at ${failure.url}`;
  if (status === 429) {
    const wait = failure.retryAfterMs > 0
      ? ` and asks to wait ${Math.ceil(failure.retryAfterMs / 1000)} s`
      : "";
    return `${hubUrl} answered 429, too many requests${wait}`;
  }
  return `${failure.message} (${failure.url})`;
}
