/**
 * A file behind a URL as a {@linkcode ByteSource}: range requests, or one download where the server knows none.
 *
 * @module
 */
import { HubError } from "../errors.ts";
import type { ByteSource } from "../weights/source.ts";

/** Servers without ranges send whole files; more than this is not taken. */
const MAX_DOWNLOAD_BYTES = 4 * 2 ** 30;

/**
 * Opens a URL, or gives null if the server has no such file.
 *
 * @throws {HubError} if the server cannot be reached or answers with an error.
 */
export async function openUrl(url: URL, name: string): Promise<ByteSource | null> {
  const first = await request(url, { Range: "bytes=0-0" });
  if (first.status === 404) {
    await first.body?.cancel();
    return null;
  }
  if (first.status === 206) {
    const total = Number(/\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1] ?? NaN);
    await first.body?.cancel();
    if (!Number.isSafeInteger(total)) throw new HubError(`Cannot read ${url}: its content-range tells no length`);
    return { name, byteLength: total, read: (begin, end) => readRange(url, begin, end) };
  }
  if (first.status === 416) { // an empty file has no first byte
    await first.body?.cancel();
    return { name, byteLength: 0, read: () => Promise.resolve(new Uint8Array(0)) };
  }
  if (!first.ok) throw failed(url, first.status);
  if (Number(first.headers.get("content-length") ?? 0) > MAX_DOWNLOAD_BYTES) {
    await first.body?.cancel();
    throw new HubError(`Cannot read ${url}: the server sends more than ${MAX_DOWNLOAD_BYTES} bytes and knows no ranges`);
  }
  const bytes = new Uint8Array(await first.arrayBuffer());
  return { name, byteLength: bytes.length, read: (begin, end) => Promise.resolve(bytes.subarray(begin, end)) };
}

async function readRange(url: URL, begin: number, end: number): Promise<Uint8Array> {
  if (begin === end) return new Uint8Array(0);
  const response = await request(url, { Range: `bytes=${begin}-${end - 1}` });
  if (response.status !== 206) throw failed(url, response.status);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length !== end - begin) {
    throw new HubError(`Cannot read ${url}: ${bytes.length} bytes came, ${end - begin} were asked for`);
  }
  return bytes;
}

async function request(url: URL, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { headers });
  } catch (error) {
    throw new HubError(`Cannot reach ${url}: ${(error as Error).message}`, { cause: error });
  }
}

function failed(url: URL, status: number): HubError {
  return new HubError(`Cannot read ${url}: the server answered ${status}`);
}
