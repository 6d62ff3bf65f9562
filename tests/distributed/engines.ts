/** The MPI engines of this machine, and programs of several ranks on them. */
import { deepStrictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Engine, ENGINES, isInstalled } from "../../scripts/bench/mpi_engines.ts";
import type { CommunicatorOptions } from "../../src/distributed/mod.ts";

export type { Engine };

/** The engines that are installed; says which are skipped. */
export const engines: readonly Engine[] = ENGINES.filter((engine) => {
  if (isInstalled(engine)) return true;
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

export interface LaunchOptions {
  /** For the launcher and all ranks. */
  env?: Record<string, string>;
  /** The file with the program. Default: `ranks.ts`. */
  file?: string;
  /** What every rank is started by; default: this Deno. */
  runtime?: readonly string[];
  /** The launcher with its flags before `-n`; default: the engine's. */
  launcher?: readonly string[];
  /** How the ranks are joined. */
  options?: CommunicatorOptions;
}

/** Runs a program in several ranks. */
export async function launch(
  engine: Engine,
  size: number,
  program: string,
  {
    env = {},
    launcher = [engine.mpiexec, ...engine.flags],
    runtime = [Deno.execPath(), "run", "-A", "--no-check"],
    options,
    file = "ranks.ts",
  }: LaunchOptions = {},
): Promise<Ended> {
  const ranks = fileURLToPath(new URL(file, import.meta.url)), beginMs = performance.now();
  const [first, ...args] = [
    ...[...launcher, "-n", String(size), ...runtime, ranks, program],
  ];
  const { code, stdout, stderr } = await new Deno.Command(first, {
    args,
    env: { NO_COLOR: "1", BERTH_TEST_OPTIONS: JSON.stringify(options ?? {}), ...env },
    stdin: "null",
    signal: AbortSignal.timeout(LONGEST_MS),
  }).output();
  const text = new TextDecoder(), seconds = (performance.now() - beginMs) / 1000;
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr), seconds };
}

/** Runs a program that has to end well in all ranks. */
export async function allDone(
  engine: Engine,
  size: number,
  program: string,
  options?: LaunchOptions,
): Promise<void> {
  const { code, stdout, stderr } = await launch(engine, size, program, options);
  const done = stdout.split("\n").filter((line) => line.includes(` is done (${engine.name} `)).sort();
  const wanted = Array.from({ length: size }, (_, rank) => `rank ${rank} of ${size} is done`);
  deepStrictEqual([code, done.map((line) => line.split(" (")[0])], [0, wanted], stdout + stderr);
}
