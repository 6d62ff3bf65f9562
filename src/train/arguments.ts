/**
 * The settings of a training run, with transformers' names, defaults and meaning where it has them
 * (https://huggingface.co/docs/transformers/main_classes/trainer#transformers.TrainingArguments).
 *
 * @module
 */
import type { InferenceWeights, NamePattern } from "../model/mod.ts";
import type { StateDtype } from "./moments.ts";
import { SCHEDULER_TYPES, type SchedulerKwargs, type SchedulerType } from "./schedule.ts";

/** When something is done: never, every so many steps, or at the end of every epoch. */
export type IntervalStrategy = "no" | "steps" | "epoch";

/** Settings of a {@linkcode Trainer}. */
export interface TrainingArguments {
  /** The folder of the checkpoints. Default: none, and nothing is written. */
  output_dir?: string | URL;
  /** Removes the checkpoints of an earlier run from `output_dir` instead of failing. Default false. */
  overwrite_output_dir?: boolean;
  /** Passes over the training data; may be a fraction. Default 3. */
  num_train_epochs?: number;
  /** Optimizer steps in all, instead of `num_train_epochs`, if above 0. Streams need it. Default -1. */
  max_steps?: number;
  /** Examples of one forward and backward pass. Default 8. */
  per_device_train_batch_size?: number;
  /** Examples of one forward pass of an evaluation. Default 8. */
  per_device_eval_batch_size?: number;
  /**
   * Passes of each rank whose gradients add up to one step: the same step as one large batch gives. Default 1. A Trainer's
   * own `args`, checkpoints and receipts have the passes of all ranks together.
   */
  gradient_accumulation_steps?: number;
  /**
   * Adds up gradients in an order that does not depend on the number of ranks: 1, 2, 4, ... ranks give the same bits from
   * the same number of passes. Takes more memory and communication. Default false.
   */
  exact?: boolean;
  /**
   * 1: each of several ranks keeps its part of AdamW's moments alone, as ZeRO stage 1 does; the result is the same.
   * Default 0: each keeps all of them.
   */
  zero_stage?: 0 | 1;
  /** The highest learning rate. Default 5e-5. */
  learning_rate?: number;
  /** Decoupled weight decay of all parameters but biases and LayerNorms. Default 0. */
  weight_decay?: number;
  /** Decay rate of the first moment. Default 0.9. */
  adam_beta1?: number;
  /** Decay rate of the second moment. Default 0.999. */
  adam_beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  adam_epsilon?: number;
  /** `adamw_torch`: PyTorch's AdamW; `adamw_hf`: that of pytorch_transformers. Default `adamw_torch`. */
  optim?: "adamw_torch" | "adamw_hf";
  /** How AdamW's moments are stored; see {@linkcode AdamWOptions.state_dtype}. Default `float32`. */
  state_dtype?: StateDtype;
  /** Changes weights during the backward pass; needs `max_grad_norm: 0`. Default false. */
  fused_backward?: boolean;
  /** The norm that all gradients together are cut to; 0 for none. Default 1. */
  max_grad_norm?: number;
  /** How the learning rate goes. Default `linear`. */
  lr_scheduler_type?: SchedulerType;
  /** More settings of the schedule. */
  lr_scheduler_kwargs?: SchedulerKwargs;
  /** Steps of the linear warm-up; below 1, a share of all steps. Default 0. */
  warmup_steps?: number;
  /** The share of all steps that warm up, rounded up, if `warmup_steps` is 0. Default 0. */
  warmup_ratio?: number;
  /** Label smoothing of classification losses, from 0 to below 1. Default 0. */
  label_smoothing_factor?: number;
  /** A weight for each class in classification losses, as PyTorch's `weight`. Default: all 1. */
  class_weights?: readonly number[];
  /** Chooses the order of examples, the dropout masks and the masked words. Default 42. */
  seed?: number;
  /** When to evaluate. Default `no`. */
  eval_strategy?: IntervalStrategy;
  /** Steps between evaluations; below 1, a share of all steps. Default: `logging_steps`. */
  eval_steps?: number;
  /** Evaluates before the first step too. Default false. */
  eval_on_start?: boolean;
  /** What evaluations multiply with, as in `model.eval`. Default `packed`. */
  eval_weights?: InferenceWeights;
  /** When to write a checkpoint. Default `steps` if there is somewhere to write to, else `no`. */
  save_strategy?: IntervalStrategy;
  /** Steps between checkpoints; below 1, a share of all steps. Default 500. */
  save_steps?: number;
  /** Checkpoints to keep, the newest; the best so far is kept besides. Default: all. */
  save_total_limit?: number;
  /** Steps between entries of the log; below 1, a share of all steps. Default 500. */
  logging_steps?: number;
  /** Logs the first step too. Default false. */
  logging_first_step?: boolean;
  /** Ends with the weights of the best evaluation instead of the last. Default false. */
  load_best_model_at_end?: boolean;
  /** The metric of an evaluation that tells the best; `eval_` may be left out. Default `loss`. */
  metric_for_best_model?: string;
  /** Whether that metric is to be high. Default: true unless its name ends in `loss`. */
  greater_is_better?: boolean;
  /** Evaluations in a row without a better metric after which training ends; 0 for no early stopping. Default 0. */
  early_stopping_patience?: number;
  /** By how much the metric must be better to count. Default 0. */
  early_stopping_threshold?: number;
  /** Puts examples of like length into a batch. Default false. */
  group_by_length?: boolean;
  /** Leaves out the examples at an epoch's end that do not fill a batch. Default false. */
  dataloader_drop_last?: boolean;
  /** Examples from which the next one is drawn when the data is a stream; 1 keeps its order. Default 1000. */
  shuffle_buffer_size?: number;
  /** Longer texts are cut to so many tokens. Default: the tokenizer's or the model's limit. */
  max_length?: number;
  /** Keeps less from the forward pass and computes it again. Default false. */
  gradient_checkpointing?: boolean;
  /** Parameters that are not trained, as in {@linkcode freeze}: `"bert.embeddings"`, `/layer\.[0-3]\./`. Default: none. */
  freeze?: NamePattern;
  /** Single weights to follow, such as `bert.pooler.dense.weight[0][0]`: one value a step. Default: none. */
  watch?: readonly string[];
  /** Gathers no predictions in evaluations, only the loss. Default: true for heads over the whole vocabulary. */
  prediction_loss_only?: boolean;
  /** Stops before the step in which a loss or gradient is no finite number. Default true. */
  stop_on_non_finite?: boolean;
  /** SIGINT and SIGTERM end the run after its current step, with a checkpoint. Default false. */
  handle_signals?: boolean;
}

