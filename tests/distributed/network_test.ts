/** Two ranks in network namespaces of their own, as on two machines: they reach each other by TCP alone. */
import { ok } from "node:assert/strict";
import { Network } from "../../scripts/bench/mpi_engines.ts";
import { allDone, engines } from "./engines.ts";

for (const engine of engines) {
  Deno.test(`${engine.name}: two ranks in network namespaces of their own talk by TCP`, async () => {
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
    } finally {
      network.close();
    }
  });
}
