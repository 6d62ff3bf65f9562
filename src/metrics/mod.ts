/**
 * Metrics with the names, meanings and numbers of scikit-learn, SciPy, seqeval and SQuAD. Pure: numbers in, numbers out.
 *
 * @module
 */
export {
  accuracy_score,
  balanced_accuracy_score,
  cohen_kappa_score,
  matthews_corrcoef,
} from "./agreement.ts";
export { compute_exact, compute_f1, normalize_answer, squad_scores, type SquadScores } from "./answers.ts";
export type { Label } from "./check.ts";
export {
  accuracy,
  type ClassificationReport,
  classificationReport,
  type ClassScores,
  confusionCounts,
} from "./classification_report.ts";
export { get_entities, seqeval_scores, type SeqevalOptions, type SeqevalScores } from "./entities.ts";
export { comparePaired, type PairedComparison } from "./paired.ts";
export {
  type Average,
  type AveragedScores,
  f1_score,
  precision_recall_fscore_support,
  precision_score,
  recall_score,
  type ScoreOptions,
  type ScoresPerClass,
  type Targets,
} from "./precision_recall.ts";
export {
  brier_score_loss,
  type Calibration,
  calibration_curve,
  calibration_error,
  type CalibrationCurve,
  log_loss,
  type ProbabilityOptions,
  type ReliabilityBin,
} from "./probability.ts";
export {
  average_precision_score,
  type RankingOptions,
  roc_auc_score,
  type Scores,
  top_k_accuracy_score,
} from "./ranking.ts";
export {
  mean_absolute_error,
  mean_squared_error,
  pearsonr,
  r2_score,
  root_mean_squared_error,
  spearmanr,
} from "./regression.ts";
export type { Entity, TagScheme } from "./tag_schemes.ts";
