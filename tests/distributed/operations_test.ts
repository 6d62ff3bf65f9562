/** Every operation between real processes, on each engine that is installed. */
import { deepStrictEqual } from "node:assert/strict";
import { type Engine, engines, launch } from "./engines.ts";

async function allDone(engine: Engine, size: number, program: string): Promise<void> {
  const { code, stdout, stderr } = await launch(engine, size, program);
  const done = stdout.split("\n").filter((line) => line.endsWith(`(${engine.name} ${version(line)})`)).sort();
  const wanted = Array.from({ length: size }, (_, rank) => `rank ${rank} of ${size} is done`);
  deepStrictEqual([code, done.map((line) => line.split(" (")[0])], [0, wanted], stdout + stderr);
}

function version(line: string): string | undefined {
  return /\d+\.\d+(\.\d+)?/.exec(line)?.[0];
}

for (const engine of engines) {
  for (const size of [2, 4]) {
    Deno.test(`${engine.name}, ${size} ranks: every operation gives the plain sums`, () =>
      allDone(engine, size, "operations"));
  }
  Deno.test(`${engine.name}: values that are sent in several pieces`, () => allDone(engine, 3, "in pieces"));
  Deno.test(`${engine.name}: 100 MB of WebAssembly memory`, () => allDone(engine, 2, "large"));
}
