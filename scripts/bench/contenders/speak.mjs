// The child's side of harness.ts, for Deno, Node and Bun.
import process from "node:process";
import { createInterface } from "node:readline";

/**
 * Says that this contender is ready, then answers every line `run JOB`.
 *
 * @param {ArrayLike<number>} check Numbers of the result on the agreed input.
 * @param {(job: string) => number | Promise<number>} run Does the work once; returns milliseconds.
 * @param {Record<string, unknown>} [more] Other facts for the first line.
 */
export async function speak(check, run, more = {}) {
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ ...more, ready: true, check: Array.from(check) });
  for await (const line of createInterface({ input: process.stdin })) {
    say({ ms: await run(line.slice("run ".length)) });
  }
  process.exit(0);
}
