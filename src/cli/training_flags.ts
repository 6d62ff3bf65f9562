/**
 * The flags of `berth train`: what is trained on what, and transformers' TrainingArguments, each by its own name.
 *
 * @module
 */
import { SCHEDULER_TYPES } from "../train/schedule.ts";
import type { TrainingArguments } from "../train/mod.ts";
import { MODEL_FLAGS, RUNTIME_FLAGS } from "./command.ts";
import { TASK_NAMES } from "./tasks/names.ts";
import type { Flag, Flags, FlagValues } from "./flags.ts";

/** How files of examples are read. */
export const DATA_FLAGS = {
  task: {
    ...{ kind: "text", value: "NAME", choices: TASK_NAMES },
    help: "what is learned; default: told by the file, else by the model",
  },
  text: {
    kind: "text",
    value: "COLUMN",
    help: "the column of the text or words; default: found by its name",
  },
  text_pair: { kind: "text", value: "COLUMN", help: "the column of the second text of a pair" },
  label: {
    kind: "text",
    value: "COLUMN",
    help: "the column of the label or tags; default: found by its name",
  },
  label_separator: {
    kind: "text",
    value: "TEXT",
    help: "stands between several labels of one text, such as |",
  },
  problem_type: {
    kind: "text",
    value: "NAME",
    choices: ["single_label_classification", "multi_label_classification", "regression"],
    help: "text-classification: the kind of labels; default: found by the labels",
  },
  format: {
    kind: "text",
    value: "NAME",
    choices: ["csv", "tsv", "jsonl", "json", "parquet", "conll", "text"],
    help: "of the files: csv, tsv, jsonl, json, parquet, conll, text; default: by name and content",
  },
  column_names: {
    kind: "names",
    help: "of a CSV or TSV file without a header line; default: its first line",
  },
  delimiter: { kind: "text", value: "CHARACTER", help: "between fields of CSV and TSV; default: found" },
  doc_stride: { kind: "number", help: "question-answering: tokens that two windows of a context share; 128" },
  mlm_probability: { kind: "number", help: "fill-mask: the share of tokens that is masked; 0.15" },
  whole_word_mask: { kind: "switch", help: "fill-mask: masks whole words" },
} as const satisfies Flags;

const INTERVALS = ["no", "steps", "epoch"] as const;

type ArgumentName = Exclude<keyof TrainingArguments, "output_dir" | "handle_signals">;

/** TrainingArguments but for the folder, which is `--out`, and signals, which the program always heeds. */
export const ARGUMENT_FLAGS = {
  overwrite_output_dir: { kind: "switch", help: "removes the checkpoints of an earlier run" },
  num_train_epochs: { kind: "number", help: "passes over the training data; 3, up to 10 of few examples" },
  max_steps: { kind: "number", help: "optimizer steps in all, instead of epochs" },
  per_device_train_batch_size: { kind: "number", help: "examples of a pass; 32, of few examples 16" },
  per_device_eval_batch_size: { kind: "number", help: "examples of a pass of an evaluation; 32" },
  gradient_accumulation_steps: { kind: "number", help: "passes of one step, of each rank; 1" },
  exact: { kind: "switch", help: "the same bits on 1, 2, 4, ... ranks" },
  zero_stage: { kind: "number", help: "1: each rank keeps its part of AdamW's moments alone; 0" },
  learning_rate: { kind: "number", help: "the highest learning rate; 5e-5, of narrow models or LoRA more" },
  weight_decay: { kind: "number", help: "of all but biases and LayerNorms; 0.01" },
  adam_beta1: { kind: "number", help: "decay of the first moment; 0.9" },
  adam_beta2: { kind: "number", help: "decay of the second moment; 0.999" },
  adam_epsilon: { kind: "number", help: "added to the root of the second moment; 1e-8" },
  optim: {
    ...{ kind: "text", value: "NAME", choices: ["adamw_torch", "adamw_hf"] },
    help: "adamw_torch (PyTorch's) or adamw_hf (pytorch_transformers')",
  },
  state_dtype: {
    ...{ kind: "text", value: "NAME", choices: ["float32", "bfloat16", "int8"] },
    help: "how AdamW's moments are kept: float32, bfloat16, int8",
  },
  fused_backward: {
    kind: "switch",
    help: "changes weights during the backward pass; needs --max-grad-norm 0",
  },
  max_grad_norm: { kind: "number", help: "the norm that gradients are cut to, 0 for none; 1" },
  lr_scheduler_type: {
    ...{ kind: "text", value: "NAME", choices: SCHEDULER_TYPES },
    help: "how the learning rate goes; linear",
  },
  lr_scheduler_kwargs: { kind: "json", help: "more settings of the schedule" },
  warmup_steps: { kind: "number", help: "steps of the warm-up; below 1 a share of all steps" },
  warmup_ratio: { kind: "number", help: "the share of steps that warm up; 0.1" },
  label_smoothing_factor: { kind: "number", help: "from 0 to below 1; 0" },
  class_weights: { kind: "numbers", help: "a weight for each class" },
  seed: { kind: "number", help: "of the order, dropout and new weights; 42" },
  eval_strategy: {
    ...{ kind: "text", value: "WHEN", choices: INTERVALS },
    help: "no, steps or epoch; epoch if there is something to evaluate on",
  },
  eval_steps: { kind: "number", help: "steps between evaluations" },
  eval_on_start: { kind: "switch", help: "evaluates before the first step too" },
  eval_weights: {
    ...{ kind: "text", value: "FORM", choices: ["packed", "plain", "int8"] },
    help: "what evaluations multiply with: packed, plain, int8",
  },
  save_strategy: {
    kind: "text",
    value: "WHEN",
    choices: INTERVALS,
    help: "no, steps or epoch; epoch, or steps with --save-steps",
  },
  save_steps: { kind: "number", help: "steps between checkpoints" },
  save_total_limit: { kind: "number", help: "checkpoints to keep, and the best; 2" },
  logging_steps: { kind: "number", help: "steps between entries of the log; 500" },
  logging_first_step: { kind: "switch", help: "logs the first step too" },
  load_best_model_at_end: { kind: "switch", help: "ends with the weights of the best evaluation" },
  metric_for_best_model: { kind: "text", value: "NAME", help: "the metric that tells the best; loss" },
  greater_is_better: { kind: "switch", help: "whether that metric is to be high" },
  early_stopping_patience: {
    kind: "number",
    help: "evaluations without a better one after which training ends",
  },
  early_stopping_threshold: { kind: "number", help: "by how much the metric must be better" },
  group_by_length: { kind: "switch", help: "puts examples of like length into a batch" },
  dataloader_drop_last: { kind: "switch", help: "leaves out examples that do not fill a batch" },
  shuffle_buffer_size: {
    kind: "number",
    alias: "shuffle_buffer",
    help: "examples from which a stream's next one is drawn; 1000",
  },
  max_length: { kind: "number", help: "tokens at which texts are cut; the model's limit" },
  gradient_checkpointing: { kind: "switch", help: "keeps less memory and computes again" },
  freeze: {
    kind: "list",
    value: "NAME",
    help: "parameters not to train, a name or /pattern/; may be repeated",
  },
  watch: {
    kind: "list",
    value: "NAME",
    help: "a weight to follow, as bert.pooler.dense.weight[0][0]; may be repeated",
  },
  prediction_loss_only: { kind: "switch", help: "evaluations give the loss only" },
  stop_on_non_finite: { kind: "switch", help: "stops before a step that is not finite; on" },
} as const satisfies Readonly<Record<ArgumentName, Flag>>;