/** All settings, as a checkpoint keeps them: plain JSON. */
export type FullArguments =
  & Omit<
    Required<TrainingArguments>,
    | "output_dir"
    | "overwrite_output_dir"
    | "handle_signals"
    | "zero_stage"
    | "freeze"
    | "max_length"
    | "class_weights"
    | "save_total_limit"
    | "prediction_loss_only"
  >
  & { freeze: readonly string[] }
  & Pick<TrainingArguments, "max_length" | "class_weights" | "save_total_limit" | "prediction_loss_only">;

const DEFAULTS = {
  ...{ num_train_epochs: 3, max_steps: -1, per_device_train_batch_size: 8, per_device_eval_batch_size: 8 },
  ...{ gradient_accumulation_steps: 1, exact: false, learning_rate: 5e-5, weight_decay: 0 },
  ...{ adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, optim: "adamw_torch" },
  ...{ state_dtype: "float32", fused_backward: false, max_grad_norm: 1 },
  ...{ lr_scheduler_type: "linear", lr_scheduler_kwargs: {}, warmup_steps: 0, warmup_ratio: 0 },
  ...{ label_smoothing_factor: 0, seed: 42 },
  ...{ eval_strategy: "no", eval_on_start: false, eval_weights: "packed" },
  ...{ save_steps: 500, logging_steps: 500, logging_first_step: false },
  ...{ load_best_model_at_end: false, metric_for_best_model: "loss" },
  ...{ early_stopping_patience: 0, early_stopping_threshold: 0 },
  ...{ group_by_length: false, dataloader_drop_last: false, shuffle_buffer_size: 1000 },
  ...{ gradient_checkpointing: false, freeze: [], watch: [], stop_on_non_finite: true },
} as const;

/** Settings by what they must be. */
const COUNTS = [
  ...["per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps"] as const,
  ...["shuffle_buffer_size", "max_length", "save_total_limit"] as const,
];
const POSITIVE = ["num_train_epochs", "eval_steps", "save_steps", "logging_steps"] as const;
const FROM_ZERO = [
  ...["learning_rate", "weight_decay", "adam_epsilon", "max_grad_norm", "warmup_steps"] as const,
  ...["early_stopping_patience", "early_stopping_threshold"] as const,
];
const SHARES = ["adam_beta1", "adam_beta2", "label_smoothing_factor"] as const;
const CHOICES = {
  eval_strategy: ["no", "steps", "epoch"],
  save_strategy: ["no", "steps", "epoch"],
  optim: ["adamw_torch", "adamw_hf"],
  lr_scheduler_type: SCHEDULER_TYPES,
} as const;

/**
 * Fills in the defaults.
 *
 * @param canSave Whether there is somewhere to write checkpoints to.
 * @param ranks The number of ranks, by which `gradient_accumulation_steps` is multiplied.
 * @throws {RangeError} if a setting is unknown, out of range, or contradicts another.
 */
export function fullArguments(given: TrainingArguments, canSave: boolean, ranks = 1): FullArguments {
  const { output_dir: _, overwrite_output_dir: _o, handle_signals: _s, zero_stage = 0, ...own } = given;
  if (zero_stage !== 0 && zero_stage !== 1) {
    throw new RangeError(`Cannot train with zero_stage ${JSON.stringify(zero_stage)}: 0 or 1 is wanted`);
  }
  const set = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const args = {
    ...{ ...DEFAULTS, save_strategy: canSave ? "steps" : "no", ...set },
    freeze: [given.freeze ?? []].flat().map((pattern) =>
      typeof pattern === "string" ? pattern : String(pattern)
    ),
  } as unknown as FullArguments;
  args.eval_steps ??= args.logging_steps;
  args.gradient_accumulation_steps *= ranks;
  args.greater_is_better ??= !args.metric_for_best_model.endsWith("loss");
  check(args);
  if (args.save_strategy !== "no" && !canSave) {
    throw new RangeError(`Cannot use save_strategy "${args.save_strategy}" without output_dir or a store`);
  }
  return args;
}

