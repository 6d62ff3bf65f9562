/**
 * All gradients of a model in one block of memory, in the order in which a backward pass finishes them, so that a range
 * of it can be handed over while the pass goes on. Embeddings, whose gradients have few rows, come last.
 *
 * @module
 */
import { MemoryError } from "../../errors.ts";
import type { Parameter, PreTrainedModel } from "../../model/mod.ts";
import { type Makeable, rehearse } from "../../model/rehearsal.ts";
import { inputsOfLengths } from "../../model/step_room.ts";
import { formatMemory, type Runtime } from "../../runtime/mod.ts";

/** Floats that a gradient's place is rounded up to: a cache line. */
const ALIGNMENT = 16;
/** What is written at a time when a block is zeroed. */
const ZERO_BYTES = 65_536;

/** Where a gradient stands in a block. */
export interface GradientPlace {
  readonly parameter: Parameter;
  /** Floats before it. */
  readonly at: number;
  /** How often a backward pass writes it: twice if a parameter stands in two places of the model. */
  readonly writes: number;
}

/** The places of a model's gradients. */
export class FlatGradients {
  readonly runtime: Runtime;
  /** All parameters that get a gradient but embeddings, in the order in which they are finished. */
  readonly dense: readonly GradientPlace[];
  /** Embeddings. */
  readonly tables: readonly GradientPlace[];
  /** Floats of the dense ones, which a block begins with, and of all. */
  readonly denseSize: number;
  readonly size: number;

  constructor(model: PreTrainedModel) {
    this.runtime = model.runtime;
    const order = writeOrder(model), dense: GradientPlace[] = [], tables: GradientPlace[] = [];
    let at = 0;
    const put = (places: GradientPlace[], entries: readonly Written[]) => {
      for (const { parameter, writes } of entries) {
        places.push({ parameter, at, writes });
        at += Math.ceil(parameter.size / ALIGNMENT) * ALIGNMENT;
      }
      return at;
    };
    this.denseSize = put(this.dense = dense, order.filter(({ parameter }) => parameter.touched === 0));
    this.size = put(this.tables = tables, order.filter(({ parameter }) => parameter.touched !== 0));
  }

  /** All places. */
  get places(): readonly GradientPlace[] {
    return [...this.dense, ...this.tables];
  }

  /**
   * Takes a block, all zero.
   *
   * @throws {MemoryError} if it does not fit.
   */
  allocate(): number {
    const { heap, freeBytes } = this.runtime, bytes = this.size * 4;
    if (bytes > freeBytes) {
      throw new MemoryError(
        `Cannot add up gradients: they take ${formatMemory(bytes)}, and ${formatMemory(freeBytes)} are free`,
        bytes,
        freeBytes,
      );
    }
    const block = heap.alloc(bytes);
    this.zero(block, this.size);
    return block;
  }

  /** Writes `count` zeros. */
  zero(pointer: number, count: number): void {
    this.runtime.pool.run("zero", Math.ceil(count * 4 / ZERO_BYTES), 16, pointer, count * 4);
  }

  /** Makes a block the place of all gradients. */
  place(block: number): void {
    for (const { parameter, at } of this.places) parameter.placeGradient(block + at * 4);
  }

  /** Says that the block has all gradients. */
  take(): void {
    for (const { parameter } of this.places) parameter.takeGradient();
  }

  /** Gives the parameters memory of their own again. */
  release(): void {
    for (const { parameter } of this.places) parameter.placeGradient(0);
  }
}

interface Written {
  parameter: Parameter;
  writes: number;
}

/** The parameters that a backward pass writes gradients of, in the order of their last writes; found on paper. */
function writeOrder(model: PreTrainedModel): Written[] {
  const own = model.parameters(), written: number[] = [];
  rehearse(model.constructor as Makeable, model.config, inputsOfLengths([2]), {
    ...{ training: true, gradient_checkpointing: false, weights: "plain", extensions: model.extensions },
    modes: own.map(({ requires_grad }) => requires_grad ? "trained" : "frozen"),
    optimizer: (parameters) => {
      parameters.forEach((parameter, i) => parameter.onGradient = () => written.push(i));
      return { step: () => {} };
    },
  });
  const last = [...new Set(written.toReversed())].reverse();
  return last.map((i) => ({ parameter: own[i], writes: written.filter((j) => j === i).length }));
}
