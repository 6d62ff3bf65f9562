/** Starts a program as npm's script `deno` does: only the standard streams are passed on. */
import { spawnSync } from "node:child_process";

const [program, ...args] = process.argv.slice(2);
process.exit(spawnSync(program, args, { stdio: "inherit" }).status ?? 1);
