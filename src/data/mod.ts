/**
 * Examples: how they are read, checked, described, split, and put in order.
 *
 * @module
 */
export { type ChoiceExample, choiceExamples, type ChoiceRow } from "./choice.ts";
export { alignTags, type ConllOptions, parseConll, type TaggedDataset, type TaggedWords } from "./conll.ts";
export type { Column, ColumnOptions, ColumnPlan } from "./columns.ts";
export { type CsvDialect, formatCsv } from "./csv.ts";
export {
  type DatasetInfo,
  type ExampleOptions,
  LabeledDataset,
  type RowSource,
  TextDataset,
  type TextExample,
  TextStream,
} from "./dataset.ts";
export type { DataFormat } from "./format.ts";
export { type LabelOptions, type LabelProblem, LabelSchema } from "./labels.ts";
export {
  type BlockFeature,
  type BlockOptions,
  type IdTokenizer,
  parseDocuments,
  type SentencePairFeature,
  type SentencePairOptions,
  sentencePairs,
  textBlocks,
} from "./pretraining_text.ts";
export type { Place } from "./problem.ts";
export {
  type DataReport,
  dataReport,
  formatDataReport,
  type Lengths,
  type ReportOptions,
  type TokenCounter,
} from "./report.ts";
export type { Row, RowBatch, RowLimits } from "./rows.ts";
export { lengthGroupedBatches, type LengthGroupedOptions } from "./sampler.ts";
export {
  balanceClasses,
  compute_class_weight,
  type Labeled,
  type SplitOptions,
  train_test_split,
} from "./split.ts";
export {
  type PairTokenizer,
  parseSquad,
  type SpanFeature,
  type SpanFeatures,
  spanFeatures,
  type SquadAnswer,
  type SquadExample,
} from "./squad.ts";
export type { RowOptions } from "./text_rows.ts";
