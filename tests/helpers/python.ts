/** Python with the libraries that results are compared with; BERTH_PYTHON names it. */
import { ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PYTHON = Deno.env.get("BERTH_PYTHON");

/** True if Python can import a module; says what is skipped if not. */
export function hasPython(module: string): boolean {
  if (!PYTHON) console.log(`Skipped: comparisons with ${module}; BERTH_PYTHON names a Python that has it`);
  else if (spawnSync(PYTHON, ["-c", `import ${module}`]).status !== 0) {
    console.log(`Skipped: ${PYTHON} has no ${module}; BERTH_PYTHON names a Python that has it`);
  } else return true;
  return false;
}

/** Runs a script without network, and reads the JSON that is the last line of what it prints. */
export async function runPython(script: URL, ...args: (string | URL)[]): Promise<unknown> {
  const paths = [script, ...args].map((arg) => arg instanceof URL ? fileURLToPath(arg) : arg);
  const { success, stdout, stderr } = await new Deno.Command(PYTHON!, {
    args: paths,
    env: { HF_HUB_OFFLINE: "1", TRANSFORMERS_VERBOSITY: "error" },
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}
