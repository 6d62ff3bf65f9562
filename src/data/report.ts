/**
 * What is in a dataset, and what is wrong with it: labels, duplicates, texts of the test set among those for training,
 * texts with two labels, empty texts, lengths.
 *
 * @module
 */
import type { TextExample } from "./dataset.ts";

/** Counts the tokens of texts, and of pairs of texts: `tokenizer` as it is. */
export interface TokenCounter {
  /** Encodes texts without cutting them. */
  (texts: (string | readonly [string, string])[], options: { truncation: false }): { input_ids: number[][] };
}

/** Options of {@linkcode dataReport}. */
export interface ReportOptions {
  /** The test set: texts of it that are among the examples are told. */
  test?: readonly TextExample[];
  /** Tells lengths in tokens. */
  tokenizer?: TokenCounter;
  /** What is cut off beyond. Default 512. */
  max_length?: number;
  /** The names of the classes. Default: their numbers. */
  labels?: readonly string[];
}

/** The lengths of the examples, in tokens with special ones. */
export interface Lengths {
  /** The shortest. */
  min: number;
  /** The mean. */
  mean: number;
  /** Half are as long or shorter. */
  median: number;
  /** 95 of 100 are as long or shorter. */
  p95: number;
  /** The longest. */
  max: number;
  /** What is cut off beyond. */
  max_length: number;
  /** The share of examples that are cut, 0 to 1. */
  truncated: number;
  /** How many have `from` to `to` tokens, both counted; at most 30 ranges of one width. */
  histogram: { from: number; to: number; count: number }[];
}

/** What is in a dataset. Numbers of examples are counted from 0. */
export interface DataReport {
  /** How many examples. */
  examples: number;
  /** How many of each class; several labels count once each. Empty for numbers to be predicted. */
  labels: { label: string; count: number }[];
  /** Examples without a label. */
  unlabeled: number;
  /** The least, mean and greatest number to be predicted. */
  values?: { min: number; mean: number; max: number };
  /** Examples whose text occurred before (case and space do not count). */
  duplicates: number[];
  /** Groups of examples with the same text and different labels. */
  conflicts: number[][];
  /** Examples of the test set whose text is among the examples. */
  leaks: number[];
  /** Examples without any text. */
  empty: number[];
  /** Lengths in tokens, with a tokenizer. */
  lengths?: Lengths;
}

/** Texts are encoded so many at a time. */
const BATCH = 256;

function keyOf({ text, text_pair }: TextExample): string {
  const plain = (part: string) => part.trim().replace(/\s+/g, " ").toLowerCase();
  return text_pair === undefined ? plain(text) : `${plain(text)}\n${plain(text_pair)}`;
}

/**
 * Looks at all examples.
 *
 * @param examples The examples for training.
 * @returns The findings; {@linkcode formatDataReport} words them.
 *
 * @example
 * ```ts
 * import { dataReport, formatDataReport } from "@berth/berth";
 *
 * const train = [{ text: "Fine.", label: 1 }, { text: "fine. ", label: 0 }, { text: "", label: 0 }];
 * const report = dataReport(train, { test: [{ text: "Fine.", label: 1 }], labels: ["bad", "good"] });
 * console.log(report.conflicts, report.leaks, report.empty); // [[0, 1]] [0] [2]
 * console.log(formatDataReport(report));
 * ```
 */
export function dataReport(examples: readonly TextExample[], options: ReportOptions = {}): DataReport {
  const { test = [], tokenizer, max_length = 512, labels } = options;
  const groups = new Map<string, number[]>();
  examples.forEach((example, i) => {
    const key = keyOf(example), group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  });
  const sorted = (numbers: number[]) => numbers.sort((a, b) => a - b);
  const labelKey = (i: number) => String(examples[i].label);
  const repeated = [...groups.values()].filter((group) => group.length > 1);
  const numbers = (all: readonly TextExample[], isWanted: (example: TextExample) => boolean) =>
    all.flatMap((example, i) => isWanted(example) ? [i] : []);
  return {
    examples: examples.length,
    ...countLabels(examples, labels),
    duplicates: sorted(repeated.flatMap((group) => group.slice(1))),
    conflicts: repeated.filter((group) => new Set(group.map(labelKey)).size > 1),
    leaks: numbers(test, (example) => groups.has(keyOf(example))),
    empty: numbers(examples, ({ text, text_pair = "" }) => text.trim() === "" && text_pair.trim() === ""),
    ...(tokenizer && examples.length > 0 && { lengths: measure(examples, tokenizer, max_length) }),
  };
}

