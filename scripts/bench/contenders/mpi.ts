/** Sums between the ranks that `mpiexec` started; the first rank speaks: jobs are numbers of bytes. */
import { deepStrictEqual } from "node:assert/strict";
import process from "node:process";
import { openCommunicator } from "../../../src/distributed/mod.ts";
import { speak } from "./speak.mjs";

/** Sums are repeated until so many milliseconds have passed; short ones in groups. */
const LEAST_MS = 100, GROUP = 20, LONG_BYTES = 1e6;
const ranks = openCommunicator({ deadlineSeconds: Infinity });
const memory = new WebAssembly.Memory({ initial: 1200, maximum: 65536, shared: true });

/** All ranks do the same, as often as the first one says; milliseconds of one sum. */
function time(bytes: number): number {
  const values = new Float32Array(memory.buffer, 64, bytes / 4).fill(ranks.rank + 1),
    wanted = ranks.size * (ranks.size + 1) / 2;
  ranks.allReduce(values); // makes the connections
  deepStrictEqual([values[0], values.at(-1)], [wanted, wanted]);
  values.fill(0);
  const again = Int32Array.of(1), group = bytes < LONG_BYTES ? GROUP : 1;
  let sums = 0, ms = 0;
  for (ranks.barrier(); again[0]; ranks.broadcast(again, 0)) {
    const beginMs = performance.now();
    for (let i = 0; i < group; i++) ranks.allReduce(values);
    ms += performance.now() - beginMs;
    sums += group;
    again[0] = Number(ms < LEAST_MS);
  }
  return ms / sums;
}

const job = new Float64Array(1);
if (ranks.rank > 0) {
  for (ranks.broadcast(job, 0); job[0] > 0; ranks.broadcast(job, 0)) time(job[0]);
  ranks.close();
} else {
  process.on("exit", () => {
    job[0] = 0;
    ranks.broadcast(job, 0);
    ranks.close();
  });
  await speak([ranks.size], (bytes: string) => {
    job[0] = Number(bytes);
    ranks.broadcast(job, 0);
    return time(job[0]);
  }, { engine: ranks.engine });
}
