/**
 * BertAttention: y = LayerNorm(x + dropout(attend(x Wq, x Wk, x Wv) Wo))
 *
 * @module
 */
import type { BertConfig } from "./config.ts";
import { firstSite, type StepContext } from "./context.ts";
import { Dropout, LayerNorm, Linear } from "./layers.ts";
import { Module } from "./module.ts";

/** Queries, keys and values, and the attention between them. */
export class BertSelfAttention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly dropout: Dropout;
  #saved = { x: 0, q: 0, k: 0, v: 0, rowMax: 0, rowInverse: 0 };

  constructor(readonly config: BertConfig) {
    super("BertSelfAttention");
    const h = config.hidden_size;
    this.query = this.child("query", new Linear(h, h));
    this.key = this.child("key", new Linear(h, h));
    this.value = this.child("value", new Linear(h, h));
    this.dropout = this.child("dropout", new Dropout(config.attention_probs_dropout_prob));
  }

  /** Writes the attended values [rows, H] to `out`. */
  forward(context: StepContext, out: number, x: number, layer: number): void {
    const { runtime, batch, keep, attentions } = context,
      { hidden_size: h, num_attention_heads: heads, head_size } = this.config;
    const mark = runtime.arena.mark(), n = batch.rows, buffer = () => runtime.arena.floats(n * h); // [rows, H]
    const q = buffer(), k = buffer(), v = buffer();
    this.query.forward(runtime, q, x, n);
    this.key.forward(runtime, k, x, n);
    this.value.forward(runtime, v, x, n);
    const rowMax = keep ? runtime.arena.floats(n * heads) : 0; // [rows, N]
    const rowInverse = keep ? runtime.arena.floats(n * heads) : 0; // [rows, N]
    this.#saved = { x, q, k, v, rowMax, rowInverse };
    runtime.needScratch(runtime.pool.exports.attention_scratch_bytes(batch.longest, head_size));
    const site = firstSite(layer), { step, seed, threshold, scale } = this.dropout.at(context, site);
    const drop = [site, step, seed[0], seed[1], threshold, scale] as const,
      probabilities = attentions[layer] ?? 0;
    runtime.flops += 4 * batch.pairs * h; // two products
    runtime.pool.run(
      ...["attention_forward", batch.unitCount * heads, 1, out, rowMax, rowInverse] as const,
      ...[q, k, v, batch.units] as const,
      ...[heads, head_size, ...drop] as const,
    );
    if (probabilities !== 0) {
      runtime.pool.run(
        ...["attention_probabilities", batch.unitCount * heads, 1, probabilities, q, k, batch.units] as const,
        ...[batch.places, batch.width, heads, head_size, ...drop] as const,
      );
    }
    if (!keep) runtime.arena.release(mark);
  }

  /** dx += the gradient that comes through queries, keys and values; skipped if `needsInput` is false. */
  backward(context: StepContext, dx: number, dout: number, layer: number, needsInput: boolean): void {
    const { runtime, batch } = context,
      { hidden_size: h, num_attention_heads: heads, head_size } = this.config;
    const n = batch.rows, buffer = () => runtime.arena.floats(n * h); // [rows, H]
    const mark = runtime.arena.mark(), dq = buffer(), dk = buffer(), dv = buffer();
    const { x, q, k, v, rowMax, rowInverse } = this.#saved;
    const site = firstSite(layer), { step, seed, threshold, scale } = this.dropout.at(context, site);
    runtime.flops += 10 * batch.pairs * h; // five products, one of them anew
    runtime.pool.run(
      ...["attention_backward", batch.size * heads, 1, dq, dk, dv, dout] as const,
      ...[q, k, v, rowMax, rowInverse] as const,
      ...[batch.sequences, heads, head_size, site, step, seed[0], seed[1], threshold, scale] as const,
    );
    for (const [linear, dy] of [[this.query, dq], [this.key, dk], [this.value, dv]] as const) {
      if (needsInput) linear.backwardInput(runtime, dx, dy, n, true);
      linear.backwardParameters(runtime, dy, x, n);
    }
    runtime.arena.release(mark);
  }
}

/** A Linear back to H, dropout, the residual and LayerNorm. */
export class BertResidualOutput extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;
  #input = 0;

  constructor(
    typeName: "BertSelfOutput" | "BertOutput",
    inputs: number,
    config: BertConfig,
    dropout = config.hidden_dropout_prob,
  ) {
    super(typeName);
    this.dense = this.child("dense", new Linear(inputs, config.hidden_size));
    this.LayerNorm = this.child("LayerNorm", new LayerNorm(config.hidden_size, config.layer_norm_eps));
    this.dropout = this.child("dropout", new Dropout(dropout));
  }

  /** y[rows, H] = LayerNorm(residual + dropout(dense(x))) */
  forward(context: StepContext, y: number, x: number, residual: number, site: number): void {
    const { runtime, batch } = context;
    const z = runtime.arena.floats(batch.rows * this.dense.outputs); // [rows, H], kept by LayerNorm
    this.#input = x;
    this.dense.forward(runtime, z, x, batch.rows);
    this.LayerNorm.forward(context, y, z, residual, batch.rows, this.dropout.at(context, site));
  }

  /** Writes the residual's gradient to `dresidual`, and dx [rows, I], times `slope`, to `dx` unless that is 0. */
  backward(context: StepContext, dresidual: number, dx: number, dy: number, site: number, slope = 0): void {
    const { runtime, batch } = context, mark = runtime.arena.mark();
    const drop = this.dropout.at(context, site);
    const dense = this.LayerNorm.backward(context, dresidual, dy, batch.rows, drop);
    if (dx !== 0) this.dense.backwardInput(runtime, dx, dense, batch.rows, false, slope);
    this.dense.backwardParameters(runtime, dense, this.#input, batch.rows);
    runtime.arena.release(mark);
  }
}

/** Self-attention with its output projection. */
export class BertAttention extends Module {
  readonly self: BertSelfAttention;
  readonly output: BertResidualOutput;

  constructor(readonly config: BertConfig) {
    super("BertAttention");
    this.self = this.child("self", new BertSelfAttention(config));
    const { hidden_size, attentionOutputDropout } = config;
    this.output = this.child(
      "output",
      new BertResidualOutput("BertSelfOutput", hidden_size, config, attentionOutputDropout),
    );
  }

  /** Writes y [rows, H]. */
  forward(context: StepContext, y: number, x: number, layer: number): void {
    const { runtime, batch, keep } = context, mark = runtime.arena.mark();
    const attended = runtime.arena.floats(batch.rows * this.config.hidden_size); // [rows, H]
    this.self.forward(context, attended, x, layer);
    this.output.forward(context, y, attended, x, firstSite(layer) + 1);
    if (!keep) runtime.arena.release(mark);
  }

  /** Writes dx [rows, H]. */
  backward(context: StepContext, dx: number, dy: number, layer: number, needsInput: boolean): void {
    const { runtime, batch } = context, mark = runtime.arena.mark();
    const needsAttended = needsInput || this.self.isTrainable();
    const dattended = needsAttended ? runtime.arena.floats(batch.rows * this.config.hidden_size) : 0; // [rows, H]
    this.output.backward(context, dx, dattended, dy, firstSite(layer) + 1);
    if (needsAttended) this.self.backward(context, dx, dattended, layer, needsInput);
    runtime.arena.release(mark);
  }
}
