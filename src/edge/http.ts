/**
 * A training service over fetch's Request and Response: what a Worker, `Deno.serve` or a Lambda function hands on.
 *
 *     POST /train          { examples: [{ text, label }], id?, train?, ... }   begins a run      201
 *     POST /train/<id>     { steps? }                                          makes steps       200
 *     GET  /train/<id>                                                         how far it is     200
 *     POST /predict/<id>   { texts: [...] }                                    classifies texts  200
 *
 * @module
 */
import { DataError, MemoryError, RequestError, TokenizerError } from "../errors.ts";
import { refuse } from "./limits.ts";
import type { RunRequest } from "./run_description.ts";
import type { TrainingService } from "./training_service.ts";

/** Options of {@linkcode handleRequest}. */
export interface HandleOptions {
  /** Ends a slice after its current step, because the program is to end: what is done is kept. */
  signal?: AbortSignal;
  /** Told of errors that the caller is not to see. Default: `console.error`. */
  onError?: (error: unknown) => void;
}

/** Answers one request, errors included. */
export async function handleRequest(
  service: TrainingService,
  request: Request,
  options: HandleOptions = {},
): Promise<Response> {
  try {
    return await route(service, request, options);
  } catch (error) {
    const status = httpStatus(error);
    if (status === 500) (options.onError ?? console.error)(error);
    const message = status === 500 ? "The service failed" : (error as Error).message;
    return Response.json({ error: message }, { status });
  }
}

/**
 * The HTTP status that an error means: its own if it is a RequestError, 413 for what does not fit into memory, 400 for
 * malformed data, 500 for what is the service's own fault.
 */
export function httpStatus(error: unknown): number {
  if (error instanceof RequestError) return error.status;
  if (error instanceof MemoryError) return 413;
  return error instanceof DataError || error instanceof TokenizerError ? 400 : 500;
}

async function route(
  service: TrainingService,
  request: Request,
  { signal }: HandleOptions,
): Promise<Response> {
  const [, action, id, ...rest] = new URL(request.url).pathname.split("/"), { method } = request;
  const allow = (...methods: string[]) => {
    if (!methods.includes(method)) {
      throw new RequestError(405, `Cannot ${method} here: ${methods.join(" or ")} is wanted`);
    }
  };
  const body = () => readJson(request, service.limits.bodyBytes);
  if (action === "train" && id === undefined) {
    allow("POST");
    const { id: name, ...run } = await body();
    return Response.json(await service.begin(run as unknown as RunRequest, name as string | undefined), {
      status: 201,
    });
  }
  if (action === "train" && rest.length === 0) {
    allow("GET", "POST");
    if (method === "GET") return Response.json(await service.status(id));
    const { steps } = await body();
    return Response.json(await service.run(id, { steps: steps as number | undefined, signal }));
  }
  if (action === "predict" && id !== undefined && rest.length === 0) {
    allow("POST");
    return Response.json(await service.predict(id, (await body()).texts));
  }
  throw new RequestError(404, "Cannot find this: /train, /train/<id> or /predict/<id> is wanted");
}

/**
 * Reads a request's body as an object; an empty one is an object without properties.
 *
 * @throws {RequestError} 413 once it is longer than allowed, 400 if it is no JSON object.
 */
export async function readJson(request: Request, maxBytes: number): Promise<Record<string, unknown>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const tooLong = () => new RequestError(413, `Cannot read the body: at most ${maxBytes} bytes are wanted`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLong();
  const reader = request.body?.getReader();
  for (let part; reader && !(part = await reader.read()).done;) {
    length += part.value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw tooLong();
    }
    parts.push(part.value);
  }
  const text = await new Blob(parts).text();
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    refuse(`Cannot read the body: ${(error as Error).message}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return refuse("Cannot read the body: a JSON object is wanted");
}
