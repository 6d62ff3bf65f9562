/** Runs to report on. */
import type { RunReport } from "../../src/report/mod.ts";

/** A run of which little is known. */
export const BARE: RunReport = {
  title: "Film reviews",
  model: { name: "berth-tiny", parameters: 1_842_306, layers: 4, hidden_size: 128 },
  data: { train: 6920 },
  settings: { learning_rate: 3e-4, seed: 42 },
  environment: {},
  steps: [],
  evaluations: [],
};

/** A run with every part, in which every text is `text`. */
export function fullRun(text: string): RunReport {
  const attributions = [
    ...[{ start: 0, end: 2, score: 0.9 }, { start: 3, end: 5, score: -0.4 }, {
      start: 0,
      end: 1,
      pair: true,
      score: 0.5,
    }],
    ...[{ start: 4, end: 4_000_000, score: 1 }, { start: 9, end: 2, score: NaN }], // what cannot be is passed over
  ];
  const prediction = {
    ...{
      text,
      text_pair: text,
      predicted: text,
      probability: 0.9,
      expected: "other",
      baseline: text,
      attributions,
    },
  };
  const lengths = {
    ...{ min: 3, mean: 7, median: 6, p95: 12, max: 14, max_length: 12, truncated: 0.25 },
    histogram: [{ from: 0, to: 9, count: 3 }, { from: 10, to: 19, count: 1 }],
  };
  const labels = [{ label: text, count: 4 }];
  const split = { examples: 4, labels, unlabeled: 0, empty: 1, duplicates: 2, conflicts: 0, lengths };
  const details = { [text]: text };
  return {
    title: text,
    startedAt: text,
    elapsedMs: 185_000,
    model: { name: text, parameters: 10, trainable_parameters: 5, layers: 1, hidden_size: 4, details },
    data: {
      ...{ name: text, train: 4, dev: 2, test: 2, labelCounts: labels, details },
      splits: [{ ...split, name: "train" }, {
        ...split,
        name: text,
        leaks: 1,
        values: { min: 0, mean: 1, max: 2 },
      }],
      samples: [{ text, text_pair: text, label: text }],
    },
    settings: details,
    environment: { version: text, runtime: text, profile: text, threads: 2, details },
    steps: Array.from({ length: 40 }, (_, i) => ({
      step: i + 1,
      epoch: i / 10,
      loss: 1 / (i + 1),
      learning_rate: 1e-4,
      grad_norm: 1,
      elapsedMs: i * 10,
      tokens: i * 100,
    })),
    evaluations: [{ step: 0, epoch: 0, loss: 0.7, accuracy: 0.5, metrics: { f1_macro: 0.4, [text]: 1 } }, {
      ...{
        step: 40,
        epoch: 4,
        loss: 0.4,
        accuracy: 0.75,
        metrics: { f1_macro: 0.7, [text]: 2 },
        durationMs: 50,
      },
    }],
    metrics: { accuracy: 0.75, [text]: 3 },
    calibration: {
      ...{ ece: 0.125, log_loss: 0.5, brier: 0.25 },
      bins: [
        { lower: 0, upper: 0.5, count: 0, confidence: null, accuracy: null },
        { lower: 0.5, upper: 1, count: 8, confidence: 0.875, accuracy: 0.75 },
      ],
    },
    regression: { expected: [0, 1, NaN], predicted: [0.5, 0.5, 1], total: 30 },
    comparison: {
      ...{ name: text, model_accuracy: 0.75, baseline_accuracy: 0.5, p_value: 0.02 },
      majority: { label: text, accuracy: 0.5 },
      counts: { both: 4, only_model: 2, only_baseline: 0, neither: 2 },
      difference: { value: 0.25, low: 0.01, high: 0.49 },
      ...{ features: 12, seconds: 0.5, only_model: [prediction], only_baseline: [prediction] },
    },
    speed: {
      wasm_bytes: 2 ** 25,
      process_bytes: 2 ** 30,
      plan_bytes: { weights: 2 ** 20, total: 2 ** 21 },
      plan_of: text,
    },
    watch: [{ name: text, values: [1, 2, 3] }],
    baselines: [{ name: text, accuracy: 0.6 }],
    confusion: { labels: [text, "b"], counts: [[3, 1], [1, 3]] },
    perClass: [{ label: text, precision: 0.75, recall: 0.75, f1: 0.75, support: 4 }],
    tried: [{ text, predicted: text, probability: NaN }],
    predictions: [prediction],
    worst: [prediction],
    uncertain: [prediction],
    code: [{ title: text, language: text, text }],
  };
}