/** What of a model is trained. */
export const ADAPTATION_FLAGS = {
  lora_rank: {
    kind: "number",
    help: "trains LoRA matrices of this rank and the head; writes adapter/ for PEFT",
  },
  lora_alpha: { kind: "number", help: "LoRA's product is scaled by alpha / rank; twice the rank" },
  lora_dropout: { kind: "number", help: "dropout before LoRA's matrices; 0" },
  lora_target: {
    kind: "names",
    help: "modules that get LoRA, by the ends of their names, or all-linear; query,value",
  },
  merge: { kind: "switch", help: "writes model/ too, with LoRA merged into the weights; on" },
  bitfit: { kind: "switch", help: "trains biases and the head only" },
  layer_decay: { kind: "number", help: "each layer learns by this factor less than the one above it" },
  reinit_layers: { kind: "number", help: "draws so many of the top layers anew" },
} as const satisfies Flags;

/** All flags that describe a run; the names of run.json. */
export const RUN_FLAGS = {
  ...MODEL_FLAGS,
  train: {
    kind: "text",
    value: "FILE",
    help: "training examples: CSV, TSV, JSONL, JSON, Parquet, CoNLL, SQuAD, text, URL, hf://datasets/..., -",
  },
  eval: { kind: "text", value: "FILE", help: "examples of the evaluations during the run" },
  test: { kind: "text", value: "FILE", help: "examples of the test at the end" },
  eval_size: {
    kind: "number",
    value: "SHARE",
    help: "puts a share (or number) of the training examples aside for eval; 0.1 without --eval and --test",
  },
  folds: {
    kind: "number",
    help: "cuts --train into so many parts, and trains once without each, into fold-N/",
  },
  fold: { kind: "number", help: "of --folds only this run, from 1 on" },
  stream: {
    kind: "switch",
    help: "reads --train while it trains, so that it need not fit into memory; needs --max-steps",
  },
  out: {
    ...{ kind: "text", value: "FOLDER", short: "o", alias: "output_dir" },
    help: "where model, report, metrics, receipt and checkpoints go; out/run",
  },
  ...DATA_FLAGS,
  label_names: { kind: "names", help: "names of the classes 0, 1, ... where the file has numbers" },
  report_to: {
    ...{ kind: "names", choices: ["tensorboard", "none"] },
    help: "where numbers go as they come: tensorboard (event files in --out), none; tensorboard",
  },
  baseline: {
    kind: "switch",
    help: "trains TF-IDF with logistic regression too, for the report's comparison; on",
  },
  explain: {
    kind: "switch",
    help: "shows in the report which words speak for the hardest answers; on",
  },
  balanced: { kind: "switch", help: "weighs the classes so that each counts as much" },
  ...ADAPTATION_FLAGS,
  ...RUNTIME_FLAGS,
  ...ARGUMENT_FLAGS,
} as const satisfies Flags;

/** What describes a run. */
export type RunSettings = FlagValues<typeof RUN_FLAGS>;
