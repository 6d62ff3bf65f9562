/**
 * What a training or inference step of a model takes, in bytes and operations, before anything is loaded.
 *
 * @module
 */
import {
  type BertConfig,
  BertForSequenceClassification,
  type InferenceWeights,
  type PreTrainedModel,
} from "../model/mod.ts";
import { type Makeable, rehearse, type TrainingMode } from "../model/rehearsal.ts";
import { inputsOfLengths } from "../model/step_room.ts";
import { formatMemory, MEMORY_LIMIT, PaperRuntime, withRuntime } from "../runtime/mod.ts";
import { AdamW, type AdamWOptions } from "./adamw.ts";
import { sharedNeeds } from "./distributed/shared_needs.ts";

/** What {@linkcode plan} is asked about. */
export interface PlanOptions {
  /** The model's class. Default `BertForSequenceClassification`. */
  model?: new (config: BertConfig) => PreTrainedModel;
  /** B: sequences. Default 8. */
  batch_size?: number;
  /** T: tokens of each sequence. Default `max_position_embeddings`. */
  sequence_length?: number;
  /** Tokens of each sequence, instead of `batch_size` and `sequence_length`. */
  lengths?: readonly number[];
  /** False for inference. Default true. */
  training?: boolean;
  /** Changes the model before it is measured: freezes parts, adds adapters. Gets a model on paper, without values. */
  adapt?: (model: PreTrainedModel) => void;
  /** Which parameters are trained, by name. Default: all that `adapt` leaves trained. */
  requires_grad?: (name: string) => boolean;
  /** Whether activations are computed again in the backward pass. Default false. */
  gradient_checkpointing?: boolean;
  /** Options of AdamW on which memory depends; null for none. Default: those of AdamW. */
  optimizer?: Pick<AdamWOptions, "state_dtype" | "fused_backward"> | null;
  /** In inference, what is multiplied with. Default `packed`, as in `eval()`. */
  weights?: InferenceWeights;
  /** Processes that train together; the bytes are those of the rank that takes most. Default 1. */
  ranks?: number;
  /** Passes of a step on each rank; counts with `exact`. Default 1. */
  gradient_accumulation_steps?: number;
  /** As in {@linkcode TrainingArguments.exact}. Default false. */
  exact?: boolean;
  /** As in {@linkcode TrainingArguments.zero_stage}. Default 0. */
  zero_stage?: 0 | 1;
  /** Threads, the calling one included. Default: those of the backend that runs, else the machine's logical cores. */
  threads?: number;
}

/** Bytes of WASM memory at a step's peak. */
export interface PlanBytes {
  /** The parameters. */
  weights: number;
  /** Their gradients. */
  gradients: number;
  /** The optimizer's moments and tables. */
  optimizer: number;
  /** The arena: the batch, what the forward pass keeps, and the buffers of the backward pass. */
  activations: number;
  /** In inference: second copies of the weights, packed or in 8 bits. */
  copies: number;
  /** Working memory of the threads. */
  scratch: number;
  /** Output tensors, if they are read. */
  outputs: number;
  /** tfjs's module itself. */
  tfjs: number;
  /** All of these. */
  total: number;
  /** What WASM can address: 4 GiB but for one page. */
  limit: number;
}

/** Operations of matrix products, two for each multiplication and addition; all others are few. */
export interface PlanFlops {
  /** Of the forward pass. */
  forward: number;
  /** Of the backward pass, with what checkpointing computes again; 0 in inference. */
  backward: number;
  /** Both. */
  step: number;
}

/** What {@linkcode plan} finds. */
export interface Plan {
  /** The model's class. */
  model: string;
  /** Values of all parameters, and of those that are trained. */
  parameters: { total: number; trainable: number };
  /** Tokens of each sequence. */
  lengths: readonly number[];
  /** Whether it is a training step. */
  training: boolean;
  /** Threads. */
  threads: number;
  /** Bytes. */
  bytes: PlanBytes;
  /** Operations. */
  flops: PlanFlops;
  /** True if the total is within the limit. */
  fits: boolean;
}

/**
 * Finds what a step takes, by running the model's own code on a backend that only counts. Needs no backend and takes no
 * WASM memory. The bytes are those that a real step takes.
 *
 * @param config The model's shape.
 * @throws {DataError} if a sequence is longer than the model allows, {RangeError} if there is none.
 * @example
 * ```ts
 * import { BertConfig, formatPlan, plan } from "@berth/berth";
 * const bertBase = plan(new BertConfig(), { batch_size: 16, sequence_length: 128, threads: 2 });
 * console.log(bertBase.fits); // true
 * console.log(formatPlan(bertBase));
 * ```
 */
