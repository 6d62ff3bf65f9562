/**
 * The Trainer, optimizer, schedules, and what a step takes.
 *
 * @module
 */
export {
  AdamW,
  type AdamWOptions,
  type AdamWSettings,
  type FullGroup,
  type ParameterGroup,
} from "./adamw.ts";
export { clip_grad_norm_ } from "./gradient_table.ts";
export type { StateDtype } from "./moments.ts";
export { type NamedParameterGroup, type ParameterGroupOptions, parameterGroups } from "./parameter_groups.ts";
export { formatPlan, type Plan, plan, type PlanBytes, type PlanFlops, type PlanOptions } from "./plan.ts";
export {
  type FeatureVector,
  LogisticRegression,
  type LogisticRegressionOptions,
  type SparseVector,
} from "./logistic_regression.ts";
export {
  contrastivePairs,
  FewShotClassifier,
  type FewShotOptions,
  type LabelledText,
  trainFewShot,
} from "./sentence_few_shot.ts";
export { type SentenceExample, type SentenceTrainingOptions, trainSentences } from "./sentence_training.ts";
export type { FullArguments, IntervalStrategy, TrainingArguments } from "./arguments.ts";
export { type CheckpointStore, FolderStore, MemoryStore } from "./checkpoint_store.ts";
export {
  crossValidate,
  type CrossValidation,
  type CrossValidationOptions,
  foldsOf,
} from "./cross_validation.ts";
export { dataCollatorForLanguageModeling, type LanguageModelingOptions } from "./data_collators.ts";
export type { Dataset, Example, ExampleStream } from "./dataset.ts";
export type { FileChunks } from "../runtime/files.ts";
export type { EvalPrediction, PredictionOutput, Values } from "./evaluation.ts";
export type {
  Metrics,
  TrainerCallback,
  TrainerControl,
  TrainerListener,
  TrainingEvent,
  TrainingStep,
} from "./events.ts";
export type { BatchInputs, CollatorContext, Columns, DataCollator, Features } from "./features.ts";
export {
  hyperparameterSearch,
  type SearchOptions,
  type SearchRange,
  type SearchResult,
  type SearchSpace,
  type SearchTrial,
} from "./hyperparameter_search.ts";
export { findLearningRate, type LearningRateFinderOptions } from "./learning_rate_finder.ts";
export type { LearningRateSearch } from "./learning_rate_search.ts";
export {
  get_linear_schedule_with_warmup,
  get_scheduler,
  LearningRateSchedule,
  type SchedulerKwargs,
  type SchedulerOptions,
  type SchedulerType,
} from "./schedule.ts";
export { type TfidfOptions, TfidfVectorizer } from "./tfidf.ts";
export {
  pretrain,
  type PretrainedBert,
  type PretrainingOptions,
  type PretrainingProgress,
} from "./pretraining.ts";
export { readReceipt, type RunReceipt } from "./receipt.ts";
export { Trainer } from "./trainer.ts";
export type { RunSlice, StopReason, TrainerOptions, TrainOptions, TrainOutput } from "./trainer_options.ts";
export type { LogEntry, TrainerState, WatchedValues } from "./training_state.ts";
export { type Verification, type VerifyOptions, verifyRun } from "./verify.ts";
