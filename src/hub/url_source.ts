/**
 * A file behind a URL as a {@linkcode ByteSource}: range requests, or one download where the server knows none.
 *
 * @module
 */
import { type ByteSource, sourceFromBytes } from "../weights/source.ts";
import { download } from "./download.ts";
import type { HttpClient } from "./http_client.ts";
import { HttpFailure } from "./http_failure.ts";

/** Servers without ranges send whole files into memory; more than this is not taken. */
const MAX_MEMORY_BYTES = 4 * 2 ** 30;

/**
 * Opens a URL, or gives null if the server has no such file.
 *
 * @param client Sends the requests.
 * @param name The file's name, for messages.
 * @throws {HttpFailure} if the server cannot be reached or answers with an error.
 */
export async function openUrl(client: HttpClient, url: URL, name: string): Promise<ByteSource | null> {
  const headers = { range: "bytes=0-0", "accept-encoding": "identity" };
  const first = await client.request(url, { headers }, [404, 410, 416]);
  if (first.status === 200) return sourceFromBytes(name, await readAll(client, url, first));
  await first.body?.cancel();
  if (first.status === 404 || first.status === 410) return null;
  if (first.status === 416) return sourceFromBytes(name, new Uint8Array(0)); // an empty file has no first byte
  const byteLength = Number(/\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1] ?? NaN);
  if (!Number.isSafeInteger(byteLength)) {
    throw new HttpFailure(url.href, 400, "the server's content-range tells no length");
  }
  return {
    name,
    byteLength,
    async read(begin, end) {
      const bytes = new Uint8Array(end - begin);
      let at = 0;
      for await (const piece of download(client, url, { byteLength, begin, end })) {
        bytes.set(piece, at);
        at += piece.length;
      }
      return bytes;
    },
  };
}

/** All that an answer brings; a cut one is asked for again. */
async function readAll(client: HttpClient, url: URL, response: Response): Promise<Uint8Array> {
  for (let failures = 1;; failures++) {
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const piece of client.body(response)) {
        length += piece.length;
        if (length > MAX_MEMORY_BYTES) {
          throw new HttpFailure(
            url.href,
            400,
            `the server knows no ranges and sends more than ${MAX_MEMORY_BYTES} bytes`,
          );
        }
        pieces.push(piece);
      }
      const bytes = new Uint8Array(length);
      let at = 0;
      for (const piece of pieces) {
        bytes.set(piece, at);
        at += piece.length;
      }
      return bytes;
    } catch (error) {
      if (!(error instanceof HttpFailure) || !error.isTransient || failures >= client.patience.attempts) {
        throw error;
      }
      await client.pause(failures, error);
      response = await client.request(url);
    }
  }
}
