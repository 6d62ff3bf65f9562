/**
 * Pipelines: a model and its tokenizer as one function of texts.
 *
 * @module
 */
export { Pipeline } from "./base.ts";
export { type FeatureExtractionOptions, FeatureExtractionPipeline, Features } from "./feature_extraction.ts";
export { pipeline, type PipelineOf, type PipelineOptions, type PipelineTask } from "./pipeline.ts";
export {
  type Classification,
  type ClassifiedText,
  type TextClassificationOptions,
  TextClassificationPipeline,
  type TextClassificationResult,
} from "./text_classification.ts";