/**
 * The `gradient_accumulation_steps` of each rank.
 *
 * @param passes Those of all ranks together.
 * @throws {RangeError} if they cannot be shared evenly.
 */
export function passesOfRank(passes: number, ranks: number): number {
  if (passes % ranks === 0) return passes / ranks;
  throw new RangeError(
    `Cannot share the ${passes} passes of a step among ${ranks} ranks: a divisor of ${passes} is wanted`,
  );
}

/** A pattern of names from its text. */
export function patternOf(text: string): string | RegExp {
  const [, source, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  return source === undefined ? text : new RegExp(source, flags);
}

function check(args: FullArguments): void {
  const refuse = (name: string, value: unknown, wanted: string): never => {
    throw new RangeError(`Cannot train with ${name} ${JSON.stringify(value)}: ${wanted} is wanted`);
  };
  const values = args as unknown as Record<string, number>;
  const known = [...Object.keys(DEFAULTS), ...COUNTS, ...POSITIVE, ...Object.keys(CHOICES)];
  for (const name of Object.keys(args)) {
    if (![...known, "greater_is_better", "class_weights", "prediction_loss_only"].includes(name)) {
      throw new RangeError(`Cannot train with "${name}": there is no such argument`);
    }
  }
  const each = (names: readonly string[], fits: (value: number) => boolean, wanted: string) => {
    for (const name of names) {
      if (values[name] !== undefined && !fits(values[name])) refuse(name, values[name], wanted);
    }
  };
  each(COUNTS, (value) => Number.isSafeInteger(value) && value > 0, "a whole number above 0");
  each(["max_steps"], Number.isSafeInteger, "a whole number");
  each(["seed"], (value) => Number.isSafeInteger(value) && value >= 0, "a whole number from 0 to 2^53 - 1");
  each(POSITIVE, (value) => value > 0 && value < Infinity, "a number above 0");
  each(FROM_ZERO, (value) => value >= 0 && value < Infinity, "a number from 0 on");
  each(SHARES, (value) => value >= 0 && value < 1, "a number from 0 to below 1");
  each(["warmup_ratio"], (value) => value >= 0 && value <= 1, "a number from 0 to 1");
  for (const [name, choices] of Object.entries(CHOICES)) {
    if (!(choices as readonly unknown[]).includes(values[name])) {
      refuse(name, values[name], `one of ${choices.join(", ")}`);
    }
  }
  const needsEvaluations = args.load_best_model_at_end
    ? "load_best_model_at_end"
    : args.early_stopping_patience > 0
    ? "early_stopping_patience"
    : undefined;
  if (needsEvaluations && args.eval_strategy === "no") {
    refuse("eval_strategy", "no", `"steps" or "epoch", for ${needsEvaluations},`);
  }
  if (args.fused_backward && (args.max_grad_norm > 0 || args.gradient_accumulation_steps > 1 || args.exact)) {
    throw new RangeError(
      "Cannot train with fused_backward: it keeps no gradients, so max_grad_norm 0, gradient_accumulation_steps 1 and " +
        "one rank, without exact, are wanted",
    );
  }
}

/** Models whose loss takes class weights, and those whose loss takes label smoothing too. */
const WEIGHTED = /(Sequence|Token)Classification$/, SMOOTHED = /Classification$|MaskedLM$|MultipleChoice$/;

/**
 * What a model's forward pass is given besides the batch.
 *
 * @throws {RangeError} if its loss does not take it.
 */
export function lossOptions(
  typeName: string,
  { label_smoothing_factor, class_weights }: FullArguments,
): { label_smoothing?: number; class_weights?: readonly number[] } {
  const refuse = (name: string): never => {
    throw new RangeError(`Cannot train a ${typeName} with ${name}: its loss has no such setting`);
  };
  if (class_weights && !WEIGHTED.test(typeName)) refuse("class_weights");
  if (label_smoothing_factor > 0 && !SMOOTHED.test(typeName)) refuse("label_smoothing_factor");
  return {
    ...(label_smoothing_factor > 0 ? { label_smoothing: label_smoothing_factor } : {}),
    ...(class_weights ? { class_weights } : {}),
  };
}

/** Steps between events: a share of all steps if below 1. */
export function interval(steps: number, max_steps: number): number {
  return steps < 1 ? Math.max(1, Math.ceil(max_steps * steps)) : Math.round(steps);
}

/** Steps of the warm-up. */
export function warmupSteps({ warmup_steps, warmup_ratio }: FullArguments, max_steps: number): number {
  if (warmup_steps >= 1) return Math.floor(warmup_steps);
  return Math.ceil(max_steps * (warmup_steps > 0 ? warmup_steps : warmup_ratio));
}
