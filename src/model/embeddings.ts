/**
 * BertEmbeddings: x = dropout(LayerNorm(word[ids] + type[types] + position[positions]))
 *
 * @module
 */
import type { BertConfig } from "./config.ts";
import { keepIf, SITES, type StepContext } from "./context.ts";
import { applyDropout, Dropout, Embedding, LayerNorm } from "./layers.ts";
import { Module } from "./module.ts";

/** The sum of three embeddings, normalised. */
export class BertEmbeddings extends Module {
  readonly word_embeddings: Embedding;
  readonly position_embeddings: Embedding;
  readonly token_type_embeddings: Embedding | undefined;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;

  constructor(readonly config: BertConfig) {
    super("BertEmbeddings");
    const { vocab_size, hidden_size, max_position_embeddings, type_vocab_size, pad_token_id } = config;
    this.word_embeddings = this.child(
      "word_embeddings",
      new Embedding(vocab_size, hidden_size, pad_token_id),
    );
    this.position_embeddings = this.child(
      "position_embeddings",
      new Embedding(max_position_embeddings, hidden_size),
    );
    this.token_type_embeddings = type_vocab_size === 0
      ? undefined
      : this.child("token_type_embeddings", new Embedding(type_vocab_size, hidden_size));
    this.LayerNorm = this.child("LayerNorm", new LayerNorm(hidden_size, config.layer_norm_eps));
    this.dropout = this.child("dropout", new Dropout(config.hidden_dropout_prob));
  }

  /** Returns x [rows, H]. */
  forward(context: StepContext): number {
    const { runtime, batch } = context, h = this.config.hidden_size, n = batch.rows;
    const own = keepIf(context, this.isTrainable());
    const z = runtime.arena.floats(n * h); // [rows, H], kept by LayerNorm
    const y = own.keep ? runtime.arena.floats(n * h) : z; // [rows, H]
    runtime.pool.run(
      ...["embedding_forward", n, 16, z, this.word_embeddings.weight.pointer] as const,
      ...[this.position_embeddings.weight.pointer, this.token_type_embeddings?.weight.pointer ?? 0] as const,
      ...[batch.ids, batch.positions, batch.types, h] as const,
    );
    this.LayerNorm.forward(own, y, z, 0, n);
    return applyDropout(runtime, y, n, h, this.dropout.at(context, SITES.embeddings));
  }

  /** Takes dx [rows, H], which it overwrites. */
  backward(context: StepContext, dx: number): void {
    const { runtime, batch } = context, h = this.config.hidden_size, n = batch.rows;
    const mark = runtime.arena.mark();
    const dy = applyDropout(runtime, dx, n, h, this.dropout.at(context, SITES.embeddings));
    const dz = runtime.arena.floats(n * h); // [rows, H]
    this.LayerNorm.backward(context, dz, dy, n);
    this.word_embeddings.backward(runtime, dz, batch.ids, n);
    this.position_embeddings.backward(runtime, dz, batch.positions, n);
    this.token_type_embeddings?.backward(runtime, dz, batch.types, n);
    runtime.arena.release(mark);
  }
}
