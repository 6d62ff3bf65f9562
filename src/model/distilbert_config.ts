/**
 * A DistilBERT model's configuration, with transformers' keys and defaults.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { ACTIVATIONS } from "../runtime/mod.ts";
import { BertConfig, type BertConfigOptions, probability, sortedKeys } from "./config.ts";

/** The keys that berth understands; see transformers' `DistilBertConfig` for their meaning. BERT's names work too. */
export interface DistilBertConfigOptions extends BertConfigOptions {
  /** H. */
  dim?: number;
  /** Layers of the encoder. */
  n_layers?: number;
  /** N; H is a multiple of it. */
  n_heads?: number;
  /** I. */
  hidden_dim?: number;
  /** Dropout after embeddings and the feed-forward layers. */
  dropout?: number;
  /** Dropout of the attention's probabilities. */
  attention_dropout?: number;
  /** The activation between the feed-forward layers. */
  activation?: string;
  /** Dropout before the scores of question answering. */
  qa_dropout?: number;
  /** Dropout before a classifier of sequences. */
  seq_classif_dropout?: number;
}

/** DistilBERT's names of BERT's keys. */
const NAMES = {
  ...{ hidden_size: "dim", num_hidden_layers: "n_layers", num_attention_heads: "n_heads" },
  ...{ intermediate_size: "hidden_dim", hidden_dropout_prob: "dropout", hidden_act: "activation" },
  attention_probs_dropout_prob: "attention_dropout",
} as const;

/** BERT's keys that DistilBERT has not. */
const UNKNOWN = ["type_vocab_size", "layer_norm_eps", "classifier_dropout"];

/**
 * The configuration of a DistilBERT model: its properties have BERT's names, its config.json has DistilBERT's.
 *
 * @example
 * ```ts
 * import { DistilBertConfig } from "@berth/berth";
 * const config = new DistilBertConfig({ dim: 128, n_heads: 2, n_layers: 2, hidden_dim: 512 });
 * console.log(config.hidden_size, config.toJSON().dim); // 128 128
 * ```
 */
export class DistilBertConfig extends BertConfig {
  /** Dropout before the scores of question answering. Default 0.1. */
  qa_dropout: number;
  /** Dropout before a classifier of sequences. Default 0.2. */
  seq_classif_dropout: number;

  /**
   * Reads the keys and checks them. Defaults are BERT's but for 6 layers.
   *
   * @param options Keys of a config.json.
   * @throws {ConfigError} if a value is of the wrong type or range, or asks for what berth has not.
   */
  constructor(options: DistilBertConfigOptions & Record<string, unknown> = {}) {
    const { qa_dropout = 0.1, seq_classif_dropout = 0.2, ...rest } = options;
    const keys: Record<string, unknown> = { num_hidden_layers: 6, ...rest };
    for (const [name, own] of Object.entries(NAMES)) {
      if (keys[own] !== undefined) keys[name] = keys[own];
      delete keys[own];
    }
    for (const name of UNKNOWN) delete keys[name];
    super(keys);
    if (this.other.sinusoidal_pos_embds) {
      throw new ConfigError("Cannot use sinusoidal_pos_embds: positions that are learned are wanted");
    }
    this.type_vocab_size = 0;
    this.qa_dropout = probability("qa_dropout", qa_dropout);
    this.seq_classif_dropout = probability("seq_classif_dropout", seq_classif_dropout);
  }

  /** `distilbert`. */
  override get model_type(): string {
    return "distilbert";
  }

  /** @ignore */
  override get attentionOutputDropout(): number {
    return 0;
  }

  /** @ignore */
  override get poolerActivation(): number {
    return ACTIVATIONS.relu;
  }

  /** The keys of a config.json that transformers reads. */
  override toJSON(): Record<string, unknown> {
    const keys = super.toJSON();
    for (const name of UNKNOWN) delete keys[name];
    for (const [name, own] of Object.entries(NAMES)) {
      keys[own] = keys[name];
      delete keys[name];
    }
    return sortedKeys(keys);
  }
}
