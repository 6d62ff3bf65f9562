/**
 * Ends training runs at random places, resumes them to their end, and compares the bits with a run that nothing ended:
 * `kills.ts [COUNT] [SEED]`, 20 by default.
 */
import { deepStrictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Random } from "../../src/random.ts";
import { withFolder } from "../helpers/folder.ts";

/** Ways to end, with how many places there are to end at. */
const WAYS: [how: string, places: number][] = [["kill", 130], ["write", 200], ["term", 130], ["full", 60]];

function run(folder: URL, how: string, at: number): number | null {
  const child = fileURLToPath(new URL("dying_run.ts", import.meta.url));
  const args = ["run", "-A", "--no-check", child, fileURLToPath(folder), how, String(at)];
  const { status, stderr } = spawnSync(Deno.execPath(), args, { encoding: "utf8" });
  if (status !== null && ![0, 3, 4, 137].includes(status)) throw new Error(`exit code ${status}: ${stderr}`);
  return status;
}

function result(folder: URL): unknown[] {
  const read = (name: string) => readFileSync(new URL(name, folder));
  return [
    read("final/model.safetensors"),
    read("checkpoint-15/model.safetensors"),
    read("checkpoint-15/optimizer.safetensors"),
    JSON.parse(read("checkpoint-15/trainer_state.json").toString()),
  ];
}

/** Ends runs so many times, one run after the other, each until it has finished. */
export async function killRuns(count: number, seed: number, onKill?: (line: string) => void): Promise<void> {
  const random = new Random(seed);
  await withFolder(async (whole) => {
    deepStrictEqual(run(whole, "none", 0), 0);
    const wanted = result(whole);
    for (let done = 0; done < count;) {
      await withFolder((folder) => {
        for (let status: number | null = null; status !== 0;) {
          const [how, places] = done < count ? WAYS[done % WAYS.length] : ["none", 1] as const;
          const at = random.below(places);
          status = run(folder, how, at);
          if (how === "none" || status === 0) continue;
          done++;
          onKill?.(`${done}: ${how} at ${at}, exit code ${status}`);
        }
        deepStrictEqual(result(folder), wanted);
      });
    }
  });
}

if (import.meta.main) {
  const [count = "20", seed = "1"] = Deno.args;
  await killRuns(Number(count), Number(seed), console.log);
  console.log(`all ${count} resumed runs have the bits of the one that was not ended`);
}
