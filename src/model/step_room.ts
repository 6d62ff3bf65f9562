/**
 * Sees to it that a step fits before anything is allocated for it, and gives it its room at once.
 *
 * @module
 */
import { MemoryError } from "../errors.ts";
import { type Arena, formatMemory, PaperRuntime, type Runtime, runtime } from "../runtime/mod.ts";
import type { BatchSizes, BatchTables, BertInputs } from "./batch.ts";
import type { BertConfig } from "./config.ts";
import { Linear } from "./layers.ts";
import {
  type Makeable,
  rehearse,
  type StepNeeds,
  type SteppingModel,
  type TrainingMode,
  weightBytes,
} from "./rehearsal.ts";
import type { InferenceWeights } from "./weight_copy.ts";

/**
 * Fails if a model's weights do not fit.
 *
 * @throws {MemoryError} with the numbers.
 */
export function checkWeights(ModelClass: Makeable<unknown>, config: BertConfig): void {
  const needed = weightBytes(ModelClass, config), { freeBytes: free, memoryLimit } = runtime();
  if (needed <= free) return;
  throw new MemoryError(
    `Cannot make a ${ModelClass.name}: its weights take ${formatMemory(needed)}, and ${
      formatMemory(free)
    } of the ` +
      `${formatMemory(memoryLimit)} that may be in use are free; a smaller model is wanted`,
    needed,
    free,
  );
}

/** Inputs of sequences of these lengths, that mean nothing. */
export function inputsOfLengths(
  lengths: readonly number[],
  width: number = Math.max(...lengths),
): BertInputs {
  const input_ids = lengths.map((length) => new Array<number>(length).fill(0));
  if (Math.max(...lengths) === width) return { input_ids, position_ids: input_ids };
  // One row is as wide as the padded batch.
  const attention_mask = input_ids.map((row) => row.map(() => 1));
  const padding = new Array<number>(width - lengths[0]).fill(0);
  input_ids[0].push(...padding);
  attention_mask[0].push(...padding);
  return { input_ids, position_ids: input_ids, attention_mask };
}

/** What a step's room depends on; `labelled`: the tokens that a head scores. */
type StepSizes = BatchSizes & { readonly labelled: number };

/** The room of one model's steps. */
export class StepRoom {
  readonly #model: SteppingModel;
  readonly #arena: Arena;
  /** What the known batches' needs hold for. */
  #key = "";
  /** Batches that there is room for; others that are no larger in anything fit too. */
  #known: StepSizes[] = [];

  constructor(model: SteppingModel, arena: Arena) {
    this.#model = model;
    this.#arena = arena;
  }

  /**
   * Makes room for a step; does nothing if as large a batch went before.
   *
   * @param weights What a pass in eval mode multiplies with.
   * @param inputs More inputs of `forward` on which memory depends.
   * @throws {MemoryError} if it does not fit. Nothing was allocated then.
   */
  reserve(batch: BatchTables & StepSizes, weights: InferenceWeights, inputs: object): void {
    const model = this.#model, own = model.runtime;
    if (own instanceof PaperRuntime) return;
    const { training, is_gradient_checkpointing: gradient_checkpointing } = model;
    const modes = model.parameters().map((parameter): TrainingMode =>
      !parameter.requires_grad ? "frozen" : parameter.isFused ? "fused" : "trained"
    );
    const fusedRun = Math.max(1, ...model.parameters().map((p) => p.isFused ? p.optimizer!.run : 1));
    const key = JSON.stringify([fusedRun, training, gradient_checkpointing, weights, inputs, modes.join()]);
    if (key !== this.#key) this.#known = [];
    this.#key = key;
    if (this.#known.some((other) => covers(other, batch))) return;
    const { extensions } = model, { labelled } = batch, more = { ...inputs, labelled };
    const options = { training, gradient_checkpointing, modes, fusedRun, inputs: more, weights, extensions };
    const run = (count: number, checkpointing = gradient_checkpointing) => {
      const some = inputsOfLengths(batch.lengths.slice(0, count), batch.width);
      const own = { ...options, gradient_checkpointing: checkpointing, threads: model.runtime.threads };
      return rehearse(model.constructor as Makeable, model.config, some, own);
    };
    const needs = run(batch.size), missing = this.#missing(needs);
    if (missing.total > own.freeBytes) {
      const advice: string[] = [];
      const suggest = (what: string, other: StepNeeds) =>
        advice.push(`${what} (${formatMemory(this.#missing(other).total)})`);
      if (training && !gradient_checkpointing) {
        suggest("gradient_checkpointing_enable()", run(batch.size, true));
      }
      if (batch.size > 1) suggest("half as many sequences", run(batch.size >> 1));
      if (missing["copies of weights"] > 0) advice.push('eval({ weights: "int8" }) or "plain"');
      if (missing.optimizer > 0) advice.push('AdamW with state_dtype "bfloat16" or "int8"');
      throw tooLarge(batch, training, missing, own, advice);
    }
    own.needScratch(needs.scratch / own.threads);
    this.#arena.reserve(needs.activations);
    const { size, width, rows, longest, unitCount } = batch,
      sizes = { size, width, rows, longest, unitCount, labelled };
    this.#known = [...this.#known.filter((other) => !covers(sizes, other)), sizes];
  }

  /** Bytes that a step takes beyond those that the model holds. */
  #missing({ activations, scratch, copies }: StepNeeds) {
    const { runtime, training } = this.#model;
    let gradients = 0, optimizer = 0;
    for (const parameter of training ? this.#model.parameters() : []) {
      if (!parameter.requires_grad) continue;
      if (!parameter.isFused) gradients += parameter.size * 4 - parameter.gradientBytes;
      optimizer += parameter.optimizer?.missingBytes(parameter) ?? 0;
    }
    let held = 0;
    for (const module of this.#model.modules()) if (module instanceof Linear) held += module.copyBytes;
    const parts = {
      ...{ activations: Math.max(0, activations - this.#arena.capacity), gradients, optimizer },
      scratch: Math.max(0, scratch - runtime.pool.scratchBytes * runtime.threads),
      "copies of weights": Math.max(0, copies - held),
    };
    return { ...parts, total: Object.values(parts).reduce((a, b) => a + b, 0) };
  }
}

/** True if a batch of sizes `a` has room for one of sizes `b`. */
function covers(a: StepSizes, b: StepSizes): boolean {
  return a.size >= b.size && a.width >= b.width && a.rows >= b.rows && a.longest >= b.longest &&
    a.unitCount >= b.unitCount && a.labelled >= b.labelled;
}

function tooLarge(
  batch: BatchSizes,
  training: boolean,
  { total, ...parts }: Record<string, number>,
  { freeBytes: free, memoryLimit }: Runtime,
  advice: string[],
): MemoryError {
  const { size, longest, rows } = batch, doing = training ? "train on" : "run";
  const list = Object.entries(parts).filter(([, bytes]) => bytes > 0).map(([name, bytes]) =>
    `${name} ${formatMemory(bytes)}`
  );
  return new MemoryError(
    `Cannot ${doing} a batch of ${size} sequences (${rows} tokens, the longest of ${longest}): it takes ` +
      `${formatMemory(total)} more (${list.join(", ")}), and ${formatMemory(free)} of ` +
      `${formatMemory(memoryLimit)} are free` +
      (advice.length > 0 ? `. What would help: ${advice.join(", ")}` : ""),
    total,
    free,
  );
}
