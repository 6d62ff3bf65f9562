/**
 * BERT models: configuration, encoder, heads; forward, backward, loading and saving.
 *
 * @module
 */
export type { BertInputs, Matrix } from "./batch.ts";
export { BaseModelOutput, BertModel } from "./bert.ts";
export { BertConfig, type BertConfigOptions, type ProblemType } from "./config.ts";
export type { GradientValues } from "./gradients.ts";
export type { Labels } from "./losses.ts";
export { Module } from "./module.ts";
export { Parameter } from "./parameter.ts";
export { type FromPretrainedOptions, LoadReport } from "./pretrained.ts";
export { predict, type Prediction, type PredictOptions, type TextOrPair } from "./predict.ts";
export { PreTrainedModel } from "./pretrained_model.ts";
export { BertForSequenceClassification, SequenceClassifierOutput } from "./sequence_classification.ts";
export type { InferenceWeights } from "./weight_copy.ts";
