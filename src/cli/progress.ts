/**
 * Progress for people: one line that moves in a terminal, a line now and then elsewhere.
 *
 * @module
 */
import { formatSeconds } from "../hub/mod.ts";
import type { Terminal } from "./terminal.ts";

const BAR_WIDTH = 16;
/** A terminal is redrawn at most this often. */
const REDRAW_MS = 100;
/** Elsewhere there is a line every tenth, and after this time. */
const LINE_MS = 10_000;

/** Progress of something that has a number of parts. */
export class Progress {
  readonly #startMs = performance.now();
  #first: number | undefined;
  #drawnMs = -Infinity;
  #tenth = -1;

  /**
   * @param label What is done.
   * @param unit The parts, such as `steps`.
   */
  constructor(readonly terminal: Terminal, readonly label: string, readonly unit: string) {}

  /** Tells how far it is. @param note Further facts. */
  update(done: number, total: number | undefined, note = ""): void {
    const nowMs = performance.now(), seconds = (nowMs - this.#startMs) / 1000;
    this.#first ??= Math.max(0, done - 1); // what was there before does not count
    const rate = (done - this.#first) / seconds, tenth = total ? Math.floor(10 * done / total) : 0;
    const isDue = this.terminal.isTerminal
      ? nowMs - this.#drawnMs >= REDRAW_MS || done === total
      : tenth !== this.#tenth || nowMs - this.#drawnMs >= LINE_MS;
    if (!isDue) return;
    this.#drawnMs = nowMs;
    this.#tenth = tenth;
    const facts = [`${this.label} ${done}${total ? `/${total}` : ""}`];
    if (total && this.terminal.isTerminal) facts.push(bar(done / total));
    if (note) facts.push(note);
    facts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} ${this.unit}/s`);
    if (total) {
      facts.push(done < total ? `${formatSeconds((total - done) / rate)} left` : formatSeconds(seconds));
    }
    const line = facts.join("  ");
    if (this.terminal.isTerminal && done !== total) this.terminal.status(line);
    else this.terminal.note(line);
  }
}

function bar(share: number): string {
  const full = Math.round(share * BAR_WIDTH);
  return `[${"#".repeat(full)}${"-".repeat(BAR_WIDTH - full)}]`;
}
