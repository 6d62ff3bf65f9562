/**
 * A stream as a source that can only be read forwards: what lies between two reads passes by.
 *
 * @module
 */

import { complainOf, joinBytes } from "./problem.ts";
import type { ByteSource } from "./source.ts";

/** A source of unknown length (`byteLength` is infinite), for ranges in ascending order, one at a time. */
export interface StreamSource extends ByteSource {
  /** Whether there are bytes from that place on. */
  goesOn(begin: number): Promise<boolean>;
  /** Ends the stream early, if it has not ended. */
  cancel(): Promise<void>;
}

/** Begins to read a stream whose chunks come in any size. */
export function sourceFromStream(name: string, stream: ReadableStream<Uint8Array>): StreamSource {
  const complain = complainOf(name);
  const reader = stream.getReader();
  let position = 0;
  let chunk: Uint8Array = new Uint8Array(0);
  let busy = false;

  // Makes sure that there is a chunk; false at the end.
  const fill = async (): Promise<boolean> => {
    while (chunk.length === 0) {
      const { done, value } = await reader.read();
      if (done) return false;
      chunk = value;
    }
    return true;
  };

  // Passes over what comes before `begin`, then gives what comes before `end`, in parts:
  // memory grows with what arrives, not with what is asked for.
  const take = async function* (begin: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    if (busy || begin < position) throw complain("a stream is read once, from front to back");
    busy = true;
    while (position < end) {
      if (!await fill()) throw complain(`it ends at byte ${position}`);
      const passes = position < begin;
      const part = chunk.subarray(0, (passes ? begin : end) - position);
      chunk = chunk.subarray(part.length);
      position += part.length;
      if (!passes) yield part;
    }
    busy = false;
  };

  return {
    name,
    byteLength: Infinity,
    async read(begin: number, end: number): Promise<Uint8Array> {
      const parts: Uint8Array[] = [];
      for await (const part of take(begin, end)) parts.push(part);
      return joinBytes(parts);
    },
    async readInto(begin: number, target: Uint8Array): Promise<void> {
      let at = 0;
      for await (const part of take(begin, begin + target.length)) {
        target.set(part, at);
        at += part.length;
      }
    },
    async goesOn(begin: number): Promise<boolean> {
      for await (const _ of take(begin, begin));
      return await fill();
    },
    async cancel(): Promise<void> {
      await reader.cancel();
      reader.releaseLock();
    },
  };
}
