/**
 * Several processes as one run, on an engine that is there already: MPI.
 *
 * @module
 */
import { CommunicationError } from "../errors.ts";
import { hasNativeLibraries } from "../runtime/native.ts";
import { runtimeName } from "../runtime/platform.ts";
import { alone } from "./alone.ts";
import type { Communicator } from "./communicator.ts";
import { checkDescriptor, findLaunch } from "./launcher.ts";
import { type CommunicatorOptions, joinWorld } from "./mpi.ts";
import { openMpiLibrary } from "./mpi_library.ts";

export { alone } from "./alone.ts";
export { installedEngines } from "./mpi_library.ts";
export type { CommunicatorOptions } from "./mpi.ts";
export type { CommunicationTimes, Communicator, Pending, Reducible, Reduction } from "./communicator.ts";

let world: Communicator | undefined;

/**
 * The ranks of this run: those that `mpiexec` or `srun` started together with this process, else this process alone.
 * Asking again gives the same. Nothing native is loaded in a process that is alone.
 *
 * @throws {CommunicationError} if there are other ranks and they cannot be joined: a runtime other than Deno, no MPI
 * library, another engine's library than the launcher's.
 */
export function openCommunicator(options: CommunicatorOptions = {}): Communicator {
  return world ??= open(options);
}

function open(options: CommunicatorOptions): Communicator {
  const launch = findLaunch();
  if (!launch) return alone;
  if (!hasNativeLibraries()) {
    throw new CommunicationError(
      `Cannot join the other ranks (${launch.variable} is ${launch.size}): this runtime is ${runtimeName()}, ` +
        "Deno is wanted, whose foreign function interface reaches MPI",
    );
  }
  if (launch.engine === "MPICH") checkDescriptor();
  return joinWorld(openMpiLibrary(launch.engine), launch, options);
}
