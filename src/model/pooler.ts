/**
 * BertPooler: p = f(x[first token] W^T + b), f = tanh in BERT
 *
 * @module
 */
import type { BertConfig } from "./config.ts";
import type { StepContext } from "./context.ts";
import { Linear, Tanh } from "./layers.ts";
import { Module } from "./module.ts";

/** One vector a sequence. */
export class BertPooler extends Module {
  readonly dense: Linear;
  #saved = { first: 0, slope: 0 };

  constructor(readonly config: BertConfig) {
    super("BertPooler");
    this.dense = this.child("dense", new Linear(config.hidden_size, config.hidden_size));
    this.child("activation", new Tanh());
  }

  /** Returns p [B, H] from x [rows, H]. */
  forward(context: StepContext, x: number): number {
    const { runtime, batch } = context, h = this.dense.inputs, b = batch.size;
    const first = runtime.arena.floats(b * h), pooled = runtime.arena.floats(b * h); // [B, H] each
    const slope = context.keep ? runtime.arena.floats(b * h) : 0; // [B, H]
    this.#saved = { first, slope };
    runtime.pool.run("gather_rows", b, 16, first, x, batch.firstRows, h);
    this.dense.forward(runtime, pooled, first, b, this.config.poolerActivation, slope);
    return pooled;
  }

  /** Adds to dx [rows, H] what comes from dpooled [B, H]. */
  backward(context: StepContext, dx: number, dpooled: number, needsInput: boolean): void {
    const { runtime, batch } = context, h = this.dense.inputs, b = batch.size;
    const mark = runtime.arena.mark(), { first, slope } = this.#saved;
    const dinner = runtime.arena.floats(b * h); // [B, H]
    runtime.pool.run("multiply", Math.ceil(b * h / 1024), 4, dinner, dpooled, slope, b * h);
    if (needsInput) {
      const dfirst = runtime.arena.floats(b * h); // [B, H]
      this.dense.backwardInput(runtime, dfirst, dinner, b);
      runtime.pool.run("add_rows", b, 16, dx, dfirst, batch.firstRows, h);
    }
    this.dense.backwardParameters(runtime, dinner, first, b);
    runtime.arena.release(mark);
  }
}
