/**
 * BERT models: configuration, encoder, heads; forward, backward, loading and saving.
 *
 * @module
 */
export { asOp, type AsOpOptions, type OpOutputs } from "./as_op.ts";
export {
  type AttributedSpan,
  type Attribution,
  type AttributionOptions,
  attributions,
} from "./attributions.ts";
export {
  type AutoClass,
  AutoModel,
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
} from "./auto.ts";
export type { BertInputs, Matrix } from "./batch.ts";
export { BaseModelOutput, BertModel } from "./bert.ts";
export { CachedFeatures, cacheFeatures } from "./cached_features.ts";
export { BertConfig, type BertConfigOptions, type ProblemType } from "./config.ts";
export {
  DistilBertForMaskedLM,
  DistilBertForMultipleChoice,
  DistilBertForQuestionAnswering,
  DistilBertForSequenceClassification,
  DistilBertForTokenClassification,
  DistilBertModel,
  DistilBertOutput,
} from "./distilbert.ts";
export { DistilBertConfig, type DistilBertConfigOptions } from "./distilbert_config.ts";
export { bitfit, freeze, type FreezeReport, type NamePattern, reinitialize, unfreeze } from "./freeze.ts";
export { type BackwardOptions, type EncoderInputs, EncoderModel, ModelOutput } from "./encoder_model.ts";
export type { GradientValues } from "./gradients.ts";
export type { Labels, LossOptions } from "./losses.ts";
export { LoraConfig, type LoraConfigOptions, type TaskType } from "./lora/config.ts";
export { type Adaptable, get_peft_model, PeftModel } from "./lora/peft_model.ts";
export type { AdapterSource } from "./lora/adapter_files.ts";
export { BertForMaskedLM, MaskedLanguageModel, type MaskedLMInputs, MaskedLMOutput } from "./masked_lm.ts";
export { Module } from "./module.ts";
export {
  BertForMultipleChoice,
  type ChoiceInputs,
  type ChoiceMatrix,
  ChoiceModel,
  type MultipleChoiceInputs,
  MultipleChoiceModelOutput,
} from "./multiple_choice.ts";
export { Parameter, type ParameterOptimizer } from "./parameter.ts";
export { type FromPretrainedOptions, LoadReport } from "./pretrained.ts";
export { predict, type Prediction, type PredictOptions } from "./predict.ts";
export { PreTrainedModel } from "./pretrained_model.ts";
export {
  BertForNextSentencePrediction,
  BertForPreTraining,
  BertForPreTrainingOutput,
  type NextSentenceInputs,
  NextSentencePredictorOutput,
  type PreTrainingInputs,
} from "./pretraining.ts";
export {
  BertForQuestionAnswering,
  QuestionAnswerer,
  type QuestionAnsweringInputs,
  QuestionAnsweringModelOutput,
} from "./question_answering.ts";
export {
  BertForSequenceClassification,
  type SequenceClassificationInputs,
  SequenceClassifier,
  SequenceClassifierOutput,
} from "./sequence_classification.ts";
export {
  BertForTokenClassification,
  type TokenClassificationInputs,
  TokenClassifier,
  TokenClassifierOutput,
} from "./token_classification.ts";
export type { ModelInputs, TrainableModel } from "./trainable.ts";
export type { RunOptions } from "./run_rows.ts";
export type { InferenceWeights } from "./weight_copy.ts";
export {
  CosineSimilarityLoss,
  type DistanceMetric,
  MultipleNegativesRankingLoss,
  type SentenceLoss,
  type SentenceVectors,
  TripletLoss,
} from "./sentence_losses.ts";
export type { PoolingMode } from "./sentence_pooling.ts";
export { cosineSimilarity } from "./sentence_similarity.ts";
export {
  type EncodeOptions,
  type SentenceInputs,
  SentenceOutput,
  SentenceTransformer,
} from "./sentence_transformer.ts";
export type { TextBatchOptions, TextOrPair } from "./text_batches.ts";
