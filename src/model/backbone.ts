/**
 * The encoder as a part of a model: embeddings, layers and pooler over one ragged batch.
 *
 * @module
 */
import type { BertConfig } from "./config.ts";
import type { Extras, StepContext } from "./context.ts";
import { BertEmbeddings } from "./embeddings.ts";
import { BertEncoder } from "./encoder.ts";
import { zeros } from "./gradients.ts";
import { Module } from "./module.ts";
import { BertPooler } from "./pooler.ts";

/** Pointers of one encoder pass. */
export interface EncoderPass {
  /** [rows, H] */
  lastHidden: number;
  /** [B, H]; 0 without a pooler. */
  pooled: number;
  /** Embedding output, then each layer's: [rows, H]. Empty unless asked for. */
  hidden: number[];
  /** Each layer's probabilities, [B, N, T, T]. Empty unless asked for. */
  attentions: number[];
}

/** An encoder that heads stand on. */
export interface Backbone extends Module {
  forward(context: StepContext, extras: Extras): EncoderPass;
  /**
   * @param dhidden Gradient of the last hidden state [rows, H], overwritten.
   * @param dpooled Gradient of the pooler's output [B, H]; 0 for none.
   */
  backward(context: StepContext, dhidden: number, dpooled: number): void;
}

/** BERT's encoder. */
export class BertBackbone extends Module implements Backbone {
  readonly embeddings: BertEmbeddings;
  readonly encoder: BertEncoder;
  readonly pooler: BertPooler | undefined;

  constructor(readonly config: BertConfig, pooling = true) {
    super("BertModel");
    this.embeddings = this.child("embeddings", new BertEmbeddings(config));
    this.encoder = this.child("encoder", new BertEncoder(config));
    this.pooler = pooling ? this.child("pooler", new BertPooler(config)) : undefined;
  }

  forward(context: StepContext, extras: Extras): EncoderPass {
    const attentions = extras.attentions ? this.#probabilities(context) : [];
    const x = this.embeddings.forward(context), hidden: number[] = [];
    const { runtime, batch } = context, room = batch.rows * this.config.hidden_size;
    const remember = (pointer: number, lasting: boolean) => {
      if (!extras.hidden) return;
      const copy = lasting ? pointer : runtime.arena.floats(room); // [rows, H]
      if (!lasting) runtime.heap.u8.copyWithin(copy, pointer, pointer + room * 4);
      hidden.push(copy);
    };
    remember(x, true);
    const lastHidden = this.encoder.forward({ ...context, attentions }, x, this.#lowestTrained(), remember);
    return { lastHidden, pooled: this.pooler?.forward(context, lastHidden) ?? 0, hidden, attentions };
  }

  backward(context: StepContext, dhidden: number, dpooled: number): void {
    const lowest = this.#lowestTrained();
    const needsEncoder = lowest < this.encoder.layer.length;
    if (dpooled !== 0) this.pooler!.backward(context, dhidden, dpooled, needsEncoder);
    if (!needsEncoder) return;
    const dx = this.encoder.backward(context, dhidden, lowest);
    if (dx !== 0) this.embeddings.backward(context, dx);
  }

  /** Zeros for each layer's probabilities. */
  #probabilities({ runtime, batch: { size, width } }: StepContext): number[] {
    const count = size * this.config.num_attention_heads * width * width;
    return this.encoder.layer.map(() => zeros(runtime, count));
  }

  /** The lowest layer with a trained parameter: -1 for the embeddings, the number of layers for none. */
  #lowestTrained(): number {
    if (this.embeddings.isTrainable()) return -1;
    const lowest = this.encoder.layer.findIndex((layer) => layer.isTrainable());
    return lowest < 0 ? this.encoder.layer.length : lowest;
  }
}
