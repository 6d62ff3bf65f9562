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

type Batch = BatchEncoding<true>;
type Encode = (texts: StreamInput[], options: CallOptions) => Batch;

/** Encodes batch after batch. */
export function* encodeBatches(
  texts: Iterable<StreamInput>,
  options: StreamOptions,
  encode: Encode,
): Generator<Batch, void, undefined> {
  const next = batcher(texts, options, encode);
  for (const text of texts) yield* next([text]);
  yield* next([]);
}

/** Encodes batch after batch as the texts arrive. */
export async function* encodeStream(
  texts: Iterable<StreamInput> | AsyncIterable<StreamInput>,
  options: StreamOptions,
  encode: Encode,
): AsyncGenerator<Batch, void, undefined> {
  const next = batcher(texts, options, encode);
  for await (const text of texts) yield* next([text]);
  yield* next([]);
}

// Gathers texts; gives the batch that they fill, or, at the end (no text), the rest.
function batcher(texts: unknown, options: StreamOptions, encode: Encode): (text: StreamInput[]) => Batch[] {
  const { batch_size = 256, progress_callback, ...call } = options;
  const report = reporter(progress_callback, Array.isArray(texts) ? texts.length : null);
  let loaded = 0;
  let batch: StreamInput[] = [];
  return (text) => {
    const last = text.length === 0;
    batch.push(...text);
    if (!last && batch.length < batch_size) return [];
    const result = batch.length > 0 ? [encode(batch, call)] : [];
    report(loaded += batch.length, last);
    batch = [];
    return result;
  };
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
