/**
 * Which columns hold the text, the second text and the label: those that are named, else those whose names say so.
 *
 * @module
 */
import { dataError, listed, nearest, quote } from "./problem.ts";
import type { Row } from "./rows.ts";

/** The columns to take. */
export interface ColumnOptions {
  /** The column of the text. Default: guessed from the names, such as `text`, `sentence`, `review`. */
  text?: string;
  /** The column of the second text of a pair; `null` for none. Default: guessed along with the first. */
  text_pair?: string | null;
  /** The column of the label; `null` for none. Default: guessed, such as `label`, `class`, `sentiment`. */
  label?: string | null;
}

/** A column of a file. */
export interface Column {
  /** Its name in the file. */
  readonly name: string;
  /** Its place, for rows that are lists. */
  readonly index: number;
}

/** The columns of a dataset, and how they were found. */
export interface ColumnPlan {
  /** The text. */
  readonly text: Column;
  /** The second text. */
  readonly text_pair: Column | null;
  /** The label. */
  readonly label: Column | null;
  /** The names of all columns of the file. */
  readonly names: readonly string[];
  /** One sentence for each guess. */
  readonly notes: readonly string[];
}

/** Names that come in pairs (GLUE, SNLI and others). */
const PAIRS: readonly [first: string, second: string][] = [
  ["text", "text_pair"],
  ["sentence1", "sentence2"],
  ["premise", "hypothesis"],
  ["question1", "question2"],
  ["question", "sentence"],
  ["#1 string", "#2 string"],
  ["text1", "text2"],
  ["text_a", "text_b"],
  ["sentence_a", "sentence_b"],
  ["query", "passage"],
  ["query", "document"],
  ["anchor", "positive"],
];
const TEXTS = [
  ...[
    "text",
    "sentence",
    "review",
    "content",
    "tweet",
    "comment",
    "comment_text",
    "document",
    "body",
    "message",
  ],
  ...[
    "utterance",
    "review_text",
    "reviewtext",
    "question",
    "query",
    "headline",
    "title",
    "description",
    "input",
  ],
];
const LABELS = [
  ...["label", "labels", "class", "target", "category", "sentiment", "gold_label", "is_duplicate", "quality"],
  ...["intent", "emotion", "topic", "score", "rating", "stars", "similarity", "polarity", "y"],
];

/** True if such columns are usually called so. */
export function isUsualName(name: string): boolean {
  const plain = name.trim().toLowerCase();
  return TEXTS.includes(plain) || LABELS.includes(plain) || PAIRS.some((pair) => pair.includes(plain));
}

/**
 * Chooses the columns.
 *
 * @param name The file's name, for messages.
 * @param names The names of all columns.
 * @throws {DataError} if a column that is named is not there, or none looks like text.
 */
export function planColumns(name: string, names: readonly string[], options: ColumnOptions): ColumnPlan {
  const lower = names.map((column) => column.trim().toLowerCase()), notes: string[] = [];
  const column = (index: number): Column => ({ name: names[index], index });
  const named = (role: string, wanted: string): Column => {
    const index = names.indexOf(wanted);
    if (index >= 0) return column(index);
    const near = nearest(wanted, names);
    const hint = near === undefined ? "" : `; do you mean ${quote(near)}?`;
    throw dataError(
      name,
      {},
      `there is no column ${quote(wanted)} for the ${role}; there are ${listed(names)}${hint}`,
    );
  };
  const guessed = (role: string, index: number): Column => {
    notes.push(`${role} is the column ${quote(names[index])} (guessed from its name)`);
    return column(index);
  };
  const taken = [options.text, options.text_pair, options.label].flatMap((wanted) =>
    wanted == null ? [] : names.indexOf(wanted)
  );
  const find = (candidates: readonly string[]) => {
    const found = candidates.find((candidate) =>
      lower.includes(candidate) && !taken.includes(lower.indexOf(candidate))
    );
    return found === undefined ? -1 : lower.indexOf(found);
  };

  const labelAt = options.label === undefined ? find(LABELS) : -1;
  const label = options.label
    ? named("label", options.label)
    : labelAt >= 0
    ? guessed("label", labelAt)
    : null;
  const pair = PAIRS.find((both) => both.every((half) => lower.includes(half)))?.map((half) =>
    lower.indexOf(half)
  );
  const isFree = (index: number) => index !== label?.index && !taken.includes(index);

  let text: Column;
  if (options.text !== undefined) text = named("text", options.text);
  else if (pair && (options.text_pair === null ? isFree(pair[0]) : pair.every(isFree))) {
    text = guessed("text", pair[0]);
  } else {
    const rest = names.map((_, index) => index).filter(isFree), known = find(TEXTS);
    if (known >= 0 && isFree(known)) text = guessed("text", known);
    else if (rest.length === 1) {
      text = column(rest[0]);
      notes.push(`text is the column ${quote(text.name)} (the only one left)`);
    } else {
      throw dataError(
        name,
        {},
        `no column looks like the text; there are ${listed(names)}: the option text names it, ` +
          "column_names names the columns of a file without a header line",
      );
    }
  }
  const { text_pair } = options;
  if (text_pair) return { text, text_pair: named("second text", text_pair), label, names, notes };
  const isGuess = text_pair === undefined && pair?.[0] === text.index && isFree(pair[1]);
  return { text, text_pair: isGuess ? guessed("text_pair", pair[1]) : null, label, names, notes };
}

/** The value of a column in a row. */
export function valueAt(row: Row, column: Column): unknown {
  const { values } = row;
  if (Array.isArray(values)) return values[column.index];
  return Object.hasOwn(values, column.name) ? (values as Record<string, unknown>)[column.name] : undefined;
}
