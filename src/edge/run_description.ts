/**
 * What a training run is: its examples, labels and settings, checked, as they are kept for all later requests.
 *
 * @module
 */
import { RequestError } from "../errors.ts";
import { nameMatcher } from "../model/freeze.ts";
import { type BertConfig, BertForSequenceClassification } from "../model/mod.ts";
import { formatMemory, runtime } from "../runtime/mod.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import { plan, type TrainingArguments } from "../train/mod.ts";
import { checkLabels, checkNumber, checkTexts, refuse, type ServiceLimits, show } from "./limits.ts";

/** What is trained: the classifier and pooler, these and the last layer, or everything. */
export type TrainedPart = "head" | "top" | "all";

/** What a run is begun with. */
export interface RunRequest {
  /** What to learn: texts and their labels. */
  examples: readonly { text: string; label: string }[];
  /** The labels in their order. Default: those of the examples, sorted. */
  labels?: readonly string[];
  /** Default `top`. */
  train?: TrainedPart;
  /** Passes over the examples, 1 to 100. Default 10. */
  num_train_epochs?: number;
  /** Examples of a step, 1 to 64. Default 16. */
  batch_size?: number;
  /** Default 3e-3 for `head`, 1e-3 for `top`, 2e-4 for `all`. */
  learning_rate?: number;
  /** Default 42. */
  seed?: number;
}

/** A run as it is kept. */
export interface RunDescription {
  /** Of this layout: 1. */
  version: 1;
  /** Names of the labels. */
  labels: string[];
  /** Labels by number. */
  examples: { text: string; label: number }[];
  /** Settings of the Trainer. */
  args: TrainingArguments & { seed: number };
  /** Steps of the whole run. */
  steps: number;
  /** Steps of one request. */
  slice: number;
}

const RATES: Readonly<Record<TrainedPart, number>> = { head: 3e-3, top: 1e-3, all: 2e-4 };

/** Bytes that a run's state has for each trained weight: its value and two moments. */
const STATE_BYTES = 12;
/** States in memory at once: as it was read, as it is now, and on its way to the store. */
const STATE_COPIES = 3;

/** Where a run is to fit in. */
export interface Room {
  config: BertConfig;
  tokenizer: BertTokenizer;
  limits: ServiceLimits;
  /** Operations of one request. */
  sliceFlops: number;
}

/**
 * Checks a request from outside, and finds how many of its steps a later request can make: by counting operations, as
 * clocks stand still in some places.
 *
 * @throws {RequestError} 400 if it is malformed, 413 if it is too large.
 */
export function describeRun(
  request: RunRequest,
  { config, tokenizer, limits, sliceFlops }: Room,
): RunDescription {
  if (typeof request !== "object" || request === null) {
    refuse("Cannot train: an object with examples is wanted");
  }
  const rows = request.examples;
  if (!Array.isArray(rows)) refuse("Cannot train: a list of examples is wanted");
  const texts = checkTexts(rows.map((row) => row?.text), limits.examples, limits);
  const given = rows.map((row) => row.label);
  const labels = checkLabels(request.labels ?? [...new Set(given)].sort(), limits);
  const examples = texts.map((text, i) => {
    const label = labels.indexOf(given[i]);
    if (label < 0) refuse(`Cannot train on example ${i}: its label ${show(given[i])} is none of the labels`);
    return { text, label };
  });
  const part = request.train ?? "top";
  if (!Object.hasOwn(RATES, part)) refuse(`Cannot train ${show(part)}: "head", "top" or "all" is wanted`);
  const epochs = checkNumber("num_train_epochs", request.num_train_epochs ?? 10, 1, 100);
  const batch = checkNumber("batch_size", request.batch_size ?? 16, 1, 64);
  const learning_rate = checkNumber("learning_rate", request.learning_rate ?? RATES[part], 1e-7, 1, false);
  const seed = checkNumber("seed", request.seed ?? 42, 0, Number.MAX_SAFE_INTEGER);
  const steps = epochs * Math.ceil(examples.length / batch);
  if (steps > limits.steps) {
    throw new RequestError(413, `Cannot train for ${steps} steps: at most ${limits.steps} are wanted`);
  }
  const freeze = frozenModules(part, config);
  const { input_ids } = tokenizer(texts, { truncation: true, max_length: config.max_position_embeddings });
  const lengths = input_ids.map((ids) => ids.length).sort((a, b) => b - a).slice(0, batch);
  const slice = sliceSteps(config, lengths, freeze, sliceFlops);
  return {
    ...{ version: 1, labels, examples, steps, slice },
    args: {
      ...{ freeze, learning_rate, seed, max_steps: steps, per_device_train_batch_size: batch },
      ...{ weight_decay: 0.01, warmup_ratio: 0.1, logging_steps: steps },
    },
  };
}

/** The modules that are not trained. */
function frozenModules(part: TrainedPart, { num_hidden_layers }: BertConfig): string[] {
  if (part === "all") return [];
  if (part === "head") return ["bert.embeddings", "bert.encoder"];
  const lower = Array.from({ length: num_hidden_layers - 1 }, (_, i) => `bert.encoder.layer.${i}`);
  return ["bert.embeddings", ...lower];
}

/** How many steps of a run one request makes. */
function sliceSteps(config: BertConfig, lengths: number[], freeze: string[], sliceFlops: number): number {
  const isFrozen = nameMatcher(freeze), { memoryLimit } = runtime();
  const { bytes, flops, parameters } = plan(config, {
    ...{ model: BertForSequenceClassification, lengths, threads: 1 },
    requires_grad: (name) => !isFrozen(name),
  });
  const advice = "; a smaller batch_size, shorter texts or fewer trained layers would help";
  const memory = bytes.total + STATE_COPIES * STATE_BYTES * parameters.trainable;
  if (memory > memoryLimit) {
    throw new RequestError(
      413,
      `Cannot train: a request takes ${formatMemory(memory)} of memory, ${
        formatMemory(memoryLimit)
      } are there${advice}`,
    );
  }
  const steps = Math.floor(sliceFlops / flops.step), giga = (n: number) => `${(n / 1e9).toFixed(2)}e9`;
  if (steps >= 1) return steps;
  throw new RequestError(
    413,
    `Cannot train: a step takes ${giga(flops.step)} operations, a request may take ${
      giga(sliceFlops)
    }${advice}`,
  );
}
