/**
 * Proves a run by making some of its steps again.
 *
 * @module
 */
import { alone } from "../distributed/alone.ts";
import { TrainingError } from "../errors.ts";
import * as models from "../model/mod.ts";
import type { FromPretrainedOptions, TrainableModel } from "../model/mod.ts";
import { init, startedRuntime } from "../runtime/mod.ts";
import type { ModelFiles } from "../weights/mod.ts";
import { FolderStore } from "./checkpoint_store.ts";
import { findCheckpoint, withCheckpoint } from "./checkpoints.ts";
import { Ranks } from "./distributed/ranks.ts";
import { hashDataset, readReceipt, type RunReceipt } from "./receipt.ts";
import { readBest } from "./snapshot.ts";
import { Trainer } from "./trainer.ts";
import type { TrainerOptions } from "./trainer_options.ts";

/** A model's class, as far as it is needed here. */
interface LoadableModel {
  from_pretrained(files: ModelFiles, options: FromPretrainedOptions): Promise<TrainableModel>;
}

/** Options of {@linkcode verifyRun}. */
export interface VerifyOptions
  extends
    Pick<TrainerOptions, "train_dataset" | "tokenizer" | "columns" | "data_collator" | "parameter_groups"> {
  /** Changes the model as it was changed before the run: LoRA, what is frozen. Default: nothing but `args.freeze`. */
  adapt?: (model: TrainableModel) => void;
  /** The checkpoint to begin from. Default: the newest whole one before the run's last step. */
  from?: number;
  /** Steps to make again. Default 10, or as many as follow. */
  steps?: number;
  /** Called after every step. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** What {@linkcode verifyRun} finds. */
export interface Verification {
  /** True if every number was the same, to the last bit. */
  ok: boolean;
  /** The checkpoint it began from. */
  from: number;
  /** Steps that were made again. */
  steps: number;
  /** What was compared besides losses and norms of gradients: `training data`, `weights after step 20`. */
  compared: string[];
  /** The first difference, in words. */
  difference?: string;
}

/**
 * Makes some of a run's steps again, from one of its checkpoints, and compares every bit with the receipt.
 *
 * @param folder The run's `output_dir`.
 * @param options `train_dataset` and what makes batches of it, as the run had them.
 * @throws {TrainingError} if there is no receipt, no checkpoint to begin from, or another build of the kernels runs.
 */
export async function verifyRun(folder: string | URL, options: VerifyOptions): Promise<Verification> {
  const receipt = await readReceipt(folder), store = new FolderStore(folder);
  const { onProgress, signal, train_dataset, from: wanted, steps: asked, adapt, ...rest } = options;
  const { profile } = await init(startedRuntime() ? {} : { profile: receipt.kernels.profile });
  if (profile !== receipt.kernels.profile) {
    throw new TrainingError(
      `Cannot verify the run: it used the kernels "${receipt.kernels.profile}", "${profile}" run now; use ` +
        `init({ profile: "${receipt.kernels.profile}" })`,
    );
  }
  const from = wanted ?? (await store.list()).filter((step) => step < receipt.global_step).at(-1);
  if (from === undefined) {
    throw new TrainingError(
      `Cannot verify the run: there is no checkpoint before step ${receipt.global_step}`,
    );
  }
  const steps = Math.min(asked ?? 10, receipt.global_step - from), compared: string[] = [];
  const result = (difference?: string): Verification => ({
    ...{ ok: difference === undefined, from, steps, compared },
    ...(difference === undefined ? {} : { difference }),
  });
  compared.push("training data");
  if (await hashDataset(train_dataset) !== receipt.data.train) return result("the training data is another");
  const files = (await findCheckpoint(store, from, () => Promise.resolve()))!;
  const OwnModel = (models as unknown as Record<string, LoadableModel>)[receipt.model.type];
  if (!OwnModel) throw new TrainingError(`Cannot verify the run: there is no model "${receipt.model.type}"`);
  const model = await OwnModel.from_pretrained(files, { on_report: () => {} });
  adapt?.(model);
  let difference: string | undefined, done = 0;
  const { save_strategy: _, ...args } = receipt.args;
  const trainer = new Trainer({
    ...{ ...rest, model, train_dataset },
    args: { ...args, eval_strategy: "no", load_best_model_at_end: false, early_stopping_patience: 0 },
    callbacks: [{
      on_step_end: ({ step: { step, loss, grad_norm } }, control) => {
        signal?.throwIfAborted();
        difference = differenceAt(receipt, step, loss, grad_norm);
        control.should_training_stop = difference !== undefined;
        onProgress?.(++done, steps);
      },
    }],
  });
  try {
    await trainer.load_checkpoint(new URL(`checkpoint-${from}/`, store.folder));
    await trainer.run({ steps });
    if (difference) return result(difference);
    const last = from + steps;
    if ((await store.list()).includes(last)) {
      compared.push(`weights after step ${last}`);
      const later = await findCheckpoint(store, last, () => Promise.resolve());
      const stored = await withCheckpoint(
        later!,
        (_, weights) => readBest(model, weights, new Ranks(alone), ""),
      );
      for (const [name, values] of stored!) {
        const own = model.get_parameter(name).values(), at = values.findIndex((value, i) => value !== own[i]);
        if (at >= 0) {
          return result(`"${name}" has ${own[at]} where the checkpoint of step ${last} has ${values[at]}`);
        }
      }
    }
    return result();
  } finally {
    await trainer.dispose();
    model.dispose();
  }
}

/** What of a step differs from the receipt, in words. */
function differenceAt(
  { losses, grad_norms }: RunReceipt,
  step: number,
  loss: number,
  grad_norm: number | undefined,
): string | undefined {
  const wanted = losses[step - 1], norm = grad_norms[step - 1];
  if (loss !== wanted) return `step ${step} has the loss ${loss}, the receipt says ${wanted}`;
  if ((grad_norm ?? null) !== norm) {
    return `step ${step} has the grad_norm ${grad_norm}, the receipt says ${norm}`;
  }
  return undefined;
}
