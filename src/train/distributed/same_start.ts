/**
 * Ranks that train together must begin with the same: kernels, weights, data, settings.
 *
 * @module
 */
import { TrainingError } from "../../errors.ts";
import { VERSION } from "../../version.ts";
import type { FullArguments } from "../arguments.ts";
import { hashDataset, hashKernels } from "../receipt.ts";
import { hashWeights, sha256 } from "../snapshot.ts";
import type { TrainerOptions } from "../trainer_options.ts";
import type { Ranks } from "./ranks.ts";

/**
 * Compares what all ranks begin with.
 *
 * @throws {TrainingError} on every rank, with what differs and where.
 */
export async function checkSameStart(
  ranks: Ranks,
  options: TrainerOptions,
  args: FullArguments,
): Promise<void> {
  if (ranks.size === 1) return;
  const { model, tokenizer, train_dataset, eval_dataset, store, args: given = {} } = options;
  const settings = { ...args, zero_stage: given.zero_stage ?? 0 };
  const saves = store !== undefined || given.output_dir !== undefined;
  const own: Record<string, string | null> = {
    "the version of berth": VERSION,
    "the kernels": await hashKernels(model.runtime.profile),
    "the model's configuration": await sha256([model.typeName, JSON.stringify(model.config)]),
    "the weights": await hashWeights(model.named_parameters()),
    "the training data": await hashDataset(train_dataset),
    "the evaluation data": await hashDataset(eval_dataset),
    "the tokenizer": tokenizer ? await sha256(Object.entries(tokenizer.to_files()).flat()) : null,
    "the settings": await sha256([JSON.stringify(sorted(settings)), String(saves)]),
  };
  const all = ranks.patiently(() => ranks.gather(own));
  const differences = all.flatMap((other, rank) => {
    const names = Object.keys(own).filter((name) => other[name] !== all[0][name]);
    return names.length === 0 ? [] : [`rank ${rank} (${names.join(", ")})`];
  });
  if (differences.length === 0) return;
  throw new TrainingError(
    `Cannot train on ${ranks.size} ranks: what they begin with must be the same, other than rank 0's is that of ${
      differences.join("; ")
    }`,
  );
}

/** An object with its names in order. */
function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}
