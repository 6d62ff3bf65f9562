/**
 * BertLayer and BertEncoder: a = attention(x);  y = LayerNorm(a + dropout(f(a W1) W2))
 *
 * @module
 */
import { BertAttention, BertResidualOutput } from "./attention.ts";
import type { BertConfig } from "./config.ts";
import { firstSite, keepIf, type StepContext } from "./context.ts";
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

  /**
   * Writes y [rows, H] from x [rows, H]; `layer` is its number.
   *
   * @param needsInput Whether the backward pass is to go on below this layer.
   */
  forward(context: StepContext, y: number, x: number, layer: number, needsInput: boolean): void {
    const { runtime, batch, keep } = context,
      { hidden_size: h, intermediate_size: i, activation } = this.config;
    const mark = runtime.arena.mark(), n = batch.rows;
    const needsAttention = needsInput || this.attention.isTrainable();
    const needsInner = needsAttention || this.intermediate.isTrainable();
    const attended = runtime.arena.floats(n * h); // [rows, H]
    this.attention.forward(keepIf(context, needsAttention), attended, x, layer);
    const inner = runtime.arena.floats(n * i); // [rows, I]
    const slope = keep && needsInner ? runtime.arena.floats(n * i) : 0; // [rows, I], the activation's derivative
    this.#saved = { attended, slope };
    this.intermediate.dense.forward(runtime, inner, attended, n, activation, slope);
    this.output.forward(context, y, inner, attended, firstSite(layer) + 2);
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
      firstSite(layer) + 2,
      slope,
    );
    const { dense } = this.intermediate;
    if (needsAttention) dense.backwardInput(runtime, dattended, dinner, batch.rows, true);
    if (needsInner) dense.backwardParameters(runtime, dinner, attended, batch.rows);
    if (needsAttention) this.attention.backward(context, dx, dattended, layer, needsInput);
    runtime.arena.release(mark);
  }
}

/** The stack of layers. */
export class BertEncoder extends Module {
  readonly layer: readonly BertLayer[];
  /** Of the layers that are computed again: where their inputs stand. */
  #inputs: number[] = [];

  constructor(readonly config: BertConfig) {
    super("BertEncoder");
    const layers = Array.from({ length: config.num_hidden_layers }, () => new BertLayer(config));
    this.layer = this.child("layer", new ModuleList(layers)).items;
  }

  /**
   * Returns the last layer's output [rows, H].
   *
   * @param lowest The lowest layer with a trained parameter, -1 if there are some below the encoder: layers below it
   * keep nothing.
   * @param onHidden Sees the output of each layer, and whether it stays where it is until the step ends.
   */
  forward(
    context: StepContext,
    x: number,
    lowest: number,
    onHidden: (pointer: number, lasting: boolean) => void,
  ): number {
    const { runtime, batch, keep, checkpointing } = context, room = batch.rows * this.config.hidden_size;
    // Inputs of layers that no backward pass visits take turns in two buffers.
    const firstKept = keep ? Math.max(0, lowest) : this.layer.length + 1, turns: number[] = [];
    this.#inputs = [];
    this.layer.forEach((layer, i) => {
      const lasting = i + 1 >= firstKept;
      const y = lasting ? runtime.arena.floats(room) : turns[i % 2] ??= runtime.arena.floats(room); // [rows, H]
      // The last layer's backward pass comes next: computing it again would save nothing.
      const again = checkpointing && i >= firstKept && i < this.layer.length - 1;
      if (again) this.#inputs[i] = x;
      layer.forward(keepIf(context, i >= firstKept && !again), y, x, i, i > lowest);
      onHidden(y, lasting);
      x = y;
    });
    return x;
  }

  /**
   * Returns the gradient of the encoder's input, or 0 if nothing below `lowest` is trained.
   *
   * @param lowest As in the forward pass.
   */
  backward(context: StepContext, dy: number, lowest: number): number {
    const { runtime, batch } = context, room = batch.rows * this.config.hidden_size;
    let dx = runtime.arena.floats(room); // [rows, H]; takes turns with dy
    for (let i = this.layer.length - 1; i >= Math.max(0, lowest); i--) {
      const mark = runtime.arena.mark(), x = this.#inputs[i], layer = this.layer[i];
      if (x !== undefined) layer.forward(context, runtime.arena.floats(room), x, i, i > lowest);
      layer.backward(context, dx, dy, i, i > lowest);
      runtime.arena.release(mark);
      [dx, dy] = [dy, dx];
    }
    return lowest < 0 ? dy : 0;
  }
}
