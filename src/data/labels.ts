/**
 * Labels: what kind they are, which there are, and each as what a model is trained with: the number of a class, a row
 * of 0 and 1, or a number to be predicted.
 *
 * @module
 */
import { compareLabels } from "../metrics/check.ts";
import { dataError, listed, nearest, type Place, quote } from "./problem.ts";

/** What a model's head is to learn, as in transformers. */
export type LabelProblem = "single_label_classification" | "multi_label_classification" | "regression";

/** How labels are read. */
export interface LabelOptions {
  /** The names of the classes in the order of their numbers. Default: those in the file, in order. */
  labels?: readonly string[];
  /** Default: regression if there are fractions, several labels if there are lists or a separator, else one. */
  problem_type?: LabelProblem;
  /** What stands between several labels in one text, such as `"|"`. Default: a text is one label. */
  label_separator?: string;
  /** Whether the numbers of the classes stand for their names too. Default false. */
  label_numbers?: boolean;
}

/** The most classes: more, and it is no column of labels. */
const MAX_CLASSES = 10_000;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, WHOLE = /^[+-]?\d+$/;

/** The labels of a dataset. */
export class LabelSchema {
  /** The names of the classes by their numbers, as in config.json. Regression has one, `LABEL_0`. */
  readonly id2label: Readonly<Record<number, string>>;
  /** The numbers of the classes by their names. */
  readonly label2id: Readonly<Record<string, number>>;
  readonly #ids: ReadonlyMap<string, number>;

  /**
   * Labels of one kind.
   *
   * @param problem_type What is to be learned.
   * @param labels The names of the classes.
   * @param separator What stands between several labels in one text.
   * @param numbers Whether the numbers of the classes stand for their names too.
   */
  constructor(
    readonly problem_type: LabelProblem,
    readonly labels: readonly string[],
    readonly separator?: string,
    numbers = false,
  ) {
    const names = problem_type === "regression" ? ["LABEL_0"] : labels;
    const byName = names.map((label, id) => [label, id] as const);
    const byNumber = numbers ? names.map((_, id) => [String(id), id] as const) : [];
    this.#ids = new Map([...byNumber, ...byName]);
    this.id2label = Object.fromEntries(names.map((label, id) => [id, label]));
    this.label2id = Object.fromEntries(byName);
  }

  /** How many outputs a head needs. */
  get num_labels(): number {
    return Object.keys(this.id2label).length;
  }

  /**
   * A label as a model is trained with it: a class's number, or a number; several as a row of 0 and 1. [K]
   *
   * @throws {DataError} if it is missing, NaN, or none of the classes.
   */
  encode(value: unknown, name: string, place: Place): number | number[] {
    if (this.problem_type === "multi_label_classification") {
      const row = new Array<number>(this.num_labels).fill(0);
      for (const label of severalOf(value, this.separator, name, place)) {
        row[this.#id(label, name, place)] = 1;
      }
      return row;
    }
    const label = labelText(value, name, place);
    if (this.problem_type === "single_label_classification") return this.#id(label, name, place);
    const number = Number(label);
    if (NUMBER.test(label) && Number.isFinite(number)) return number;
    throw dataError(name, place, `the label is ${quote(label)}, wanted a finite number`);
  }

  #id(label: string, name: string, place: Place): number {
    const id = this.#ids.get(label);
    if (id !== undefined) return id;
    const near = nearest(label, this.labels),
      hint = near === undefined ? "" : `; do you mean ${quote(near)}?`;
    throw dataError(
      name,
      place,
      `the label ${quote(label)} is unknown; there are ${listed(this.labels)}${hint}`,
    );
  }
}

