/**
 * What is wrong with how the program was called, in contrast to what it worked on.
 *
 * @module
 */
import { BerthError } from "../errors.ts";

/** The command line or the run's file asks for something that there is not. Exit code 2. */
export class UsageError extends BerthError {
  override name: string = "UsageError";
}
