/**
 * A run's settings: from flags and files, checked, and as the Trainer takes them.
 *
 * @module
 */
import { fullArguments } from "../train/arguments.ts";
import type { TrainingArguments } from "../train/mod.ts";
import { checkAdaptation } from "./adaptation.ts";
import { required } from "./models.ts";
import type { Flags, FlagValues } from "./flags.ts";
import { readRunFile } from "./run_file.ts";
import { ARGUMENT_FLAGS, RUN_FLAGS, type RunSettings } from "./training_flags.ts";
import { UsageError } from "./usage_error.ts";

/** Flags of commands that make runs. */
export const CONFIG_FLAGS = {
  config: {
    kind: "text",
    value: "FILE",
    help: "a file with such settings (berth schema); flags go before it",
  },
  ...RUN_FLAGS,
} as const satisfies Flags;

/** Settings with what a run must have. */
export type FullSettings = RunSettings & { model: string; train: string; out: string };

/**
 * The settings of a run: those of the file that the flags name, and the flags.
 *
 * @throws {UsageError} if something is missing, out of range, or contradicts another setting.
 */
export async function settingsOf(values: FlagValues<typeof CONFIG_FLAGS>): Promise<FullSettings> {
  const own = Object.entries(values).filter(([name, value]) =>
    Object.hasOwn(RUN_FLAGS, name) && value !== undefined
  );
  const file = values.config === undefined ? {} : await readRunFile(values.config);
  return completedSettings({ ...file, ...Object.fromEntries(own) });
}

/**
 * Fills in what was left out.
 *
 * @throws {UsageError} if something is missing, out of range, or contradicts another setting.
 */
function completedSettings(settings: RunSettings): FullSettings {
  const train = required(settings.train, "--train FILE, the training examples");
  const refuseBoth = (one: keyof RunSettings, other: keyof RunSettings) => {
    if (!settings[one] || !settings[other]) return;
    const [a, b] = [one, other].map((name) => `--${name.replaceAll("_", "-")}`);
    throw new UsageError(`Cannot use ${a} and ${b} together: one of them is wanted`);
  };
  refuseBoth("eval", "eval_size");
  refuseBoth("balanced", "class_weights");
  for (const name of ["eval", "eval_size", "stream"] as const) refuseBoth("folds", name);
  checkFolds(settings);
  for (const name of ["eval_size", "balanced", "group_by_length"] as const) refuseBoth("stream", name);
  if (settings.stream && !((settings.max_steps ?? 0) > 0)) {
    throw new UsageError("Cannot use --stream without --max-steps N: the length of the file is not known");
  }
  const full = { ...settings, train, model: settings.model ?? "berth-tiny", out: settings.out ?? "out/run" };
  checkArguments(argumentsOf(full, false));
  checkAdaptation(full);
  return full;
}

function checkFolds({ folds, fold }: RunSettings): void {
  const isCount = (value: number) => Number.isInteger(value) && value > 0;
  if (folds !== undefined && !(isCount(folds) && folds > 1)) {
    throw new UsageError(`Cannot use --folds ${folds}: a whole number above 1 is wanted`);
  }
  if (fold !== undefined && !(isCount(fold) && fold <= (folds ?? 0))) {
    throw new UsageError(`Cannot use --fold ${fold}: a whole number from 1 to --folds is wanted`);
  }
}

/** The Trainer's arguments. @param evaluates Whether there is something to evaluate on. */
export function argumentsOf(settings: FullSettings, evaluates: boolean): TrainingArguments {
  const given = Object.keys(ARGUMENT_FLAGS).map((name) => [name, settings[name as keyof RunSettings]]);
  const args = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as TrainingArguments;
  const interval = settings.stream ? "steps" : "epoch"; // an epoch of a stream may never end
  return {
    ...(evaluates ? { eval_strategy: interval } : {}),
    ...(args.save_steps === undefined ? { save_strategy: interval } : {}),
    ...{ save_total_limit: 2, ...args, output_dir: settings.out },
  };
}

/** Refuses wrong arguments before anything is loaded. */
function checkArguments(args: TrainingArguments): void {
  try {
    fullArguments({ ...args, eval_strategy: args.eval_strategy ?? "epoch" }, true);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}
