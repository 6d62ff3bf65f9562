// The child's side of harness.ts, for Deno, Node and Bun.
import process from "node:process";
import { createInterface } from "node:readline";

/**
 * Says that this contender is ready, then answers every line `run JOB`.
 *
 * @param {ArrayLike<number>} check Numbers of the result on the agreed input.
 * @param {(job: string) => number | object | Promise<number | object>} run Does the work once; returns milliseconds,
 * or an object with `ms` and more.
 * @param {Record<string, unknown>} [more] Other facts for the first line.
 */
export async function speak(check, run, more = {}) {
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ ...more, ready: true, check: Array.from(check) });
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await run(line.slice("run ".length));
    say(typeof answer === "number" ? { ms: answer } : answer);
  }
  process.exit(0);
}
