/** Training runs on several ranks, their results and their files. */
import { strictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TrainingArguments } from "../../src/train/mod.ts";
import { type Ended, type Engine, launch } from "./engines.ts";
import type { RankResult, RankRun } from "./rank_run.ts";

/** Passes of a step, on all ranks together. */
const PASSES = 4;

/** Trains on so many ranks, whatever comes of it. */
export async function tryToTrain(engine: Engine, size: number, run: RankRun): Promise<Ended> {
  const args: TrainingArguments = { gradient_accumulation_steps: PASSES / size, ...run.args };
  return await launch(engine, size, JSON.stringify({ ...run, args }), { file: "rank_run.ts" });
}

/** Trains on so many ranks. */
export async function train(engine: Engine, size: number, run: RankRun): Promise<RankResult> {
  const { code, stdout, stderr } = await tryToTrain(engine, size, run);
  strictEqual(code, 0, stderr);
  return JSON.parse(stdout);
}

/** All files of a run by name. */
export function filesOf(folder: URL): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }), own = fileURLToPath(folder);
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) =>
    `${parentPath}/${name}`
  );
  return new Map(paths.map((path) => [path.slice(own.length), readFileSync(path, "latin1")]));
}
