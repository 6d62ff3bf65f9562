/**
 * BertLayer and BertEncoder: a = attention(x);  y = LayerNorm(a + dropout(f(a W1) W2))
 *
 * @module
 */
import { BertAttention, BertResidualOutput } from "./attention.ts";
import type { BertConfig } from "./config.ts";
import { SITES, type StepContext } from "./context.ts";
import { Linear } from "./layers.ts";
import { Module, ModuleList } from "./module.ts";

/** The first Linear of the feed-forward part, with the activation fused. */
export class BertIntermediate extends Module {
  readonly dense: Linear;

  constructor(config: BertConfig) {
    super("BertIntermediate");
    this.dense = this.child("dense", new Linear(config.hidden_size, config.intermediate_size));
  }
}

/** One transformer layer. */
export class BertLayer extends Module {
  readonly attention: BertAttention;
  readonly intermediate: BertIntermediate;
  readonly output: BertResidualOutput;
  #saved = { attended: 0, slope: 0 };

  constructor(readonly config: BertConfig) {
    super("BertLayer");
    this.attention = this.child("attention", new BertAttention(config));
    this.intermediate = this.child("intermediate", new BertIntermediate(config));
    this.output = this.child(
      "output",
      new BertResidualOutput("BertOutput", config.intermediate_size, config),
    );
  }

  /** Writes y [rows, H] from x [rows, H]; `layer` is its number. */
  forward(context: StepContext, y: number, x: number, layer: number): void {
    const { runtime, batch, keep } = context,
      { hidden_size: h, intermediate_size: i, activation } = this.config;
    const mark = runtime.arena.mark(), n = batch.rows;
    const attended = runtime.arena.floats(n * h); // [rows, H]
    this.attention.forward(context, attended, x, layer);
    const inner = runtime.arena.floats(n * i); // [rows, I]
    const slope = keep ? runtime.arena.floats(n * i) : 0; // [rows, I], the activation's derivative
    this.#saved = { attended, slope };
    this.intermediate.dense.forward(runtime, inner, attended, n, activation, slope);
    this.output.forward(context, y, inner, attended, SITES.firstLayer + layer * SITES.perLayer + 2);
    if (!keep) runtime.arena.release(mark);
  }

  /** Writes dx [rows, H] from dy [rows, H]; without `needsInput` dx is only room to work in. */
  backward(context: StepContext, dx: number, dy: number, layer: number, needsInput: boolean): void {
    const { runtime, batch } = context, { hidden_size: h, intermediate_size: i } = this.config;
    const mark = runtime.arena.mark(), { attended, slope } = this.#saved;
    const needsAttention = needsInput || this.attention.isTrainable();
    const needsInner = needsAttention || this.intermediate.isTrainable();
    const dinner = needsInner ? runtime.arena.floats(batch.rows * i) : 0; // [rows, I]
    const dattended = runtime.arena.floats(batch.rows * h); // [rows, H]
    this.output.backward(
      context,
      dattended,
      dinner,
      dy,
      SITES.firstLayer + layer * SITES.perLayer + 2,
      slope,
    );
    if (needsInner) this.intermediate.dense.backwardParameters(runtime, dinner, attended, batch.rows);
    if (needsAttention) {
      this.intermediate.dense.backwardInput(runtime, dattended, dinner, batch.rows, true);
      this.attention.backward(context, dx, dattended, layer, needsInput);
    }
    runtime.arena.release(mark);
  }
}

/** The stack of layers. */
export class BertEncoder extends Module {
  readonly layer: readonly BertLayer[];

  constructor(readonly config: BertConfig) {
    super("BertEncoder");
    const layers = Array.from({ length: config.num_hidden_layers }, () => new BertLayer(config));
    this.layer = this.child("layer", new ModuleList(layers)).items;
  }

  /** Returns the last layer's output [rows, H]. `onHidden` sees the output of each layer. */
  forward(context: StepContext, x: number, onHidden?: (pointer: number) => void): number {
    const { runtime, batch, keep } = context, room = batch.rows * this.config.hidden_size;
    // Nothing is kept without training: two buffers take turns.
    const turns = keep ? [] : [runtime.arena.floats(room), runtime.arena.floats(room)];
    this.layer.forEach((layer, i) => {
      const y = keep ? runtime.arena.floats(room) : turns[i % 2]; // [rows, H]
      layer.forward(context, y, x, i);
      onHidden?.(y);
      x = y;
    });
    return x;
  }

  /**
   * Returns the gradient of the encoder's input, or 0 if nothing below `lowest` is trained.
   *
   * @param lowest The lowest layer with a trained parameter, -1 if there are some below the encoder.
   */
  backward(context: StepContext, dy: number, lowest: number): number {
    const { runtime, batch } = context, room = batch.rows * this.config.hidden_size;
    let dx = runtime.arena.floats(room); // [rows, H]; takes turns with dy
    for (let i = this.layer.length - 1; i >= Math.max(0, lowest); i--) {
      this.layer[i].backward(context, dx, dy, i, i > lowest);
      [dx, dy] = [dy, dx];
    }
    return lowest < 0 ? dy : 0;
  }
}
