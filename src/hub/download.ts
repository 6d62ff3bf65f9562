/**
 * The bytes of one file from a server that may cut, ignore ranges or lie.
 *
 * @module
 */
import type { HttpClient } from "./http_client.ts";
import { HttpFailure } from "./http_failure.ts";

/** A server that cuts more often than this is given up, however much it sent. */
const MAX_CUTS = 200;

/**
 * Downloads a file from a byte on. A cut connection is made anew from the next byte, as long as bytes keep coming.
 *
 * @param client Sends the requests.
 * @param url The file.
 * @param byteLength Its length, known beforehand.
 * @param begin The first byte that is wanted.
 * @throws {HttpFailure} if the server gives up, or sends another file than that.
 */
export async function* download(
  client: HttpClient,
  url: URL,
  byteLength: number,
  begin: number,
): AsyncGenerator<Uint8Array> {
  let at = begin;
  for (let cuts = 0, failures = 0; at < byteLength; cuts++) {
    const before = at, response = await request(client, url, byteLength, at);
    let failure = new HttpFailure(url.href, 0, "the server ended its answer too early");
    // A server without ranges sends all of it again.
    let toSkip = response.status === 206 ? 0 : at;
    try {
      for await (const bytes of client.body(response)) {
        const wanted = bytes.subarray(toSkip, toSkip + byteLength - at); // more than promised is not looked at
        toSkip -= Math.min(toSkip, bytes.length);
        at += wanted.length;
        if (wanted.length > 0) yield wanted;
        if (at === byteLength) return;
      }
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      failure = error;
    }
    failures = at > before ? 1 : failures + 1;
    if (failures >= client.patience.attempts || cuts >= MAX_CUTS) throw failure;
    await client.pause(failures, failure);
  }
}

/** Asks for the bytes from `begin` on. */
async function request(client: HttpClient, url: URL, byteLength: number, begin: number): Promise<Response> {
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (begin > 0) headers.range = `bytes=${begin}-`;
  const response = await client.request(url, { headers });
  if (response.status !== 206) return response;
  const sent = response.headers.get("content-range") ?? "", range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(sent);
  if (range && Number(range[1]) === begin && ["*", `${byteLength}`].includes(range[2])) return response;
  await response.body?.cancel();
  throw new HttpFailure(url.href, 400, `the server sent "${sent}", expected byte ${begin} on of ${byteLength}`);
}
