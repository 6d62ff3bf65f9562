/**
 * Pipelines: a model and its tokenizer as one function of texts.
 *
 * @module
 */
export { Pipeline } from "./base.ts";
export {
  FeatureArray,
  type FeatureExtractionOptions,
  FeatureExtractionPipeline,
} from "./feature_extraction.ts";
export { type FilledMask, type FillMaskOptions, FillMaskPipeline } from "./fill_mask.ts";
export {
  pipeline,
  type PipelineCallOptions,
  type PipelineOf,
  type PipelineOptions,
  type PipelineTask,
} from "./pipeline.ts";
export {
  type Answer,
  type PerQuestion,
  type Question,
  type QuestionAnsweringOptions,
  QuestionAnsweringPipeline,
  type QuestionAnsweringResult,
} from "./question_answering.ts";
export {
  type Classification,
  type ClassifiedText,
  type TextClassificationOptions,
  TextClassificationPipeline,
  type TextClassificationResult,
} from "./text_classification.ts";
export type { AggregationStrategy, FoundEntity } from "./entities.ts";
export { type TokenClassificationOptions, TokenClassificationPipeline } from "./token_classification.ts";
