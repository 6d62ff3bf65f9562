/** Who started a process, told from its environment, and what a process without other ranks does. */
import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { alone, openCommunicator } from "../../src/distributed/mod.ts";
import { findLaunch } from "../../src/distributed/launcher.ts";
import { CommunicationError } from "../../src/errors.ts";

const found = (variables: Record<string, string>) => findLaunch((name) => variables[name]);

Deno.test("mpiexec of MPICH and of Open MPI and srun are told from the environment", () => {
  deepStrictEqual(found({ PMI_RANK: "1", PMI_SIZE: "4" }), {
    ...{ engine: "MPICH", rank: 1, size: 4, variable: "PMI_SIZE" },
  });
  deepStrictEqual(
    found({
      OMPI_COMM_WORLD_RANK: "0",
      OMPI_COMM_WORLD_SIZE: "2",
      PMIX_RANK: "0",
      SLURM_STEP_NUM_TASKS: "2",
    }),
    { engine: "Open MPI", rank: 0, size: 2, variable: "OMPI_COMM_WORLD_SIZE" },
  );
  deepStrictEqual(found({ PMIX_RANK: "3", SLURM_STEP_NUM_TASKS: "8" }), {
    ...{ engine: "Open MPI", rank: 3, size: 8, variable: "SLURM_STEP_NUM_TASKS" },
  });
});

Deno.test("a process that was simply started, or as the only rank, is alone", () => {
  strictEqual(found({}), undefined);
  strictEqual(found({ PMI_RANK: "0", PMI_SIZE: "1" }), undefined);
  strictEqual(found({ SLURM_NTASKS: "4", SLURM_PROCID: "0" }), undefined); // the script that sbatch runs
});

Deno.test("a launcher that contradicts itself, and srun without MPI, are refused", () => {
  throws(
    () => found({ PMI_RANK: "x", PMI_SIZE: "4" }),
    /PMI_RANK is "x" and PMI_SIZE is "4", numbers are wanted/,
  );
  throws(() => found({ SLURM_STEP_NUM_TASKS: "4", SLURM_PROCID: "0" }), /--mpi=pmi2 \(MPICH\) or --mpi=pmix/);
});

Deno.test("alone: every operation leaves the values as they are, and refuses what ranks would refuse", () => {
  strictEqual(openCommunicator(), alone);
  const values = Float32Array.of(1, 2, 3);
  alone.allReduce(values);
  alone.allReduce(values, "max");
  alone.startAllReduce(values).wait();
  alone.reduceScatter(values, [3]);
  alone.startReduce(values, 0).wait();
  alone.allGather(values, [3]);
  alone.broadcast(values, 0);
  strictEqual(alone.startBroadcast(values, 0).test(), true);
  alone.barrier();
  alone.close();
  deepStrictEqual([...values], [1, 2, 3]);
  deepStrictEqual([alone.rank, alone.size, alone.split(0, 0)], [0, 1, alone]);
  throws(() => alone.broadcast(values, 1), CommunicationError);
  throws(() => alone.reduceScatter(values, [2]), CommunicationError);
  throws(() => alone.split(-1, 0), CommunicationError);
});

Deno.test("in a runtime without a foreign function interface, Deno is said to be wanted", async () => {
  const module = new URL("../../src/distributed/mod.ts", import.meta.url);
  const process = { versions: { node: "22.3.0" }, env: { PMI_RANK: "0", PMI_SIZE: "2" } };
  const code = `globalThis.process = ${JSON.stringify(process)}; delete globalThis.Deno; ` +
    `(await import("${module}")).openCommunicator();`;
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    env: { NO_COLOR: "1" },
  }).output();
  match(
    new TextDecoder().decode(stderr),
    /CommunicationError: Cannot join the other ranks \(PMI_SIZE is 2\): this runtime is node 22.3.0, Deno is wanted/,
  );
});
