/** Pasted text or a file -> labelled sentences, with a word on each line that does not fit. */
import { Random } from "../../../src/random.ts";
import type { TrainingData } from "./messages.ts";
import { readRows, type TextRow } from "./rows.ts";

/** Sentences at most. */
export const MAX_EXAMPLES = 5000;
const MAX_LABELS = 50;
const MAX_LABEL_LENGTH = 60;

/** A share of the sentences is held out to judge by. */
const HELD_OUT = 0.2;

const TEXT_NAMES = /^(text|sentence|review|comment|content|message|tweet|title|body|question|utterance)s?$/i;
const LABEL_NAMES = /^(label|class|category|intent|sentiment|target|topic|tag|y)(es|s)?$/i;

/** A line that cannot be used. */
export interface Problem {
  line: number;
  message: string;
}

/** What was read. */
export interface Reading {
  examples: { text: string; label: string }[];
  /** Labels in order of their names, with how many sentences have each. */
  labels: { label: string; count: number }[];
  /** In order of their lines. */
  problems: Problem[];
  /** Why training cannot begin; `undefined` if it can. */
  wanted?: string;
}

/** Reads sentences with labels, separated by commas, semicolons or tabs, with or without a line of names. */
export function readExamples(text: string): Reading {
  const { rows, problems } = readRows(text), examples: Reading["examples"] = [];
  const columns = findColumns(rows);
  for (const row of columns.hasNames ? rows.slice(1) : rows) {
    const example = exampleOf(row, columns), message = complaint(row, example);
    if (message) problems.push({ line: row.line, message });
    else if (examples.length < MAX_EXAMPLES) examples.push(example);
    else {
      problems.push({ line: row.line, message: `only the first ${MAX_EXAMPLES} sentences are used` });
      break;
    }
  }
  const counts = new Map<string, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  const labels = [...counts].map(([label, count]) => ({ label, count }))
    .sort((a, b) => a.label.localeCompare(b.label, "en", { numeric: true }));
  problems.sort((a, b) => a.line - b.line);
  return { examples, labels, problems, wanted: wantedOf(examples.length, labels) };
}

interface Columns {
  text: number;
  label: number;
  count: number;
  hasNames: boolean;
}

/**
 * By the names in the first line; without any, the longer one of the first column and the last is the text. There are
 * as many columns as the shortest of the first lines has that has two or more.
 */
function findColumns(rows: readonly TextRow[]): Columns {
  const names = rows[0]?.fields.map((name) => name.trim()) ?? [];
  const text = names.findIndex((name) => TEXT_NAMES.test(name));
  const label = names.findIndex((name) => LABEL_NAMES.test(name));
  if (text >= 0 && label >= 0) return { text, label, count: names.length, hasNames: true };
  const sample = rows.slice(0, 100).filter(({ fields }) => fields.length > 1);
  const count = Math.min(...sample.map(({ fields }) => fields.length));
  const first = sample.reduce((sum, { fields }) => sum + fields[0].trim().length, 0);
  const last = sample.reduce((sum, { fields }) => sum + fields[fields.length - 1].trim().length, 0);
  return first >= last
    ? { text: 0, label: count - 1, count, hasNames: false }
    : { text: count - 1, label: 0, count, hasNames: false };
}

/** A row's sentence and label. A sentence may have commas without quotes if the text is the first of two columns. */
function exampleOf({ fields }: TextRow, { text, label, count }: Columns): { text: string; label: string } {
  if (fields.length > count && text === 0 && label === count - 1) {
    return { text: fields.slice(0, 1 - count).join(",").trim(), label: fields[fields.length - 1].trim() };
  }
  return { text: fields[text]?.trim() ?? "", label: fields[label]?.trim() ?? "" };
}

function complaint(
  { fields }: TextRow,
  { text, label }: { text: string; label: string },
): string | undefined {
  if (fields.length === 1) return "it has no label; a comma, a tab or a semicolon and a label are wanted";
  if (text === "") return "it has no sentence";
  if (label === "") return "it has no label";
  if (label.length > MAX_LABEL_LENGTH) return `its label is longer than ${MAX_LABEL_LENGTH} characters`;
}

function wantedOf(count: number, labels: Reading["labels"]): string | undefined {
  if (count === 0) return undefined;
  if (labels.length < 2) {
    return `All sentences have the label “${labels[0].label}”. At least two labels are wanted.`;
  }
  if (labels.length > MAX_LABELS) {
    return `There are ${labels.length} labels. At most ${MAX_LABELS} can be told apart here; are they labels?`;
  }
  const rare = labels.find(({ count }) => count < 2);
  if (rare) return `The label “${rare.label}” stands at one sentence only. At least two of each are wanted.`;
  if (count < 8) return `${count} sentences are too few. At least 8 are wanted; 50 and more work well.`;
}

/** Holds out a share of each label's sentences, at least one; the same ones each time. */
export function splitExamples({ examples, labels }: Reading): TrainingData {
  const names = labels.map(({ label }) => label),
    train: TrainingData["train"] = [],
    test: TrainingData["test"] = [];
  const random = new Random(0, 3);
  names.forEach((name, label) => {
    const texts = examples.filter((example) => example.label === name).map(({ text }) => text);
    const own = random.shuffle(texts).map((text) => ({ text, label }));
    const held = Math.max(1, Math.round(own.length * HELD_OUT));
    test.push(...own.slice(0, held));
    train.push(...own.slice(held));
  });
  return { train: random.shuffle(train), test, labels: names };
}
