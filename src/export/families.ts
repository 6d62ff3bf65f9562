/**
 * The two families of encoders: how they name the same layers in their checkpoints. Pure.
 *
 * @module
 */

/** Names of weights, without `.weight` and `.bias`; those of layers are relative to the layer. */
export interface Family {
  /** What comes before the encoder's names in a model with a head. */
  readonly prefix: string;
  /** Whether it reads `token_type_ids`. */
  readonly hasTokenTypes: boolean;
  /** The list of layers, relative to the encoder. */
  readonly layers: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attended: string;
  readonly attendedNorm: string;
  readonly wide: string;
  readonly narrow: string;
  readonly norm: string;
  /** The Linear on the first token, with the prefix, and what follows it. */
  readonly pooler: string;
  readonly poolerActivation: "Tanh" | "Relu";
  /** The parts of the head that predicts words. */
  readonly words: {
    readonly dense: string;
    readonly norm: string;
    readonly decoder: string;
    readonly bias: string;
  };
}

/** By the beginning of the class names. */
export const FAMILIES: Readonly<Record<"Bert" | "DistilBert", Family>> = {
  Bert: {
    prefix: "bert.",
    hasTokenTypes: true,
    layers: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attended: "attention.output.dense",
    attendedNorm: "attention.output.LayerNorm",
    wide: "intermediate.dense",
    narrow: "output.dense",
    norm: "output.LayerNorm",
    pooler: "bert.pooler.dense",
    poolerActivation: "Tanh",
    words: {
      dense: "cls.predictions.transform.dense",
      norm: "cls.predictions.transform.LayerNorm",
      decoder: "cls.predictions.decoder.weight",
      bias: "cls.predictions.bias",
    },
  },
  DistilBert: {
    prefix: "distilbert.",
    hasTokenTypes: false,
    layers: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attended: "attention.out_lin",
    attendedNorm: "sa_layer_norm",
    wide: "ffn.lin1",
    narrow: "ffn.lin2",
    norm: "output_layer_norm",
    pooler: "pre_classifier",
    poolerActivation: "Relu",
    words: {
      dense: "vocab_transform",
      norm: "vocab_layer_norm",
      decoder: "vocab_projector.weight",
      bias: "vocab_projector.bias",
    },
  },
};
