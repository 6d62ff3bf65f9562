/**
 * DistilBERT (https://arxiv.org/abs/1910.01108): BERT's layers under other names, without token types and pooler.
 *
 * @module
 */
import type { Tensor3D } from "../runtime/tensor.ts";
import { type Backbone, BertBackbone, type EncoderPass } from "./backbone.ts";
import type { BertInputs } from "./batch.ts";
import { Classifier } from "./classifier.ts";
import type { BertConfig } from "./config.ts";
import type { Extras, StepContext } from "./context.ts";
import { DistilBertConfig } from "./distilbert_config.ts";
import type { BertLayer } from "./encoder.ts";
import { type EncoderInputs, EncoderModel, ModelOutput } from "./encoder_model.ts";
import { Dropout, LayerNorm, Linear } from "./layers.ts";
import { MaskedLanguageModel } from "./masked_lm.ts";
import { Module, ModuleList } from "./module.ts";
import { ChoiceModel } from "./multiple_choice.ts";
import { PredictionHead } from "./prediction_head.ts";
import { QuestionAnswerer } from "./question_answering.ts";
import { rowsResult } from "./results.ts";
import { SequenceClassifier } from "./sequence_classification.ts";
import { TokenClassifier } from "./token_classification.ts";

/** Modules under names of their own. */
class Named extends Module {
  constructor(typeName: string, parts: Readonly<Record<string, Module>>) {
    super(typeName);
    for (const [name, part] of Object.entries(parts)) this.child(name, part);
  }
}

/** The parts of a layer as DistilBERT names them. */
function transformerBlock({ attention: { self, output: sum }, intermediate, output }: BertLayer): Module {
  const { query, key, value, dropout } = self;
  return new Named("TransformerBlock", {
    attention: new Named("DistilBertSelfAttention", {
      ...{ q_lin: query, k_lin: key, v_lin: value, out_lin: sum.dense, dropout },
    }),
    sa_layer_norm: sum.LayerNorm,
    ffn: new Named("FFN", { dropout: output.dropout, lin1: intermediate.dense, lin2: output.dense }),
    output_layer_norm: output.LayerNorm,
  });
}

/** DistilBERT's encoder: BERT's does the work. */
export class DistilBertBackbone extends Module implements Backbone {
  readonly #bert: BertBackbone;

  /** @param pooling Whether there is a `pre_classifier`, which works as BERT's pooler does. */
  constructor(config: BertConfig, pooling = false) {
    super("DistilBertModel");
    const { embeddings, encoder } = this.#bert = new BertBackbone(config, pooling);
    const { word_embeddings, position_embeddings, LayerNorm, dropout } = embeddings;
    const parts = { word_embeddings, position_embeddings, LayerNorm, dropout };
    this.child("embeddings", new Named("Embeddings", parts));
    const layer = new ModuleList(encoder.layer.map(transformerBlock));
    this.child("transformer", new Named("Transformer", { layer }));
  }

  /** The Linear on the first token; it stands in the model's tree beside the encoder. */
  get preClassifier(): Linear {
    return this.#bert.pooler!.dense;
  }

  /** The word embeddings. */
  get words() {
    return this.#bert.embeddings.word_embeddings.weight;
  }

  forward(context: StepContext, extras: Extras): EncoderPass {
    return this.#bert.forward(context, extras);
  }

  backward(context: StepContext, dhidden: number, dpooled: number): void {
    this.#bert.backward(context, dhidden, dpooled);
  }

  override isTrainable(): boolean {
    return this.#bert.isTrainable();
  }
}

/** What {@linkcode DistilBertModel.forward} gives; tensors live until the model's next forward pass. */
export class DistilBertOutput extends ModelOutput {
  /** [B, T, H]; zero at masked positions. */
  get last_hidden_state(): Tensor3D {
    return this.tensor("last_hidden_state");
  }
}

/**
 * The bare DistilBERT: hidden states. `token_type_ids` are not read by any DistilBERT.
 *
 * @example
 * ```ts
 * import { DistilBertConfig, DistilBertModel, dispose } from "@berth/berth";
 * const config = new DistilBertConfig({ vocab_size: 50, dim: 16, n_heads: 2, n_layers: 2, hidden_dim: 32 });
 * const model = await DistilBertModel.from_config(config);
 * console.log(model.forward({ input_ids: [[1, 2, 3]] }).last_hidden_state.shape); // [1, 3, 16]
 * dispose();
 * ```
 */
