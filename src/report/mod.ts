/**
 * A run as pictures and pages: line plots, bar plots and confusion matrices as SVG, and the whole training report as
 * one HTML file. Strings in, strings out; the results need no network, no script and no other file.
 *
 * @module
 */

export { barPlot, type BarPlotOptions, type BarSeries } from "./bar_plot.ts";
export { compareRuns, type NamedRun } from "./compare.ts";
export { confusionMatrix, type ConfusionMatrixOptions } from "./confusion_matrix.ts";
export { learningRatePlot } from "./learning_rate_plot.ts";
export { type Baseline, linePlot, type LinePlotOptions, type LineSeries } from "./line_plot.ts";
export { reportFigures } from "./figures.ts";
export { parseRunReport } from "./read_report.ts";
export { verdictSentence } from "./report_baseline.ts";
export { trainingReport } from "./training_report.ts";
export type {
  BaselineComparison,
  BaselineScore,
  CalibrationCard,
  ClassRow,
  CodeExample,
  ConfusionData,
  DataCard,
  DataSplit,
  EnvironmentCard,
  EvaluationRecord,
  LabelCount,
  LabelledText,
  LengthFacts,
  ModelCard,
  PredictionRow,
  RegressionCard,
  RunReport,
  Scalar,
  ScaleCard,
  SpeedCard,
  StepRecord,
  WatchedWeight,
  WordAttribution,
} from "./types.ts";
export type { LearningRateSearch } from "../train/learning_rate_search.ts";
export type { ClassScores } from "../metrics/mod.ts";
