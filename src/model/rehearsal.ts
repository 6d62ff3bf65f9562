/**
 * What a step takes, found by running the model's own code on a backend that only counts. The numbers are those of the
 * real step, because both are made by the same lines.
 *
 * @module
 */
import { isShallow, matMulUpdate, PaperRuntime, type Runtime, runtime, withRuntime } from "../runtime/mod.ts";
import type { BertConfig } from "./config.ts";
import type { BertInputs } from "./batch.ts";
import type { Extensible, ModelExtension } from "./extension.ts";
import type { Parameter, ParameterOptimizer } from "./parameter.ts";
import type { InferenceWeights } from "./weight_copy.ts";

/** How a parameter is trained: not at all, with a gradient that is kept, or by a fused optimizer. */
export type TrainingMode = "frozen" | "trained" | "fused";

/** What a step's memory depends on beside the batch. */
export interface RehearsalOptions {
  training: boolean;
  gradient_checkpointing: boolean;
  /** In eval mode, what is multiplied with. */
  weights: InferenceWeights;
  /** Of each parameter, in the model's order; default: all trained. */
  modes?: readonly TrainingMode[];
  /** The `run` of the fused optimizer. */
  fusedRun?: number;
  /** What was added to the model. */
  extensions?: readonly ModelExtension[];
  /** More inputs of `forward`, such as `output_hidden_states`. */
  inputs?: object;
  threads?: number;
  /** Makes an optimizer, which steps on paper too. */
  optimizer?: (parameters: Parameter[]) => { step(): void };
}

/** What a step takes, in bytes and operations. */
export interface StepNeeds {
  /** Values of the parameters, and a byte for each row of an embedding. */
  weights: number;
  gradients: number;
  /** What the optimizer took, if there was one. */
  optimizer: number;
  /** Second copies of the weights for inference. */
  copies: number;
  /** The arena at its fullest. */
  activations: number;
  /** Of all threads together. */
  scratch: number;
  /** Output tensors. */
  outputs: number;
  /** Operations of all matrix products. */
  flops: number;
}

/** A fused optimizer on paper: it takes gradients and holds nothing. */
function paperOptimizer(run: number): ParameterOptimizer {
  return {
    ...{ fused: true, run, missingBytes: () => 0, checkBackward: () => {}, update: () => {} },
    updateByProduct: ({ shape: [outputs, inputs] }, dy, x, n) => {
      if (!isShallow(n)) return false;
      const nowhere = { p: 0, first_moment: 0, second_moment: 0, group: 0, state: 0, first: 0 };
      matMulUpdate(runtime(), { a: dy, b: x, m: outputs, n: inputs, k: n }, { ...nowhere, run });
      return true;
    },
  };
}

/** A model as far as its steps go. */
export interface SteppingModel extends Extensible {
  readonly config: BertConfig;
  readonly runtime: Runtime;
  readonly training: boolean;
  readonly is_gradient_checkpointing: boolean;
  train(): unknown;
  eval(options: { weights: InferenceWeights }): unknown;
  gradient_checkpointing_enable(): void;
  rehearse(inputs: BertInputs): void;
}

/** A model class as far as making one goes. */
export interface Makeable<T = SteppingModel> {
  new (config: BertConfig): T;
}

/** Bytes that a model's weights take. */
export function weightBytes(ModelClass: Makeable<unknown>, config: BertConfig): number {
  const paper = new PaperRuntime(1), before = paper.heap.bytesInUse;
  withRuntime(paper, () => new ModelClass(config));
  return paper.tensorBytes + paper.heap.bytesInUse - before;
}

/** Runs one step on paper. */
export function rehearse(
  ModelClass: Makeable,
  config: BertConfig,
  inputs: BertInputs,
  options: RehearsalOptions,
): StepNeeds {
  const paper = new PaperRuntime(options.threads), { heap, pool } = paper, empty = heap.bytesInUse;
  return withRuntime(paper, () => {
    const model = new ModelClass(config);
    for (const extension of options.extensions ?? []) extension.addTo(model);
    const parameters = model.parameters();
    const fixed = heap.bytesInUse - empty, weights = paper.tensorBytes;
    const fused = paperOptimizer(options.fusedRun ?? 1);
    parameters.forEach((parameter, i) => {
      const mode = options.modes?.[i] ?? "trained";
      parameter.requires_grad = mode !== "frozen";
      if (mode === "fused") parameter.optimizer = fused;
    });
    if (options.gradient_checkpointing) model.gradient_checkpointing_enable();
    if (options.training) model.train();
    else model.eval({ weights: options.weights });
    const optimizer = options.optimizer?.(parameters);
    model.rehearse({ ...inputs, ...options.inputs });
    optimizer?.step();
    const { arena, flops } = paper, outputs = paper.tensorBytes - weights;
    const scratch = pool.scratchBytes * pool.threads;
    const gradients = parameters.reduce((sum, parameter) => sum + parameter.gradientBytes, 0);
    const rest = heap.bytesInUse - arena.capacity - scratch - fixed - gradients;
    return {
      ...{ weights: weights + fixed, gradients, activations: arena.peak, scratch, outputs, flops },
      ...(optimizer ? { optimizer: rest, copies: 0 } : { optimizer: 0, copies: rest }),
    };
  });
}
