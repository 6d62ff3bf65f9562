/**
 * Metrics by name: which are shares, which way is better, what they are called.
 *
 * @module
 */

import { formatNumber, formatPercent } from "./number.ts";
import type { EvaluationRecord } from "./types.ts";

const SHARES = /accuracy|f1|precision|recall|exact_match|auc/;
const CORRELATIONS = /mcc|matthews|pearson|spearman|r2|kappa/;
const ERRORS = /loss|mse|mae|rmse|error|ece|brier|perplexity|runtime/;

/** What a metric is, by its name. */
export function kindOfMetric(name: string): "share" | "correlation" | "error" | "other" {
  if (ERRORS.test(name)) return "error";
  if (SHARES.test(name)) return "share";
  return CORRELATIONS.test(name) ? "correlation" : "other";
}

/** True if high values of a metric are good ones; undefined if that is unknown. */
export function isHigherBetter(name: string): boolean | undefined {
  const kind = kindOfMetric(name);
  return kind === "other" ? undefined : kind !== "error";
}

/** A metric's value as text. */
export function formatMetric(name: string, value: number): string {
  if (kindOfMetric(name) === "share" && value >= 0 && value <= 1) return formatPercent(value, 2);
  return Math.abs(value) < 10 && Math.abs(value) >= 0.001 ? value.toFixed(4) : formatNumber(value, 4);
}

const WORDS: Readonly<Record<string, string>> = {
  ...{
    f1: "F1",
    mse: "MSE",
    mae: "MAE",
    rmse: "RMSE",
    mcc: "MCC",
    roc: "ROC",
    auc: "AUC",
    ece: "ECE",
    r2: "R²",
  },
  ...{ pearson: "Pearson's r", spearman: "Spearman's ρ" },
};

/** A metric's name in words: `f1_macro` is `F1 macro`. */
export function metricName(name: string): string {
  const text = name.split("_").map((word) => WORDS[word] ?? word).join(" ");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** All metrics of an evaluation but the loss, the accuracy first. */
export function metricsOf({ accuracy, metrics = {} }: EvaluationRecord): Record<string, number> {
  return { ...(accuracy === undefined ? {} : { accuracy }), ...metrics };
}

/** The names of all metrics of evaluations but the loss, in the order in which they come. */
export function metricNames(evaluations: readonly EvaluationRecord[]): string[] {
  return [...new Set(evaluations.flatMap((record) => Object.keys(metricsOf(record))))];
}
