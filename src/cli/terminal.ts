/**
 * What the program writes: results to standard output, all else to standard error.
 *
 * @module
 */
import type NodeProcess from "node:process";
import { RuntimeError } from "../errors.ts";
import { builtin } from "../runtime/platform.ts";

/** The reader of the standard output has gone, as `head` does: nothing more is wanted. */
export class OutputClosed extends Error {}

/** This process. */
export function thisProcess(): typeof NodeProcess {
  const process = builtin("node:process");
  if (!process) throw new RuntimeError("Cannot run the program: this runtime has no process");
  return process;
}

/** Writes for the user. */
export class Terminal {
  readonly #process = thisProcess();
  /** True while the last line of a terminal is being rewritten. */
  #open = false;

  /** @param quiet Writes results and errors only. */
  constructor(public quiet: boolean = false) {
    this.#process.stdout.on("error", () => {}); // told by `out`
  }

  /** True if standard error is a terminal. */
  get isTerminal(): boolean {
    return this.#process.stderr.isTTY === true;
  }

  /**
   * Writes a result, and waits until it is taken.
   *
   * @throws {OutputClosed} if nobody reads any more.
   */
  async out(text: string): Promise<void> {
    if (text === "") return;
    this.#clear();
    await new Promise<void>((resolve, reject) => {
      this.#process.stdout.write(text, (error) => {
        if (!error) resolve();
        else reject((error as { code?: string }).code === "EPIPE" ? new OutputClosed() : error);
      });
    });
  }

  /** Writes a line for the user. */
  note(line: string): void {
    if (!this.quiet) this.#write(`${line}\n`);
  }

  /** Writes an error. */
  error(line: string): void {
    this.#write(`${line}\n`);
  }

  /** Rewrites the terminal's last line. */
  status(line: string): void {
    if (this.quiet) return;
    this.#process.stderr.write(
      `\r\x1b[K${line.slice(0, Math.max(10, (this.#process.stderr.columns ?? 80) - 1))}`,
    );
    this.#open = true;
  }

  /** Where progress of downloads goes. */
  get progressStream(): { write(text: string): void; isTTY: boolean; columns: number | undefined } {
    const { stderr } = this.#process;
    const write = (text: string) => this.quiet || stderr.write(text);
    return { write, isTTY: this.isTerminal, columns: stderr.columns };
  }

  #write(text: string): void {
    this.#clear();
    this.#process.stderr.write(text);
  }

  /** Takes the line away that is being rewritten. */
  #clear(): void {
    if (this.#open) this.#process.stderr.write("\r\x1b[K");
    this.#open = false;
  }
}
