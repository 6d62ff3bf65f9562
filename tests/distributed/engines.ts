/** The MPI engines of this machine, and programs of several ranks on them. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Engine {
  readonly name: "MPICH" | "Open MPI";
  /** The launcher. */
  readonly mpiexec: string;
  /** What the launcher wants before `-n`. */
  readonly flags: readonly string[];
}

const ENGINES: readonly Engine[] = [
  { name: "MPICH", mpiexec: "mpiexec.mpich", flags: [] },
  { name: "Open MPI", mpiexec: "mpiexec.openmpi", flags: ["--allow-run-as-root", "--oversubscribe"] },
];

/** The engines that are installed; says which are skipped. */
export const engines: readonly Engine[] = ENGINES.filter((engine) => {
  if (spawnSync(engine.mpiexec, ["--version"]).status === 0) return true;
  console.log(`Skipped: tests on ${engine.name}; there is no ${engine.mpiexec} (Debian: mpich, openmpi-bin)`);
  return false;
});

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** More than any of these programs takes, and less than a hanging test should. */
const LONGEST_MS = 120_000;

/** Runs one of `ranks.ts`'s programs in several ranks. */
export async function launch(
  engine: Engine,
  size: number,
  program: string,
  { env = {}, flags = [] }: { env?: Record<string, string>; flags?: readonly string[] } = {},
): Promise<Ended> {
  const ranks = fileURLToPath(new URL("./ranks.ts", import.meta.url)), beginMs = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(engine.mpiexec, {
    args: [
      ...[...engine.flags, ...flags, "-n", String(size)],
      ...[Deno.execPath(), "run", "-A", "--no-check", ranks, program],
    ],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(LONGEST_MS),
  }).output();
  const text = new TextDecoder(), seconds = (performance.now() - beginMs) / 1000;
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr), seconds };
}
