/**
 * Which part of the optimizer's state each rank keeps: a range of all values of about the same size, cut between the
 * chunks that a step works on (ZeRO stage 1, https://arxiv.org/abs/1910.02054).
 *
 * @module
 */
import type { Communicator, Pending } from "../../distributed/communicator.ts";
import type { Parameter } from "../../model/mod.ts";
import { chunkLength } from "../gradient_table.ts";
import type { FlatGradients } from "./flat_gradients.ts";
import { MarkedRows } from "./marked_rows.ts";

/** Values of a parameter, from one on up to another. */
export interface ValueRange {
  readonly from: number;
  readonly to: number;
}

/** Floats of a block of gradients, and the rank whose they are. */
export interface Segment {
  readonly owner: number;
  begin: number;
  end: number;
}

interface Part extends ValueRange {
  readonly owner: number;
}

/** The parts of the ranks. */
export class Shards {
  readonly #gradients: FlatGradients;
  readonly #parts = new Map<Parameter, readonly Part[]>();
  readonly #rows: MarkedRows;

  constructor(gradients: FlatGradients, readonly communicator: Communicator) {
    const { size } = communicator;
    this.#gradients = gradients;
    this.#rows = new MarkedRows(gradients.runtime);
    for (const { parameter, at } of gradients.places) {
      const length = chunkLength(parameter), parts: Part[] = [];
      for (let from = 0; from < parameter.size; from += length) {
        const to = Math.min(parameter.size, from + length);
        const owner = Math.min(size - 1, Math.floor((at + from) * size / gradients.size)),
          last = parts.at(-1);
        if (last?.owner === owner) parts[parts.length - 1] = { ...last, to };
        else parts.push({ owner, from, to });
      }
      this.#parts.set(parameter, parts);
    }
  }

  /** A parameter's parts, one after the other. */
  partsOf(parameter: Parameter): readonly Part[] {
    return this.#parts.get(parameter) ?? [];
  }

  /** What of a parameter is this rank's; may be nothing. */
  own(parameter: Parameter): ValueRange {
    const { rank } = this.communicator;
    return this.partsOf(parameter).find(({ owner }) => owner === rank) ?? { from: 0, to: 0 };
  }

  /** Of a range of the block's dense part: the ranks whose it is. */
  segments(begin: number, end: number): Segment[] {
    const segments: Segment[] = [];
    for (const { parameter, at } of this.#gradients.dense) {
      if (at < begin || at >= end) continue;
      for (const { owner, from, to } of this.partsOf(parameter)) {
        const last = segments.at(-1);
        if (last?.owner === owner) last.end = at + to;
        else segments.push({ owner, begin: at + from, end: at + to });
      }
    }
    return segments;
  }

  /**
   * Gives every rank the values that the others have changed.
   *
   * @param isSparse Whether only marked rows of an embedding were changed.
   */
  gather(parameters: readonly Parameter[], isSparse: (parameter: Parameter) => boolean): void {
    const { heap } = this.#gradients.runtime, pending: Pending[] = [];
    for (const parameter of parameters) {
      for (const { owner, from, to } of this.partsOf(parameter)) {
        const values = parameter.pointer + from * 4;
        if (parameter.touched === 0 || !isSparse(parameter)) {
          pending.push(this.communicator.startBroadcast(heap.floats(values, to - from), owner));
          continue;
        }
        const width = parameter.shape[1], marks = parameter.touched + from / width;
        this.#rows.handOver(
          { values, marks, rows: (to - from) / width, width },
          (rows) => this.communicator.broadcast(rows, owner),
        );
      }
    }
    for (const one of pending) one.wait();
  }

  dispose(): void {
    this.#rows.dispose();
  }
}
