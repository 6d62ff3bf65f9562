/**
 * Streams of bytes: their beginning, their decompression, their progress.
 *
 * @module
 */
import { dataError } from "../data/problem.ts";

/** Bytes piece by piece. */
export type Chunks = AsyncIterable<Uint8Array>;

/** So many bytes tell what a file is. */
const HEAD_BYTES = 512;

/** Reads a web stream, which cannot be iterated everywhere. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** The first bytes, and all of them. */
export async function peek(chunks: Chunks): Promise<{ head: Uint8Array; chunks: Chunks }> {
  const iterator = chunks[Symbol.asyncIterator](), taken: Uint8Array[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done) break;
    if (next.value.length > 0) taken.push(next.value.slice()); // the reader may use its buffer again
    length += next.value.length;
  }
  const head = new Uint8Array(Math.min(length, HEAD_BYTES));
  let at = 0;
  for (const piece of taken) {
    const part = piece.subarray(0, head.length - at);
    head.set(part, at);
    at += part.length;
  }
  const all = async function* () {
    try {
      yield* taken;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }();
  const end = async () => {
    await all.return();
    await iterator.return?.(); // a generator that never began runs no finally
    return { done: true as const, value: undefined };
  };
  return { head, chunks: { [Symbol.asyncIterator]: () => ({ next: () => all.next(), return: end }) } };
}

/**
 * Decompresses gzip as it comes.
 *
 * @throws {DataError} if it is damaged or cut.
 */
export async function* gunzip(name: string, chunks: Chunks): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let failure: unknown;
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value.slice());
      } catch (error) {
        failure = error;
        controller.error(error);
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  try {
    yield* chunksOf(compressed.pipeThrough(new DecompressionStream("gzip")));
  } catch (error) {
    throw failure ?? dataError(name, {}, `its gzip data is damaged (${(error as Error).message})`);
  }
}
