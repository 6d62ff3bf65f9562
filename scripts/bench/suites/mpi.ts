/** Sums of gradients between two processes of this machine: each engine, through shared memory and through TCP. */
import { type Bench, denoContender, type Row, startContender, type Suite, takeTurns } from "../harness.ts";

export const suite: Suite = {
  name: "mpi",
  title: "Sums of two ranks of one machine (MPI_Iallreduce, in place)",
  run,
};

/** A launcher, and what makes it use TCP. */
interface Engine {
  launcher: string[];
  tcp: string[];
}

const ENGINES: Record<string, Engine> = {
  "MPICH": {
    launcher: ["mpiexec.mpich"],
    tcp: [["UCX_TLS", "tcp,self"], ["FI_PROVIDER", "tcp"], ["MPIR_CVAR_NOLOCAL", "1"]].flatMap((
      pair,
    ) => ["-genv", ...pair]),
  },
  "Open MPI": {
    launcher: ["mpiexec.openmpi", "--allow-run-as-root", "--oversubscribe"],
    tcp: ["--mca", "btl", "self,tcp"],
  },
};

/** How values travel. */
export const TRANSPORTS = ["shared memory", "TCP"] as const;
/** A loss; a bias; a bucket of gradients; sixteen of them. */
export const SUM_BYTES = [4, 65_536, 4_194_304, 67_108_864] as const;

/** The name of a row. */
export function sumName(engine: string, transport: string, bytes: number): string {
  return `${bytes} bytes, ${engine}, ${transport}`;
}

async function run(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [engine, { launcher, tcp }] of Object.entries(ENGINES)) {
    for (const transport of TRANSPORTS) {
      const command = [...launcher, ...transport === "TCP" ? tcp : [], "-n", "2", ...denoContender("mpi.ts")];
      const contender = await startContender(command, { name: `${engine}, ${transport}` });
      if (contender.check[0] !== 2) {
        throw new Error(`Cannot time ${engine}: there are ${contender.check[0]} ranks`);
      }
      for (const bytes of SUM_BYTES) {
        const work = sumName(engine, transport, bytes);
        bench.say(work);
        const [ours] = await takeTurns([contender], bench.rounds, 1, bytes);
        rows.push({
          ...{ work, ours, command: "deno task bench --only mpi" },
          verified: `the sums of two ranks, ${contender.info.engine}`,
        });
      }
      await contender.end();
    }
  }
  return rows;
}
