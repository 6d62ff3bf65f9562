/**
 * A BERT model's configuration, with transformers' keys and defaults.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { ACTIVATIONS } from "../runtime/mod.ts";

/** What a classifier on top of BERT is trained for; decides the loss. */
export type ProblemType = "single_label_classification" | "multi_label_classification" | "regression";

/** The keys that berth understands; see transformers' `BertConfig` for their meaning. */
export interface BertConfigOptions {
  /** Word pieces. */
  vocab_size?: number;
  /** H. */
  hidden_size?: number;
  /** Layers of the encoder. */
  num_hidden_layers?: number;
  /** N; H is a multiple of it. */
  num_attention_heads?: number;
  /** I. */
  intermediate_size?: number;
  /** The activation between the feed-forward layers. */
  hidden_act?: string;
  /** Dropout after embeddings and Linear layers. */
  hidden_dropout_prob?: number;
  /** Dropout of the attention's probabilities. */
  attention_probs_dropout_prob?: number;
  /** The most tokens of a sequence. */
  max_position_embeddings?: number;
  /** Segments. */
  type_vocab_size?: number;
  /** Standard deviation of new weights. */
  initializer_range?: number;
  /** Added to variances. */
  layer_norm_eps?: number;
  /** The word piece without a gradient. */
  pad_token_id?: number | null;
  /** Dropout before a classifier; null: `hidden_dropout_prob`. */
  classifier_dropout?: number | null;
  /** Class names of the saved model. */
  architectures?: string[];
  /** K. */
  num_labels?: number;
  /** Label names by number. */
  id2label?: Record<string, string>;
  /** Label numbers by name. */
  label2id?: Record<string, number>;
  /** What the labels are; null: seen from the labels. */
  problem_type?: ProblemType | null;
  /** Whether a masked language model's decoder is the word embedding. */
  tie_word_embeddings?: boolean;
}

/** transformers' names of the activations, and the kernel that computes each. */
const ACTIVATION_NAMES: Record<string, keyof typeof ACTIVATIONS> = {
  gelu: "gelu",
  gelu_new: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  relu: "relu",
  silu: "silu",
  swish: "silu",
  tanh: "tanh",
};

const PROBLEM_TYPES = ["single_label_classification", "multi_label_classification", "regression"];

/**
 * The configuration of a BERT model. Keys that berth does not know are kept and written back.
 *
 * @example
 * ```ts
 * import { BertConfig } from "@berth/berth";
 * const config = new BertConfig({ hidden_size: 128, num_attention_heads: 2, num_hidden_layers: 2 });
 * console.log(config.intermediate_size); // 3072, the default
 * ```
 */
export class BertConfig {
  /** Word pieces. Default 30522. */
  vocab_size: number;
  /** H. Default 768. */
  hidden_size: number;
  /** Default 12. */
  num_hidden_layers: number;
  /** N; H is a multiple of it. Default 12. */
  num_attention_heads: number;
  /** I. Default 3072. */
  intermediate_size: number;
  /** `gelu`, `gelu_new`, `gelu_pytorch_tanh`, `relu`, `silu`, `swish` or `tanh`. Default `gelu`. */
  hidden_act: string;
  /** Default 0.1. */
  hidden_dropout_prob: number;
  /** Default 0.1. */
  attention_probs_dropout_prob: number;
  /** The most tokens of a sequence. Default 512. */
  max_position_embeddings: number;
  /** Segments; 0 where a model has none and reads no `token_type_ids`. Default 2. */
  type_vocab_size: number;
  /** Standard deviation of new weights. Default 0.02. */
  initializer_range: number;
  /** Default 1e-12. */
  layer_norm_eps: number;
  /** The word piece whose embedding gets no gradient, or null. Default 0. */
  pad_token_id: number | null;
  /** Dropout before a classifier; null means `hidden_dropout_prob`. Default null. */
  classifier_dropout: number | null;
  /** Class names of the model that was saved, as in `["BertForMaskedLM"]`. */
  architectures: string[] | undefined;
  /** Label names by number. Default `LABEL_0`, `LABEL_1`. */
  id2label: Record<string, string>;
  /** Label numbers by name. */
  label2id: Record<string, number>;
  /** Null: chosen by the labels, as transformers does. */
  problem_type: ProblemType | null;
  /** False: a masked language model's decoder has a weight of its own. Default true. */
  tie_word_embeddings: boolean;
  /** Keys of a config.json that berth does not use. */
  readonly other: Record<string, unknown>;

