/** What the figures were measured on. */
import { cpus, totalmem } from "node:os";
import process from "node:process";
import { dispose, init } from "../../src/runtime/mod.ts";

/** The head of the results. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  deno: string;
  v8: string;
  /** The kernels' build that ran. */
  profile: string;
  threads: number;
  /** Of the peers that took part. */
  versions: Record<string, string>;
}

/** Describes this machine; starts the backend once to learn the profile. */
export async function describeMachine(threads: number, versions: Record<string, string>): Promise<Machine> {
  const { profile } = await init({ threads });
  dispose();
  return {
    ...{
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
    },
    ...{ memoryGiB: Math.round(totalmem() / 2 ** 30), system: `${process.platform} ${process.arch}` },
    ...{ deno: Deno.version.deno, v8: Deno.version.v8, profile, threads, versions },
  };
}

/** One line of it. */
export function machineLine({ cpu, cores, memoryGiB, system, deno, v8, profile, threads }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; Deno ${deno} (V8 ${v8}); ` +
    `${threads} threads, kernels of profile ${profile}`;
}
