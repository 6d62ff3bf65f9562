/**
 * Long work that lets others have their turn: timers, signals, a page's input.
 *
 * @module
 */

/** Milliseconds after which others get their turn. */
const TURN_MS = 50;

/** Gives the event loop a turn now and then. */
export class Turns {
  #last = performance.now();

  /** Waits for the others, if the last time is long enough ago. */
  async yield(): Promise<void> {
    if (performance.now() - this.#last < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#last = performance.now();
  }
}
