/**
 * What the user is told of an error.
 *
 * @module
 */
import { BerthError } from "../errors.ts";
import { SIGNAL_CODES, Stopped } from "./stop_signal.ts";
import { OutputClosed, type Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Words an error, and gives the exit code.
 *
 * @param from Whose error it is, if that is not plain.
 */
export function tellFailure(error: unknown, terminal: Terminal, debug: boolean, from = ""): number {
  if (error instanceof OutputClosed) return 0;
  if (error instanceof Stopped) {
    terminal.error(`berth: ${from}${error.message}`);
    return SIGNAL_CODES[error.signal];
  }
  const { message, stack, cause } = error instanceof Error ? error : new Error(String(error));
  const isKnown = error instanceof BerthError || error instanceof RangeError;
  const text = isKnown ? message : `internal error: ${message} (--debug shows where)`;
  terminal.error(`berth: ${from}${text}`);
  if (debug) terminal.error(`${stack}${cause instanceof Error ? `\ncaused by ${cause.stack}` : ""}`);
  return error instanceof UsageError ? 2 : 1;
}