export class DistilBertModel extends EncoderModel<"last_hidden_state"> {
  /** None: this is the encoder itself. */
  static override readonly base_model_prefix: string = "";
  /** {@linkcode DistilBertConfig}. */
  static override readonly config_class: typeof BertConfig = DistilBertConfig;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("DistilBertModel", config);
    this.adopt(this.attach("", new DistilBertBackbone(config)));
    this.finish();
  }

  /**
   * Runs the encoder.
   *
   * @throws {DataError} if the batch does not fit the model.
   */
  forward(inputs: EncoderInputs): DistilBertOutput {
    return this.run(inputs, DistilBertOutput, (context, { lastHidden }) => {
      const states = rowsResult(context, "last_hidden_state", lastHidden, this.config.hidden_size);
      return {
        ...{ loss: undefined, results: [states] },
        backward: (gradients) => ({ dhidden: gradients.of(states) }),
      };
    });
  }

  /** @ignore */
  override rehearse(inputs: BertInputs): void {
    const { last_hidden_state } = this.forward(inputs);
    if (this.training) this.backward({ last_hidden_state });
  }
}

/** DistilBERT with a linear classifier (or regressor) on the first token. */
export class DistilBertForSequenceClassification extends SequenceClassifier {
  /** `distilbert`. */
  static override readonly base_model_prefix: string = "distilbert";
  /** {@linkcode DistilBertConfig}. */
  static override readonly config_class: typeof BertConfig = DistilBertConfig;
  /** @ignore */
  protected readonly head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: DistilBertConfig) {
    super("DistilBertForSequenceClassification", config);
    const distilbert = this.attach("distilbert", new DistilBertBackbone(config, true));
    this.child("pre_classifier", distilbert.preClassifier);
    const classifier = this.child("classifier", new Linear(config.hidden_size, config.num_labels));
    this.head = new Classifier(classifier, this.child("dropout", new Dropout(config.seq_classif_dropout)));
    this.finish();
  }
}

/** DistilBERT that chooses among texts. */
export class DistilBertForMultipleChoice extends ChoiceModel {
  /** `distilbert`. */
  static override readonly base_model_prefix: string = "distilbert";
  /** {@linkcode DistilBertConfig}. */
  static override readonly config_class: typeof BertConfig = DistilBertConfig;
  /** @ignore */
  protected readonly head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: DistilBertConfig) {
    super("DistilBertForMultipleChoice", config);
    const distilbert = this.attach("distilbert", new DistilBertBackbone(config, true));
    this.child("pre_classifier", distilbert.preClassifier);
    const classifier = this.child("classifier", new Linear(config.hidden_size, 1));
    this.head = new Classifier(classifier, this.child("dropout", new Dropout(config.seq_classif_dropout)));
    this.finish();
  }
}

/** DistilBERT with a linear classifier on every token. */
export class DistilBertForTokenClassification extends TokenClassifier {
  /** `distilbert`. */
  static override readonly base_model_prefix: string = "distilbert";
  /** {@linkcode DistilBertConfig}. */
  static override readonly config_class: typeof BertConfig = DistilBertConfig;
  /** @ignore */
  protected readonly head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("DistilBertForTokenClassification", config);
    this.attach("distilbert", new DistilBertBackbone(config));
    const dropout = this.child("dropout", new Dropout(config.hidden_dropout_prob));
    const classifier = this.child("classifier", new Linear(config.hidden_size, config.num_labels));
    this.head = new Classifier(classifier, dropout);
    this.finish();
  }
}

/** DistilBERT that finds the answer to a question in a text. */
export class DistilBertForQuestionAnswering extends QuestionAnswerer {
  /** `distilbert`. */
  static override readonly base_model_prefix: string = "distilbert";
  /** {@linkcode DistilBertConfig}. */
  static override readonly config_class: typeof BertConfig = DistilBertConfig;
  /** @ignore */
  protected readonly head: Classifier;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: DistilBertConfig) {
    super("DistilBertForQuestionAnswering", config);
    this.attach("distilbert", new DistilBertBackbone(config));
    const scores = this.child("qa_outputs", new Linear(config.hidden_size, 2));
    this.head = new Classifier(scores, this.child("dropout", new Dropout(config.qa_dropout)));
    this.finish();
  }
}

/** DistilBERT that predicts masked word pieces. */
export class DistilBertForMaskedLM extends MaskedLanguageModel {
  /** `distilbert`. */
  static override readonly base_model_prefix: string = "distilbert";
  /** {@linkcode DistilBertConfig}. */
  static override readonly config_class: typeof BertConfig = DistilBertConfig;
  /** @ignore */
  protected readonly head: PredictionHead;

  /** A model whose weights are not set yet; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("DistilBertForMaskedLM", config);
    const { hidden_size: h, vocab_size, layer_norm_eps, tie_word_embeddings, activation } = config;
    const distilbert = this.attach("distilbert", new DistilBertBackbone(config));
    const dense = this.child("vocab_transform", new Linear(h, h));
    const norm = this.child("vocab_layer_norm", new LayerNorm(h, layer_norm_eps));
    const weight = tie_word_embeddings ? distilbert.words : undefined;
    const decoder = this.child("vocab_projector", new Linear(h, vocab_size, { weight }));
    this.head = new PredictionHead(dense, norm, decoder, activation);
    this.finish();
  }
}
