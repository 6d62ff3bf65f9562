/**
 * Kills random ranks (SIGKILL) in random passes of runs on 2 or 4 ranks, goes on with 1, 2 or 4, and compares all files with
 * those of a run that nothing disturbed: `kills.ts [COUNT] [SEED]`, 10 by default.
 */
import { fileURLToPath } from "node:url";
import { Random } from "../../src/random.ts";
import type { TrainingArguments } from "../../src/train/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { engines } from "./engines.ts";
import { filesOf, train, tryToTrain } from "./training_runs.ts";

/** Passes of the last of 4 ranks. */
const PASSES = 6;

const [count = "10", seed = "1"] = Deno.args, random = new Random(Number(seed));
const SAVING: TrainingArguments = { save_strategy: "steps", save_steps: 2, exact: true };

await withFolder(async (folder) => {
  const whole = new URL("whole/", folder);
  await train(engines[0], 1, { args: { ...SAVING, output_dir: fileURLToPath(whole) } });
  const wanted = filesOf(whole);
  for (let kill = 1; kill <= Number(count); kill++) {
    const engine = engines[kill % engines.length], size = 2 << random.below(2), later = 1 << random.below(3);
    const mishap = { kind: "kill", rank: random.below(size), at: random.below(PASSES) } as const;
    const own = new URL(`${kill}/`, folder);
    const args: TrainingArguments = {
      ...{ ...SAVING, output_dir: fileURLToPath(own), zero_stage: random.below(2) as 0 | 1 },
    };
    const { code, seconds } = await tryToTrain(engine, size, { args, mishap });
    if (code === 0) throw new Error(`Kill ${kill}: the run has ended well`);
    await train(engine, later, { args, resume: true });
    const files = filesOf(own), different = [...wanted].filter(([name, bytes]) => files.get(name) !== bytes);
    if (different.length > 0) throw new Error(`Kill ${kill}: ${different[0][0]} differs`);
    console.log(
      `${kill}: ${engine.name}, rank ${mishap.rank} of ${size} in pass ${mishap.at}, zero_stage ${args.zero_stage}: ` +
        `ended in ${seconds.toFixed(1)} s (exit code ${code}); went on with ${later}, all bits equal`,
    );
  }
});
