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
export { LoraConfig, type LoraConfigOptions, type TaskType } from "./lora/config.ts";
export { type Adaptable, get_peft_model, PeftModel } from "./lora/peft_model.ts";
export type { AdapterSource } from "./lora/adapter_files.ts";
export { Module } from "./module.ts";
export { Parameter, type ParameterOptimizer } from "./parameter.ts";
export { type FromPretrainedOptions, LoadReport } from "./pretrained.ts";
export { predict, type Prediction, type PredictOptions, type TextOrPair } from "./predict.ts";
export { PreTrainedModel } from "./pretrained_model.ts";
export { BertForSequenceClassification, SequenceClassifierOutput } from "./sequence_classification.ts";
export type { InferenceWeights } from "./weight_copy.ts";
