/**
 * Encoding in batches, for more texts than should be in memory at once.
 *
 * @module
 */

import type { BatchEncoding } from "./batch_encoding.ts";
import type { CallOptions, TextInput, TokenizerProgress } from "./call_options.ts";

/** Options of streaming: those of a call, and the size of a batch. */
export interface StreamOptions extends Omit<CallOptions, "text_pair"> {
  /** Texts in a batch. Default 256. */
  batch_size?: number;
}

/** A text, or a pair of texts. */
export type StreamInput = TextInput | readonly [TextInput, TextInput];

type Encode = (texts: StreamInput[], options: CallOptions) => BatchEncoding<true>;

const BATCH = 256;

/** Encodes batch after batch. */
export function* encodeBatches(
  texts: Iterable<StreamInput>,
  { batch_size = BATCH, progress_callback, ...options }: StreamOptions,
  encode: Encode,
): Generator<BatchEncoding<true>, void, undefined> {
  const report = reporter(progress_callback, Array.isArray(texts) ? texts.length : null);
  let loaded = 0;
  let batch: StreamInput[] = [];
  for (const text of texts) {
    if (batch.push(text) < batch_size) continue;
    yield encode(batch, options);
    report(loaded += batch.length);
    batch = [];
  }
  if (batch.length > 0) yield encode(batch, options);
  report(loaded + batch.length, true);
}

/** Encodes batch after batch as the texts arrive. */
export async function* encodeStream(
  texts: Iterable<StreamInput> | AsyncIterable<StreamInput>,
  { batch_size = BATCH, progress_callback, ...options }: StreamOptions,
  encode: Encode,
): AsyncGenerator<BatchEncoding<true>, void, undefined> {
  const report = reporter(progress_callback, Array.isArray(texts) ? texts.length : null);
  let loaded = 0;
  let batch: StreamInput[] = [];
  for await (const text of texts) {
    if (batch.push(text) < batch_size) continue;
    yield encode(batch, options);
    report(loaded += batch.length);
    batch = [];
  }
  if (batch.length > 0) yield encode(batch, options);
  report(loaded + batch.length, true);
}

/** Tells the callback how many texts are done. */
export function reporter(
  callback: ((progress: TokenizerProgress) => void) | null | undefined,
  total: number | null,
): (loaded: number, done?: boolean) => void {
  return (loaded, done = false) =>
    callback?.({
      status: done ? "done" : "progress",
      loaded,
      total,
      progress: total && 100 * loaded / total,
    });
}