function countLabels(
  examples: readonly TextExample[],
  names: readonly string[] | undefined,
): Pick<DataReport, "labels" | "unlabeled" | "values"> {
  const given = examples.flatMap(({ label }) => label === undefined ? [] : [label]);
  const unlabeled = examples.length - given.length;
  if (given.some((label) => typeof label === "number" && !Number.isInteger(label))) {
    const numbers = given as number[], sum = numbers.reduce((a, b) => a + b, 0);
    const min = numbers.reduce((a, b) => Math.min(a, b)), max = numbers.reduce((a, b) => Math.max(a, b));
    return { labels: [], unlabeled, values: { min, mean: sum / numbers.length, max } };
  }
  const counts = new Map((names ?? []).map((_, k) => [k, 0]));
  for (const label of given) {
    const classes = typeof label === "number" ? [label] : label.flatMap((flag, k) => flag ? [k] : []);
    for (const k of classes) counts.set(k, (counts.get(k) ?? 0) + 1);
  }
  const ordered = [...counts].sort(([a], [b]) => a - b);
  return { labels: ordered.map(([k, count]) => ({ label: names?.[k] ?? String(k), count })), unlabeled };
}

function measure(examples: readonly TextExample[], tokenizer: TokenCounter, max_length: number): Lengths {
  const lengths: number[] = [];
  for (let at = 0; at < examples.length; at += BATCH) {
    const texts = examples.slice(at, at + BATCH).map(({ text, text_pair }) =>
      text_pair === undefined ? text : [text, text_pair] as const
    );
    // A batch is all texts or all pairs.
    for (const { length } of tokenizer(texts, { truncation: false }).input_ids) lengths.push(length);
  }
  return lengthsOf(lengths, max_length);
}

/** @ignore What rows of so many tokens come to; sorts them. */
export function lengthsOf(lengths: number[], max_length: number): Lengths {
  lengths.sort((a, b) => a - b);
  const rank = (share: number) =>
    lengths[Math.min(lengths.length - 1, Math.ceil(share * lengths.length) - 1)];
  return {
    min: lengths[0],
    mean: lengths.reduce((a, b) => a + b, 0) / lengths.length,
    median: rank(0.5),
    p95: rank(0.95),
    max: lengths[lengths.length - 1],
    max_length,
    truncated: lengths.filter((length) => length > max_length).length / lengths.length,
    histogram: countLengths(lengths),
  };
}

/** Ranges of a histogram at most. */
const MOST_RANGES = 30;

/** Counts ascending lengths in ranges that are 1, 2, 5, 10, 20, ... wide. */
function countLengths(lengths: readonly number[]): Lengths["histogram"] {
  const longest = lengths[lengths.length - 1], first = (width: number) => Math.floor(lengths[0] / width);
  const fits = (width: number) => Math.floor(longest / width) - first(width) < MOST_RANGES;
  let width = 1;
  for (let power = 1; !fits(width); power *= 10) {
    width = [2 * power, 5 * power, 10 * power].find(fits) ?? 10 * power;
  }
  const count = Math.floor(longest / width) - first(width) + 1;
  const ranges = Array.from({ length: count }, (_, i) => {
    const from = (first(width) + i) * width;
    return { from, to: from + width - 1, count: 0 };
  });
  for (const length of lengths) ranges[Math.floor(length / width) - first(width)].count++;
  return ranges;
}

/** Numbers of examples, a few of them. */
function some(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 5).join(", ");
  return numbers.length > 5 ? `${shown}, ...` : shown;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** @ignore How many there are of each, a line each. */
export function formatCounts(counts: readonly { label: string; count: number }[], total: number): string[] {
  const width = Math.max(0, ...counts.map(({ label }) => label.length));
  return counts.map(({ label, count }) =>
    `  ${label.padEnd(width)}  ${String(count).padStart(String(total).length)}  ${percent(count / total)}`
  );
}

/** @ignore Lengths as a line. */
export function formatLengths({ min, mean, median, p95, max, max_length, truncated }: Lengths): string {
  return `tokens: ${min} to ${max}, mean ${mean.toFixed(1)}, median ${median}, 95 % up to ${p95}; ` +
    `${percent(truncated)} are cut at ${max_length}`;
}

/**
 * A report as plain text: one line a finding, and none for what is in order.
 *
 * @param report What {@linkcode dataReport} found.
 * @param notes Sentences to put before, such as a dataset's `notes`.
 */
export function formatDataReport(report: DataReport, notes: readonly string[] = []): string {
  const { examples, labels, unlabeled, values, duplicates, conflicts, leaks, empty, lengths } = report;
  const lines = [...notes, `${examples} examples`, ...formatCounts(labels, examples)];
  if (values) lines.push(`  labels from ${values.min} to ${values.max}, mean ${values.mean.toPrecision(4)}`);
  if (lengths) lines.push(formatLengths(lengths));
  const found: [count: number, sentence: string][] = [
    [unlabeled, `${unlabeled} without a label`],
    [empty.length, `${empty.length} without text: ${some(empty)}`],
    [duplicates.length, `${duplicates.length} whose text occurred before: ${some(duplicates)}`],
    [
      conflicts.length,
      `${conflicts.length} texts with different labels: ${
        conflicts.slice(0, 5).map((group) => `(${some(group)})`).join(", ")
      }`,
    ],
    [leaks.length, `${leaks.length} of the test set whose text is among these: ${some(leaks)}`],
  ];
  return [...lines, ...found.filter(([count]) => count > 0).map(([, sentence]) => sentence)].join("\n");
}