export function plan(config: BertConfig, options: PlanOptions = {}): Plan {
  const { batch_size = 8, sequence_length = config.max_position_embeddings, training = true } = options;
  const { lengths = new Array<number>(batch_size).fill(sequence_length), optimizer: settings = {} } = options;
  if (lengths.length === 0 || !lengths.every((n) => Number.isInteger(n) && n > 0)) {
    throw new RangeError(
      `Cannot plan for sequences of lengths [${lengths}]: whole numbers above 0 are wanted`,
    );
  }
  const ModelClass: Makeable = options.model ?? BertForSequenceClassification;
  const paper = new PaperRuntime(options.threads);
  const example = withRuntime(paper, () => {
    const made = new ModelClass(config);
    options.adapt?.(made as PreTrainedModel);
    return made;
  });
  const named = [...example.named_parameters()], frozen = new Set<string>();
  for (const [name, { requires_grad }] of named) if (!requires_grad) frozen.add(name);
  const trains = (name: string) => training && !frozen.has(name) && (options.requires_grad?.(name) ?? true);
  const modes = named.map(([name]): TrainingMode => trains(name) ? "trained" : "frozen");
  const inputs = inputsOfLengths(lengths);
  delete inputs.position_ids; // so that what is too long is refused
  const run = (trained: boolean) =>
    rehearse(ModelClass, config, inputs, {
      ...{ training: trained, modes, threads: paper.threads, weights: options.weights ?? "packed" },
      gradient_checkpointing: options.gradient_checkpointing ?? false,
      extensions: example.extensions,
      optimizer: trained && settings ? (parameters) => new AdamW(parameters, settings) : undefined,
    });
  const forward = run(false), needs = training ? run(true) : forward;
  const { weights, activations, copies, scratch, outputs } = needs;
  const { ranks = 1, exact = false } = options, isShared = training && (ranks > 1 || exact);
  const shared = isShared && withRuntime(paper, () => {
    named.forEach(([, parameter], i) => parameter.requires_grad = modes[i] === "trained");
    return sharedNeeds(example as PreTrainedModel, {
      ...{ ranks, exact, passes: options.gradient_accumulation_steps ?? 1 },
      ...{ isSharded: options.zero_stage === 1, state_dtype: settings?.state_dtype ?? "float32" },
    });
  });
  const parts = {
    weights,
    gradients: shared ? shared.gradients : needs.gradients,
    optimizer: shared && settings ? needs.optimizer - shared.saved : needs.optimizer,
    activations,
    copies,
    scratch,
    outputs,
    tfjs: paper.tfjsBytes,
  };
  const total = Object.values(parts).reduce((a, b) => a + b, 0), limit = MEMORY_LIMIT;
  const count = (wanted: (name: string) => boolean) =>
    named.reduce((sum, [name, { size }]) => sum + (wanted(name) ? size : 0), 0);
  return {
    ...{ model: ModelClass.name, lengths, training, threads: paper.threads, fits: total <= limit },
    parameters: { total: count(() => true), trainable: count(trains) },
    bytes: { ...parts, total, limit },
    flops: { forward: forward.flops, backward: needs.flops - forward.flops, step: needs.flops },
  };
}

/** A plan as a table for people. */
export function formatPlan(plan: Plan): string {
  const { model, parameters, lengths, training, threads, bytes, flops, fits } = plan;
  const { total, limit, ...parts } = bytes, number = (n: number) => n.toLocaleString("en-US");
  const longest = Math.max(...lengths), tokens = lengths.reduce((a, b) => a + b, 0);
  const line = (name: string, value: string) => `${name.padEnd(14)}${value.padStart(12)}`;
  const giga = (n: number) => `${number(Number((n / 1e9).toFixed(2)))} G`;
  return [
    `${model}: ${number(parameters.total)} parameters, ${number(parameters.trainable)} of them trained`,
    `${training ? "training" : "inference"} on ${lengths.length} sequences, ${
      number(tokens)
    } tokens, the longest of ` +
    `${longest}; ${threads} threads`,
    "",
    ...Object.entries(parts).filter(([, n]) => n > 0).map(([name, n]) => line(name, formatMemory(n))),
    line("total", formatMemory(total)) +
    ` of ${formatMemory(limit)}${fits ? "" : ": does not fit"}`,
    "",
    line("forward", `${giga(flops.forward)}flop`),
    ...(training
      ? [line("backward", `${giga(flops.backward)}flop`), line("step", `${giga(flops.step)}flop`)]
      : []),
  ].join("\n");
}
