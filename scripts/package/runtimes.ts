/** The runtimes that the package is tested and timed in, beside browsers and edge runtimes; npm carries all of them. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A runtime that runs programs from a command line. */
export interface CommandLineRuntime {
  /** As `Node 22`. */
  name: string;
  /** What stands before the program's path. */
  command(): Promise<string[]>;
  /** The profile that `init()` chooses there. */
  best: "relaxed" | "simd";
}

/** Node before 21 has no relaxed SIMD. */
export const RUNTIMES: readonly CommandLineRuntime[] = [
  { name: "Node 20", command: async () => [await pathOf("node@20", "-p", "process.execPath")], best: "simd" },
  {
    name: "Node 22",
    command: async () => [await pathOf("node@22", "-p", "process.execPath")],
    best: "relaxed",
  },
  {
    name: "Node 24",
    command: async () => [await pathOf("node@24", "-p", "process.execPath")],
    best: "relaxed",
  },
  {
    ...{ name: "Bun 1.4", best: "relaxed" },
    command: async () => [await pathOf("bun@1.4", "-e", "console.log(process.execPath)"), "run"],
  },
  {
    ...{ name: `Deno ${Deno.version.deno.split(".").slice(0, 2).join(".")}`, best: "relaxed" },
    command: () => Promise.resolve([Deno.execPath(), "run", "-A"]),
  },
];

/** Installs a package that is a runtime, and asks it where it is. */
async function pathOf(packed: string, flag: string, code: string): Promise<string> {
  const { stdout } = await promisify(execFile)("npx", ["-y", packed, flag, code]);
  return stdout.trim().split("\n").at(-1)!;
}
