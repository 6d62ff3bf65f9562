/** Two ranks in network namespaces of their own, as on two machines: they reach each other by TCP alone. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { Network } from "../../scripts/bench/mpi_engines.ts";
import { allDone, type Engine, engines, launch } from "./engines.ts";
import type { RankResult } from "./rank_run.ts";

/** The losses of a short training run, the same passes on any number of ranks. */
async function losses(engine: Engine, size: number, launcher?: string[]): Promise<number[]> {
  const run = JSON.stringify({ args: { exact: true, gradient_accumulation_steps: 4 / size } });
  const { code, stdout, stderr } = await launch(engine, size, run, { file: "rank_run.ts", launcher });
  deepStrictEqual(code, 0, stderr);
  return (JSON.parse(stdout) as RankResult).losses;
}

for (const engine of engines) {
  Deno.test(`${engine.name}: two ranks in network namespaces of their own talk by TCP, and train with one process's bits`, async () => {
    const network = new Network(2);
    try {
      const refusal = network.open();
      if (refusal) return console.log(`Skipped: this machine makes no network namespaces (${refusal})`);
      const launcher = network.launcher(engine, 2);
      await allDone(engine, 2, "operations", { launcher });
      const before = network.sentBytes();
      await allDone(engine, 2, "large", { launcher });
      const sent = network.sentBytes() - before;
      ok(sent > 50e6, `100 MB were summed, but only ${sent} bytes went through the network`);
      deepStrictEqual(await losses(engine, 2, launcher), await losses(engine, 1));
    } finally {
      network.close();
    }
  });
}
