/**
 * What a report shows of labelled texts: counts, duplicates, leaks and lengths of each part, and a few examples.
 *
 * @module
 */
import { dataReport, type TextExample } from "../../data/mod.ts";
import type { DataCard, DataSplit } from "../../report/mod.ts";
import type { DataParts, TaskContext } from "./task.ts";

/** So many training examples are shown. */
const SAMPLES = 8;

/** The facts about each part. */
export function textCard(
  parts: DataParts<TextExample>,
  { tokenizer, known: { problem_type, labels }, max_length }: TaskContext,
): Partial<DataCard> {
  const { train } = parts;
  const splits = Object.entries(parts).flatMap(([name, examples]): DataSplit[] => {
    if (!examples || examples.length === 0) return [];
    const found = dataReport(examples, {
      tokenizer,
      max_length,
      labels: problem_type === "regression" ? [] : labels,
    });
    const { duplicates, conflicts, empty, leaks: _, ...facts } = found;
    const counts = { duplicates: duplicates.length, conflicts: conflicts.length, empty: empty.length };
    if (examples === train || train.length === 0) return [{ name, ...facts, ...counts }];
    return [{ name, ...facts, ...counts, leaks: dataReport(train, { test: examples }).leaks.length }];
  });
  const words = (label: TextExample["label"]): string =>
    label === undefined
      ? "—"
      : Array.isArray(label)
      ? labels.filter((_, k) => label[k]).join(", ") || "none"
      : problem_type === "regression"
      ? String(label)
      : labels[label];
  const stride = Math.max(1, Math.floor(train.length / SAMPLES));
  const samples = Array.from({ length: Math.min(SAMPLES, train.length) }, (_, i) => train[i * stride])
    .map(({ label, ...texts }) => ({ ...texts, label: words(label) }));
  return { splits, samples };
}
