/** Every operation between real processes, on each engine that is installed. */
import { allDone, engines } from "./engines.ts";

for (const engine of engines) {
  for (const size of [2, 4]) {
    Deno.test(`${engine.name}, ${size} ranks: every operation gives the plain sums`, () =>
      allDone(engine, size, "operations"));
  }
  Deno.test(`${engine.name}: values that are sent in several pieces`, () =>
    allDone(engine, 3, "pieces", { options: { pieceBytes: 4100 } }));
  Deno.test(`${engine.name}: 100 MB of WebAssembly memory`, () => allDone(engine, 2, "large"));
  Deno.test(`${engine.name}: wrong arguments are refused, and hurt nothing`, () =>
    allDone(engine, 2, "refusals"));
}
