/**
 * Training less than all of a model: LoRA, BitFit, rates layer by layer, new top layers.
 *
 * @module
 */
import { BerthError } from "../errors.ts";
import {
  bitfit,
  get_peft_model,
  LoraConfig,
  type PeftModel,
  reinitialize,
  type TrainableModel,
} from "../model/mod.ts";
import { parameterGroups, type TrainerOptions } from "../train/mod.ts";
import type { Task } from "./tasks/task.ts";
import type { ADAPTATION_FLAGS } from "./training_flags.ts";
import type { FlagValues } from "./flags.ts";
import { UsageError } from "./usage_error.ts";

type AdaptationSettings = FlagValues<typeof ADAPTATION_FLAGS> & { model?: string; seed?: number };

/** Heads that are trained whole beside an adapter and that PEFT has no name of a task for. */
const HEADS: Readonly<Record<string, readonly string[]>> = { "multiple-choice": ["classifier"] };

/** The adapter that is asked for; undefined if none is. */
function loraConfig(settings: AdaptationSettings, task?: Task): LoraConfig | undefined {
  const { lora_rank: r, lora_alpha, lora_dropout, lora_target, model } = settings;
  if (r === undefined) return undefined;
  const isAll = lora_target?.length === 1 && lora_target[0] === "all-linear";
  return new LoraConfig({
    ...{ r, lora_alpha: lora_alpha ?? 2 * r, lora_dropout },
    target_modules: isAll ? "all-linear" : lora_target,
    ...(task ? { task_type: task.adapter ?? null, modules_to_save: HEADS[task.name] ?? null } : {}),
    base_model_name_or_path: model,
  });
}

/**
 * Refuses settings that are out of range or contradict each other.
 *
 * @throws {UsageError} if there are such.
 */
export function checkAdaptation(settings: AdaptationSettings): void {
  const { lora_rank, layer_decay } = settings,
    refuse = (problem: string): never => {
      throw new UsageError(`Cannot ${problem} is wanted`);
    };
  for (const name of ["lora_alpha", "lora_dropout", "lora_target", "merge"] as const) {
    if (settings[name] !== undefined && lora_rank === undefined) {
      refuse(`use --${name.replaceAll("_", "-")} without LoRA: --lora-rank N`);
    }
  }
  if (lora_rank !== undefined && settings.bitfit) {
    refuse("use --lora-rank and --bitfit together: one of them");
  }
  if (layer_decay !== undefined && !(layer_decay > 0 && layer_decay <= 1)) {
    refuse(`use --layer-decay ${layer_decay}: a number above 0, 1 at most,`);
  }
  try {
    loraConfig(settings);
  } catch (error) {
    throw error instanceof BerthError ? new UsageError(error.message) : error;
  }
}

/**
 * Changes a model as the settings ask: the same for the same seed.
 *
 * @returns The adapter, if there is one.
 */
export function adapt(
  model: TrainableModel,
  settings: AdaptationSettings,
  task: Task,
): PeftModel | undefined {
  const { reinit_layers, seed = 42 } = settings;
  if (reinit_layers !== undefined) reinitialize(model, reinit_layers, { seed });
  if (settings.bitfit) bitfit(model);
  const config = loraConfig(settings, task);
  return config && get_peft_model(model, config, { seed });
}

/** The optimizer's groups, if the settings ask for others than the Trainer's. */
export function groupsOf({ layer_decay }: AdaptationSettings): Pick<TrainerOptions, "parameter_groups"> {
  if (layer_decay === undefined) return {};
  return {
    parameter_groups: (model, { learning_rate: lr, weight_decay }) =>
      parameterGroups(model, { lr, weight_decay, layer_decay }),
  };
}
