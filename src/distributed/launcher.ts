/**
 * Who started this process, by what it left in the environment: `mpiexec` of MPICH (and of Intel MPI, MVAPICH, Cray's),
 * `mpiexec` of Open MPI, or Slurm's `srun`.
 *
 * @module
 */
import { CommunicationError } from "../errors.ts";
import { descriptorFlags, environmentVariable, programPath } from "../runtime/platform.ts";

/** What the launcher says of this process. */
export interface Launch {
  /** The kind of library that goes with the launcher. */
  readonly engine: "MPICH" | "Open MPI";
  readonly rank: number;
  readonly size: number;
  /** Who says so: the name of the variable with the size. */
  readonly variable: string;
}

/** Variables with the rank and the size, the surest first. */
const LAUNCHERS: readonly [engine: Launch["engine"], rank: string, size: string][] = [
  ["Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"],
  ["MPICH", "PMI_RANK", "PMI_SIZE"],
  ["Open MPI", "PMIX_RANK", "SLURM_STEP_NUM_TASKS"],
];

/**
 * How this process was launched; `undefined` if it was simply started, or as the only one.
 *
 * @throws {CommunicationError} if there are other processes of which nothing more is said.
 */
export function findLaunch(
  variable: (name: string) => string | undefined = environmentVariable,
): Launch | undefined {
  for (const [engine, rankName, sizeName] of LAUNCHERS) {
    const rank = variable(rankName), size = variable(sizeName);
    if (rank === undefined || size === undefined) continue;
    const launch = { engine, rank: Number(rank), size: Number(size), variable: sizeName };
    if (!Number.isInteger(launch.rank) || !Number.isInteger(launch.size) || launch.rank < 0) {
      throw new CommunicationError(
        `Cannot join the other ranks: ${rankName} is "${rank}" and ${sizeName} is "${size}", numbers are wanted`,
      );
    }
    return launch.size > 1 ? launch : undefined;
  }
  const tasks = Number(variable("SLURM_STEP_NUM_TASKS") ?? 1);
  if (!(tasks > 1)) return undefined;
  throw new CommunicationError(
    `Cannot join the other ranks: srun started ${tasks} tasks without MPI; ` +
      "srun --mpi=pmi2 (MPICH) or --mpi=pmix (Open MPI) is wanted, or SLURM_STEP_NUM_TASKS=1 for runs of their own",
  );
}

/** Set on a file descriptor that a started program does not get. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * MPICH's launcher talks to each process through a file descriptor, which every program in between has to pass on.
 *
 * @throws {CommunicationError} if it did not arrive.
 */
export function checkDescriptor(): void {
  const descriptor = environmentVariable("PMI_FD");
  if (descriptor === undefined) return;
  const flags = descriptorFlags(Number(descriptor));
  if (flags === "unknown" || flags !== "closed" && (flags & CLOSE_ON_EXEC) === 0) return;
  throw new CommunicationError(
    `Cannot join the other ranks: mpiexec's file descriptor ${descriptor} (PMI_FD) did not reach this process, as when ` +
      `npm's script "deno" stands between; start Deno's own binary: mpiexec -n 2 ${programPath()} run -A ...`,
  );
}