  /**
   * Reads the keys and checks them.
   *
   * @param options Keys of a config.json.
   * @throws {ConfigError} if a value is of the wrong type or range, or asks for what BERT has not.
   */
  constructor(options: BertConfigOptions & Record<string, unknown> = {}) {
    const rest = { ...options };
    const take = <T>(key: string, fallback: T): T => {
      const value = rest[key];
      delete rest[key];
      return value === undefined ? fallback : value as T;
    };
    this.vocab_size = size("vocab_size", take("vocab_size", 30522));
    this.hidden_size = size("hidden_size", take("hidden_size", 768));
    this.num_hidden_layers = size("num_hidden_layers", take("num_hidden_layers", 12));
    this.num_attention_heads = size("num_attention_heads", take("num_attention_heads", 12));
    this.intermediate_size = size("intermediate_size", take("intermediate_size", 3072));
    this.max_position_embeddings = size("max_position_embeddings", take("max_position_embeddings", 512));
    this.type_vocab_size = size("type_vocab_size", take("type_vocab_size", 2));
    this.hidden_act = take("hidden_act", "gelu");
    this.hidden_dropout_prob = probability("hidden_dropout_prob", take("hidden_dropout_prob", 0.1));
    this.attention_probs_dropout_prob = probability(
      "attention_probs_dropout_prob",
      take("attention_probs_dropout_prob", 0.1),
    );
    this.initializer_range = positive("initializer_range", take("initializer_range", 0.02));
    this.layer_norm_eps = positive("layer_norm_eps", take("layer_norm_eps", 1e-12));
    this.pad_token_id = take("pad_token_id", 0);
    this.classifier_dropout = take("classifier_dropout", null);
    if (this.classifier_dropout !== null) probability("classifier_dropout", this.classifier_dropout);
    this.architectures = take("architectures", undefined);
    this.problem_type = take("problem_type", null);
    this.tie_word_embeddings = take("tie_word_embeddings", true);
    const id2label = take<Record<string, string> | undefined>("id2label", undefined);
    const num_labels = take("num_labels", id2label ? Object.keys(id2label).length : 2);
    const given = id2label && Object.keys(id2label).length === num_labels ? id2label : undefined;
    this.id2label = given ?? labelNames(size("num_labels", num_labels));
    const label2id = take<Record<string, number> | undefined>("label2id", undefined);
    this.label2id = given && label2id
      ? label2id
      : Object.fromEntries(Object.entries(this.id2label).map(([id, label]) => [label, Number(id)]));
    this.other = rest;
    this.#check();
  }

  /** transformers' name of the family. */
  get model_type(): string {
    return "bert";
  }

  /** K: the number of labels. */
  get num_labels(): number {
    return Object.keys(this.id2label).length;
  }

  /** The number by which the kernels know `hidden_act`. */
  get activation(): number {
    return ACTIVATIONS[ACTIVATION_NAMES[this.hidden_act]];
  }

  /** Dropout before a classifier. */
  get classifierDropout(): number {
    return this.classifier_dropout ?? this.hidden_dropout_prob;
  }

  /** @ignore Dropout between the attention's output and the residual. */
  get attentionOutputDropout(): number {
    return this.hidden_dropout_prob;
  }

  /** @ignore The number by which the kernels know the pooler's activation. */
  get poolerActivation(): number {
    return ACTIVATIONS.tanh;
  }

  /** D: the size of an attention head. */
  get head_size(): number {
    return this.hidden_size / this.num_attention_heads;
  }

