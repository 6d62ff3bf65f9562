/**
 * Work that Ctrl-C ends, and that cannot be gone on with.
 *
 * @module
 */
import { onStopSignal } from "../runtime/platform.ts";

/** A signal has ended the work. Exit code 130 or 143. */
export class Stopped extends Error {
  /** @param signal Its name. */
  constructor(readonly signal: string) {
    super(`ended by ${signal}`);
  }
}

/** Exit codes of work that a signal ended. */
export const SIGNAL_CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Does some work.
 *
 * @throws {Stopped} if a signal comes.
 */
export async function withStopSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController(),
    stopListening = onStopSignal((signal) => stop.abort(new Stopped(signal)));
  try {
    return await work(stop.signal);
  } finally {
    stopListening();
  }
}