/** A label as text. */
function labelText(value: unknown, name: string, place: Place): string {
  if (typeof value === "string" && value.trim() !== "" && value.trim().toLowerCase() !== "nan") {
    return value.trim();
  }
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isNaN(value)) return String(value);
  const found = value === null || value === undefined || value === "" ||
      (typeof value === "string" && value.trim() === "")
    ? "is missing"
    : typeof value === "object"
    ? `is ${Array.isArray(value) ? "a list" : "an object"}, wanted a text or a number`
    : "is NaN, wanted a class or a finite number";
  throw dataError(name, place, `the label ${found}`);
}

/** Several labels as texts. */
function severalOf(value: unknown, separator: string | undefined, name: string, place: Place): string[] {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    return Array.from(value as unknown[], (label) => labelText(label, name, place));
  }
  if (separator === undefined) return [labelText(value, name, place)];
  if (value === null || value === undefined || value === "") return [];
  return labelText(value, name, place).split(separator).map((label) => label.trim()).filter((label) =>
    label !== ""
  );
}

/** Looks at all labels of a dataset and finds out what they are. */
export class LabelScan {
  readonly #labels = new Set<string>();
  #hasLists = false;
  #isNumeric = true;
  #isWhole = true;
  #count = 0;
  #unlabeled = 0;

  /** @param options What is known already. */
  constructor(readonly options: LabelOptions) {}

  /**
   * Takes the label of one row.
   *
   * @throws {DataError} if it is missing or NaN, or there are too many classes.
   */
  add(value: unknown, name: string, place: Place): void {
    const { label_separator: separator, problem_type } = this.options;
    const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
    const isSeveral = isList || separator !== undefined || problem_type === "multi_label_classification";
    if (this.#count > 0 && isList !== this.#hasLists) {
      throw dataError(
        name,
        place,
        `the label is ${isList ? "a list" : "no list"}, those before are otherwise`,
      );
    }
    this.#hasLists = isList;
    this.#count++;
    for (
      const label of isSeveral ? severalOf(value, separator, name, place) : [labelText(value, name, place)]
    ) {
      if (label === "-1") this.#unlabeled++;
      if (this.#labels.has(label)) continue;
      this.#isNumeric &&= NUMBER.test(label);
      this.#isWhole &&= WHOLE.test(label);
      if (problem_type === "regression") continue;
      if (this.#labels.size >= MAX_CLASSES && this.#isNumeric && !this.#isWhole && !isSeveral) continue;
      if (this.#labels.size >= MAX_CLASSES) {
        throw dataError(
          name,
          place,
          `there are more than ${MAX_CLASSES} different labels; is this the right column?`,
        );
      }
      this.#labels.add(label);
    }
  }

  /**
   * What the labels are; `null` if there are none: no row, or -1 in each, as in GLUE's test files.
   *
   * @returns The schema and sentences for the user.
   */
  finish(): { schema: LabelSchema | null; notes: string[] } {
    const { problem_type, label_separator, labels } = this.options, notes: string[] = [];
    if (this.#count === 0) return { schema: null, notes };
    if (this.#unlabeled === this.#count && !labels?.includes("-1")) {
      return { schema: null, notes: ["all labels are -1, which stands for none"] };
    }
    const several = this.#hasLists || label_separator !== undefined;
    const isNumbers = this.#isNumeric && !this.#isWhole && !several && labels === undefined;
    const type = problem_type ??
      (several ? "multi_label_classification" : isNumbers ? "regression" : "single_label_classification");
    if (isNumbers && problem_type === undefined) {
      notes.push(
        'labels are numbers with fractions: regression (problem_type "single_label_classification" makes classes)',
      );
    }
    if (type === "regression") return { schema: new LabelSchema(type, []), notes };
    const names = labels ?? this.#ordered();
    return { schema: new LabelSchema(type, names, label_separator, this.options.label_numbers), notes };
  }

  /** Whole numbers by value, texts by code points: the order of the rows does not matter. */
  #ordered(): string[] {
    const labels = [...this.#labels];
    return this.#isNumeric
      ? labels.sort((a, b) => Number(a) - Number(b) || compareLabels(a, b))
      : labels.sort(compareLabels);
  }
}