  /** The keys of a config.json that transformers reads. */
  toJSON(): Record<string, unknown> {
    const { architectures, other, id2label, label2id, problem_type, tie_word_embeddings, ...known } = this;
    const labels = this.num_labels === 2 && id2label[0] === "LABEL_0" ? {} : { id2label, label2id };
    return sortedKeys({
      ...other,
      ...known,
      ...(architectures ? { architectures } : {}),
      ...labels,
      ...(problem_type ? { problem_type } : {}),
      ...(tie_word_embeddings ? {} : { tie_word_embeddings }),
      model_type: this.model_type,
    });
  }

  /** The configuration as the seed notebook prints it: all keys in order, with the task's switches. */
  toString(): string {
    const { id2label: _ids, label2id: _labels, ...json } = this.toJSON();
    const shown = { finetuning_task: null, num_labels: this.num_labels, output_attentions: false };
    const more = { output_hidden_states: false, pruned_heads: {}, torchscript: false };
    const { classifier_dropout, ...keys } = json;
    const dropout = classifier_dropout === null ? {} : { classifier_dropout };
    return JSON.stringify(sortedKeys({ ...shown, ...more, ...dropout, ...keys }), null, 2) + "\n";
  }

  #check(): void {
    if (this.hidden_size % this.num_attention_heads !== 0) {
      throw new ConfigError(
        `Cannot use hidden_size ${this.hidden_size}: it is no multiple of num_attention_heads ${this.num_attention_heads}`,
      );
    }
    if (!Object.hasOwn(ACTIVATION_NAMES, this.hidden_act)) {
      const names = Object.keys(ACTIVATION_NAMES).join(", ");
      throw new ConfigError(
        `Cannot use hidden_act ${JSON.stringify(this.hidden_act)}: one of ${names} is wanted`,
      );
    }
    if (this.problem_type !== null && !PROBLEM_TYPES.includes(this.problem_type)) {
      throw new ConfigError(
        `Cannot use problem_type ${JSON.stringify(this.problem_type)}: one of ${
          PROBLEM_TYPES.join(", ")
        } is wanted`,
      );
    }
    const kind = this.other.model_type;
    if (kind !== undefined && kind !== this.model_type) {
      throw new ConfigError(
        `Cannot make a model of the family "${this.model_type}" of a config.json with model_type ` +
          `${JSON.stringify(kind)}: ${
            kind === "bert" || kind === "distilbert"
              ? "the classes of that family, or an AutoModel, take it"
              : 'berth has "bert" and "distilbert"'
          }`,
      );
    }
    const positions = this.other.position_embedding_type;
    if (positions !== undefined && positions !== "absolute") {
      throw new ConfigError(
        `Cannot use position_embedding_type ${JSON.stringify(positions)}: only "absolute" is supported`,
      );
    }
    for (const key of ["is_decoder", "add_cross_attention"]) {
      if (this.other[key]) throw new ConfigError(`Cannot use ${key}: berth has BERT encoders only`);
    }
  }
}

function labelNames(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i), `LABEL_${i}`]));
}

/** The same keys and values in the keys' order, as config.json has them. */
export function sortedKeys(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => a < b ? -1 : 1));
}

function size(key: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 1e8) {
    throw new ConfigError(`Cannot use ${key} ${JSON.stringify(value)}: a whole number above 0 is wanted`);
  }
  return value;
}

/** A key that is a probability. */
export function probability(key: string, value: unknown): number {
  if (typeof value !== "number" || !(value >= 0 && value < 1)) {
    throw new ConfigError(`Cannot use ${key} ${JSON.stringify(value)}: a number from 0 to below 1 is wanted`);
  }
  return value;
}

function positive(key: string, value: unknown): number {
  if (typeof value !== "number" || !(value > 0 && value < 100)) {
    throw new ConfigError(`Cannot use ${key} ${JSON.stringify(value)}: a small number above 0 is wanted`);
  }
  return value;
}
