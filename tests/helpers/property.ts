/** fast-check with a fixed seed, so that a run can be repeated; BERTH_SEED chooses another one. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(Deno.env.get("BERTH_SEED") ?? 20261122) });

export default fc;
