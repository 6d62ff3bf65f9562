/**
 * Settings that nobody gave: chosen by the size of the model and the number of examples, so that a first run does well.
 *
 * @module
 */
import type { RunSettings } from "./training_flags.ts";

/** What the choice depends on. */
export interface RunSize {
  /** Training examples as the Trainer takes them; undefined for a stream. */
  readonly rows: number | undefined;
  /** The width of the model. */
  readonly hidden_size: number;
}

/** Few examples come so often that there are about so many steps, within the limits of epochs. */
const WANTED_STEPS = 300, LEAST_EPOCHS = 3, MOST_EPOCHS = 10;

/** Data sets with fewer rows take the smaller batches. */
const FEW_ROWS = 2000;

/** The highest learning rates by the width of the model, as such models are fine-tuned; narrow ones take higher ones. */
const RATES: readonly [width: number, rate: number][] = [[128, 5e-4], [256, 2e-4], [Infinity, 5e-5]];

/** Adapters and biases begin near zero and have few weights: they take higher rates. */
const FEW_WEIGHTS_FACTOR = 10, HIGHEST_RATE = 1e-3;

/** The share of training examples that is put aside, and from how many examples on. */
const EVAL_SHARE = 0.1, LEAST_FOR_EVAL = 50;

/** Settings that were chosen, and a sentence about them. */
export interface ChosenSettings {
  readonly settings: RunSettings;
  /** Empty if all were given. */
  readonly note: string;
}

/** Chooses what was not given. */
export function chooseSettings(given: RunSettings, { rows, hidden_size }: RunSize): ChosenSettings {
  const rate = RATES.find(([width]) => hidden_size <= width)![1];
  const trainsFew = given.lora_rank !== undefined || given.bitfit;
  const batch = given.per_device_train_batch_size ?? (rows !== undefined && rows < FEW_ROWS ? 16 : 32);
  const perEpoch = Math.ceil((rows ?? 0) / (batch * (given.gradient_accumulation_steps ?? 1)));
  const epochs = Math.min(
    MOST_EPOCHS,
    Math.max(LEAST_EPOCHS, Math.ceil(WANTED_STEPS / Math.max(1, perEpoch))),
  );
  const chosen: RunSettings = {
    learning_rate: trainsFew ? Math.min(HIGHEST_RATE, FEW_WEIGHTS_FACTOR * rate) : rate,
    per_device_train_batch_size: batch,
    per_device_eval_batch_size: 32,
    ...(given.max_steps === undefined ? { num_train_epochs: epochs } : {}),
    ...(given.warmup_steps === undefined ? { warmup_ratio: 0.1 } : {}),
    weight_decay: 0.01,
  };
  const open = Object.entries(chosen).filter(([name]) => given[name as keyof RunSettings] === undefined);
  const words: Record<string, string> = {
    learning_rate: `learning rate ${chosen.learning_rate!.toExponential()}`,
    per_device_train_batch_size: `batches of ${batch}`,
    num_train_epochs: `${epochs} epochs`,
    warmup_ratio: "a warm-up of 10 % of the steps",
    weight_decay: "weight decay 0.01",
  };
  const told = open.flatMap(([name]) => words[name] ?? []);
  return {
    settings: { ...given, ...Object.fromEntries(open) },
    note: told.length > 0 ? `chosen, as no flag says otherwise: ${told.join(", ")}` : "",
  };
}

/** The share or number of training examples to put aside; 0 for none. */
export function evalSizeOf(
  { eval: other, test, eval_size, eval_strategy }: RunSettings,
  count: number,
): number {
  if (eval_size !== undefined) return eval_size;
  const isWanted = other === undefined && test === undefined && eval_strategy !== "no";
  return isWanted && count >= LEAST_FOR_EVAL ? EVAL_SHARE : 0;
}
