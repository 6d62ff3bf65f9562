/** Processes that are killed while they train or write, or have no room; `kills.ts` ends twenty. */
import { killRuns } from "./kills.ts";

Deno.test("four runs that are killed, asked to end or out of room go on with the same bits", async () => {
  await killRuns(4, 3);
});
