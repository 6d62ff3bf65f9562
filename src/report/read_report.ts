/**
 * A run's report from a file: every value is checked, so that drawing it cannot fail on a damaged file.
 *
 * @module
 */

import { DataError } from "../errors.ts";
import type { RunReport } from "./types.ts";

/** Checks a value at a place; `undefined` is dealt with by the object around it. */
type Check = (value: unknown, place: string) => void;

function refuse(place: string, value: unknown, wanted: string): never {
  const text = JSON.stringify(value) ?? String(value);
  throw new DataError(
    `Cannot use the report: ${place} is ${
      text.length > 60 ? `${text.slice(0, 60)}...` : text
    }, ${wanted} is wanted`,
  );
}

const text: Check = (value, place) => {
  if (typeof value !== "string") refuse(place, value, "a text");
};

/** JSON has no NaN and no infinity: they are written as null. */
const number: Check = (value, place) => {
  if (typeof value !== "number" && value !== null) refuse(place, value, "a number");
};

const finite: Check = (value, place) => {
  if (typeof value !== "number") refuse(place, value, "a number");
};

const flag: Check = (value, place) => {
  if (typeof value !== "boolean") refuse(place, value, "true or false");
};

const scalar: Check = (value, place) => {
  if (!["string", "number", "boolean"].includes(typeof value)) {
    refuse(place, value, "a text, number, true or false");
  }
};

/** A list. */
function list(item: Check): Check {
  return (value, place) => {
    if (!Array.isArray(value)) refuse(place, value, "a list");
    value.forEach((one, i) => item(one, `${place}[${i}]`));
  };
}

/** An object of any keys. */
function table(item: Check): Check {
  return (value, place) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      refuse(place, value, "an object");
    }
    for (const [key, one] of Object.entries(value)) item(one, `${place}.${key}`);
  };
}

/** An object with these keys; a check in a list is of a key that may be absent. */
function object(fields: Readonly<Record<string, Check | [Check]>>): Check {
  return (value, place) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      refuse(place, value, "an object");
    }
    for (const [key, check] of Object.entries(fields)) {
      const one = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
      if (Array.isArray(check)) {
        if (one !== undefined) check[0](one, `${place}.${key}`);
      } else check(one, `${place}.${key}`);
    }
  };
}

const labelCount = object({ label: text, count: finite });
const details: [Check] = [table(scalar)];
const prediction = object({
  ...{ text, text_pair: [text], predicted: text, probability: [number], expected: [text], right: [flag] },
  baseline: [text],
  attributions: [list(object({ start: finite, end: finite, pair: [flag], score: number }))],
});
const predictions: [Check] = [list(prediction)];
const lengths = object({
  ...{
    min: finite,
    mean: finite,
    median: finite,
    p95: finite,
    max: finite,
    max_length: finite,
    truncated: finite,
  },
  histogram: [list(object({ from: finite, to: finite, count: finite }))],
});
const split = object({
  ...{
    name: text,
    examples: finite,
    labels: list(labelCount),
    unlabeled: finite,
    empty: finite,
    duplicates: finite,
  },
  ...{ conflicts: finite, leaks: [finite], lengths: [lengths] },
  values: [object({ min: finite, mean: finite, max: finite })],
});
const step = object({
  ...{
    step: finite,
    epoch: finite,
    loss: number,
    learning_rate: number,
    grad_norm: [number],
    elapsedMs: finite,
  },
  tokens: [finite],
});
const evaluation = object({
  ...{
    step: finite,
    epoch: finite,
    loss: [number],
    accuracy: [number],
    metrics: [table(number)],
    durationMs: [finite],
  },
});

const report = object({
  ...{ title: text, startedAt: [text], elapsedMs: [finite] },
  model: object({
    ...{
      name: text,
      parameters: finite,
      trainable_parameters: [finite],
      layers: finite,
      hidden_size: finite,
      details,
    },
  }),
  data: object({
    ...{
      name: [text],
      train: finite,
      dev: [finite],
      test: [finite],
      labelCounts: [list(labelCount)],
      details,
    },
    ...{ splits: [list(split)], samples: [list(object({ text, text_pair: [text], label: text }))] },
  }),
  settings: table(scalar),
  environment: object({ runtime: [text], profile: [text], threads: [finite], version: [text], details }),
  ...{ steps: list(step), evaluations: list(evaluation) },
  watch: [list(object({ name: text, values: list(number), steps: [list(finite)] }))],
  metrics: [table(number)],
  baselines: [list(object({ name: text, accuracy: finite }))],
  confusion: [object({ labels: list(text), counts: list(list(finite)) })],
  perClass: [list(object({ label: text, precision: number, recall: number, f1: number, support: finite }))],
  calibration: [object({
    ...{ ece: finite, log_loss: finite, brier: [finite] },
    bins: list(object({ lower: finite, upper: finite, count: finite, confidence: number, accuracy: number })),
  })],
  regression: [object({ expected: list(number), predicted: list(number), total: [finite] })],
  comparison: [object({
    ...{ name: text, model_accuracy: finite, baseline_accuracy: finite, p_value: finite },
    majority: object({ label: text, accuracy: finite }),
    counts: object({ both: finite, only_model: finite, only_baseline: finite, neither: finite }),
    difference: object({ value: finite, low: finite, high: finite }),
    ...{ features: [finite], seconds: [finite], only_model: predictions, only_baseline: predictions },
  })],
  speed: [object({
    ...{ wasm_bytes: [finite], process_bytes: [finite], plan_bytes: [table(finite)], plan_of: [text] },
  })],
  scale: [object({
    ...{ ranks: finite, engine: text, communication_seconds: finite, communication_share: finite },
    overlap: [finite],
  })],
  ...{ tried: predictions, predictions, worst: predictions, uncertain: predictions },
  code: [list(object({ title: text, language: [text], text }))],
});

/**
 * Checks a report that comes from a file, such as the `results.json` of a run with its steps and evaluations.
 *
 * @param json What JSON.parse gave. Numbers that JSON cannot hold are null in it, and become NaN.
 * @returns The report.
 * @throws {DataError} if it is no report; the message says where.
 *
 * @example
 * ```ts
 * import { parseRunReport, type RunReport } from "@berth/berth/report";
 *
 * const run: RunReport = {
 *   title: "Film reviews",
 *   model: { name: "berth-tiny", parameters: 1_842_306, layers: 4, hidden_size: 128 },
 *   ...{ data: { train: 6920 }, settings: {}, environment: {}, steps: [], evaluations: [] },
 * };
 * console.log(parseRunReport(JSON.parse(JSON.stringify(run))).title); // Film reviews
 * ```
 */
export function parseRunReport(json: unknown): RunReport {
  report(json, "report");
  return withNaN(json) as RunReport;
}

/** The same with NaN for null. */
function withNaN(value: unknown): unknown {
  if (value === null) return NaN;
  if (Array.isArray(value)) return value.map(withNaN);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withNaN(one)]));
}
