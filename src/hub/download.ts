/**
 * The bytes of one file from a server that may cut, ignore ranges or lie.
 *
 * @module
 */
import type { HttpClient } from "./http_client.ts";
import { HttpFailure } from "./http_failure.ts";

/** A server that cuts so often in a row, with less than 1 MiB between two cuts, is given up. */
const MAX_CUTS = 50;
const GOOD_BYTES = 2 ** 20;

/** What is wanted of a file whose length is known. */
export interface ByteRange {
  readonly byteLength: number;
  /** The first byte. */
  readonly begin: number;
  /** The byte after the last. Default: all there are. */
  readonly end?: number;
}

/**
 * Downloads a range. A cut connection is made anew from the next byte, as long as bytes keep coming.
 *
 * @param client Sends the requests.
 * @param url The file.
 * @throws {HttpFailure} if the server gives up, or its file has another length.
 */
export async function* download(client: HttpClient, url: URL, range: ByteRange): AsyncGenerator<Uint8Array> {
  const { byteLength, begin, end = byteLength } = range;
  let at = begin;
  for (let cuts = 0, failures = 0; at < end;) {
    const before = at, response = await request(client, url, { byteLength, begin: at, end });
    let failure = new HttpFailure(url.href, 0, "the server ended its answer too early");
    // A server without ranges sends all of it again.
    let toSkip = response.status === 206 ? 0 : at;
    try {
      for await (const bytes of client.body(response)) {
        const wanted = bytes.subarray(toSkip, toSkip + end - at); // more than promised is not looked at
        toSkip -= Math.min(toSkip, bytes.length);
        at += wanted.length;
        if (wanted.length > 0) yield wanted;
        if (at === end) return;
      }
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      failure = error;
    }
    failures = at > before ? 1 : failures + 1;
    cuts = at > before + GOOD_BYTES ? 1 : cuts + 1;
    if (failures >= client.patience.attempts || cuts >= MAX_CUTS) throw failure;
    await client.pause(failures, failure);
  }
}

async function request(
  client: HttpClient,
  url: URL,
  { byteLength, begin, end }: Required<ByteRange>,
): Promise<Response> {
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (begin > 0 || end < byteLength) headers.range = `bytes=${begin}-${end < byteLength ? end - 1 : ""}`;
  const response = await client.request(url, { headers });
  if (response.status !== 206) return response;
  const sent = response.headers.get("content-range") ?? "", found = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(sent);
  if (found && Number(found[1]) === begin && ["*", `${byteLength}`].includes(found[2])) return response;
  await response.body?.cancel();
  throw new HttpFailure(
    url.href,
    400,
    `the server sent "${sent}", expected byte ${begin} on of ${byteLength}`,
  );
}
