/** Training on several ranks gives what one process gives: the same bits where that is asked for, else nearly so. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { TrainingArguments } from "../../src/train/mod.ts";
import { withFolder } from "../helpers/folder.ts";
import { engines } from "./engines.ts";
import type { RankResult, RankRun } from "./rank_run.ts";
import { filesOf, train } from "./training_runs.ts";

/** What is the same on any number of ranks. */
function numbers({ metrics: _, bytes: _b, ...rest }: RankResult): Omit<RankResult, "metrics" | "bytes"> {
  return rest;
}

/** Parameters of several chunks, which ranks share; of the word embedding few rows are used. */
const LARGER = { vocab_size: 3000, intermediate_size: 1500 };
const EXACT: TrainingArguments = { save_strategy: "steps", save_steps: 4, exact: true };
const [engine] = engines;

for (
  const [name, { config, ...args }] of Object.entries<TrainingArguments & Pick<RankRun, "config">>({
    "clipping, dropout, uneven steps": { max_grad_norm: 0.1 },
    "8-bit moments, frozen parts, groups of like length": {
      ...{ state_dtype: "int8", freeze: "bert.encoder.layer.0", group_by_length: true },
    },
    "the best model at the end": { load_best_model_at_end: true, eval_steps: 4 },
    "moments in parts, decay": { zero_stage: 1, weight_decay: 0.1, config: LARGER },
    "moments of 8 bits in parts, no decay": {
      ...{ zero_stage: 1, weight_decay: 0, state_dtype: "int8", config: LARGER },
    },
  })
) {
  Deno.test({
    name: `exact: 1, 2 and 4 ranks write the same files, byte for byte (${name})`,
    ignore: engines.length === 0,
    fn: () =>
      withFolder(async (folder) => {
        const results: unknown[] = [];
        for (const size of [1, 2, 4]) {
          const own = new URL(`${size}/`, folder), output_dir = fileURLToPath(own);
          const result = await train(engine, size, { config, args: { ...EXACT, ...args, output_dir } });
          results.push([numbers(result), filesOf(own)]);
        }
        deepStrictEqual(results[1], results[0]);
        deepStrictEqual(results[2], results[0]);
      }),
  });
}

for (const engine of engines) {
  Deno.test(`${engine.name}: without exact, the losses of 100 steps on 2 ranks are those of one process within 1e-5`, async () => {
    const args = { max_steps: 100, eval_steps: 50 };
    const one = await train(engine, 1, { config: LARGER, args });
    for (const zero_stage of [0, 1] as const) {
      const two = await train(engine, 2, { config: LARGER, args: { ...args, zero_stage } });
      const differences = one.losses.map((loss, i) => Math.abs(two.losses[i] / loss - 1));
      strictEqual(differences.length, 100);
      ok(
        Math.max(...differences) < 1e-5,
        `zero_stage ${zero_stage}: losses differ by ${Math.max(...differences)}`,
      );
      const { train_ranks, train_communication_seconds, train_communication_overlap } = two.metrics;
      strictEqual(train_ranks, 2);
      ok(
        train_communication_seconds > 0 && train_communication_overlap > 0 && train_communication_overlap < 1,
      );
    }
  });
}

Deno.test(
  { name: "moments in parts: each of 4 ranks has a quarter of them", ignore: engines.length === 0 },
  async () => {
    const config = { ...LARGER, vocab_size: 20_000 }, run = { config, examples: 8 };
    const whole = await train(engine, 4, { ...run, args: { zero_stage: 0, num_train_epochs: 1 } });
    const parts = await train(engine, 4, { ...run, args: { zero_stage: 1, num_train_epochs: 1 } });
    const moments = 8 * whole.parameters;
    parts.bytes.forEach((bytes, rank) => {
      const saved = (whole.bytes[rank] - bytes) / moments;
      ok(Math.abs(saved - 3 / 4) < 0.03, `rank ${rank} takes ${saved} of the moments less, expected 3/4`);
    });
  },
);
