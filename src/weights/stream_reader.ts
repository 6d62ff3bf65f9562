/**
 * Exact numbers of bytes from a stream whose chunks come in any size.
 *
 * @module
 */

import { type Complain, joinBytes } from "./problem.ts";

/** Reads a stream from front to back. */
export interface StreamReader {
  /** The next `count` bytes. Memory grows with what arrives, not with what was asked for. */
  take(count: number): Promise<Uint8Array>;
  /** Throws if anything is left. */
  expectEnd(): Promise<void>;
  /** Ends the stream early, if it has not ended. */
  cancel(): Promise<void>;
}

/** Begins to read a stream. */
export function readStream(stream: ReadableStream<Uint8Array>, complain: Complain): StreamReader {
  const reader = stream.getReader();
  let chunk: Uint8Array = new Uint8Array(0);

  // Makes sure that there is a chunk; false at the end.
  const fill = async (): Promise<boolean> => {
    while (chunk.length === 0) {
      const { done, value } = await reader.read();
      if (done) return false;
      chunk = value;
    }
    return true;
  };

  return {
    async take(count: number): Promise<Uint8Array> {
      const parts: Uint8Array[] = [];
      for (let rest = count; rest > 0;) {
        if (!await fill()) throw complain(`it ends ${rest} bytes too early`);
        const part = chunk.subarray(0, rest);
        chunk = chunk.subarray(part.length);
        parts.push(part);
        rest -= part.length;
      }
      return joinBytes(parts);
    },

    async expectEnd(): Promise<void> {
      if (await fill()) throw complain("it goes on after its last tensor");
    },

    async cancel(): Promise<void> {
      await reader.cancel();
      reader.releaseLock();
    },
  };
}
