/**
 * Rows -> examples: the columns are chosen, the labels found, and each row becomes a text, perhaps a second one, and
 * the label as a model is trained with it.
 *
 * @module
 */
import { type Column, type ColumnOptions, type ColumnPlan, planColumns, valueAt } from "./columns.ts";
import { type LabelOptions, LabelScan, LabelSchema } from "./labels.ts";
import { dataError, type Place } from "./problem.ts";
import type { Row, RowBatch } from "./rows.ts";

/** A text with its label. */
export type TextExample = {
  /** The text. */
  text: string;
  /** The second text of a pair. */
  text_pair?: string;
  /** The number of the class, a row of 0 and 1 for several labels, or a number to be predicted; left out if unknown. */
  label?: number | number[];
};

/** How rows become examples. */
export interface ExampleOptions extends ColumnOptions, LabelOptions {
  /** The most text that is held in memory, in UTF-16 units. Default 2^30. */
  max_total_length?: number;
}

/** Rows that can be gone through. */
export interface RowSource {
  /** For messages. */
  readonly name: string;
  /** True if that can be done again. */
  readonly isRepeatable: boolean;
  /** Sentences for the user; whole when the first batch is there. */
  readonly notes: readonly string[];
  /** The names of classes that the source itself declares, by column. */
  readonly classNames?: ReadonlyMap<string, readonly string[]>;
  /** Goes through the rows. */
  batches(): AsyncIterable<RowBatch>;
}

/** What is known about the examples of a dataset. */
export interface DatasetInfo {
  /** Where it comes from. */
  readonly name: string;
  /** The labels; `null` if there are none. */
  readonly schema: LabelSchema | null;
  /** The columns that were taken. */
  readonly columns: ColumnPlan;
  /** What was guessed, one sentence each. */
  readonly notes: readonly string[];
}

/** What a dataset tells a model's configuration. */
export abstract class LabeledDataset {
  /**
   * A dataset of which that is known.
   *
   * @param info What is known about the examples.
   */
  constructor(readonly info: DatasetInfo) {}
  /** Where it comes from. */
  get name(): string {
    return this.info.name;
  }
  /** What was guessed, one sentence each. */
  get notes(): readonly string[] {
    return this.info.notes;
  }
  /** What a head is to learn; `null` without labels. */
  get problem_type(): LabelSchema["problem_type"] | null {
    return this.info.schema?.problem_type ?? null;
  }
  /** The names of the classes, in the order of their numbers. */
  get labels(): readonly string[] {
    return this.info.schema?.labels ?? [];
  }
  /** How many outputs a head needs; 0 without labels. */
  get num_labels(): number {
    return this.info.schema?.num_labels ?? 0;
  }
  /** The names of the classes by their numbers, as in config.json. */
  get id2label(): Readonly<Record<number, string>> {
    return this.info.schema?.id2label ?? {};
  }
  /** The numbers of the classes by their names. */
  get label2id(): Readonly<Record<string, number>> {
    return this.info.schema?.label2id ?? {};
  }
}

/** A dataset in memory. */
export class TextDataset extends LabeledDataset implements Iterable<TextExample> {
  /**
   * Examples with what is known about them.
   *
   * @param examples All examples, in the order of the file.
   * @param info What is known about them.
   */
  constructor(readonly examples: TextExample[], info: DatasetInfo) {
    super(info);
  }
  /** How many examples. */
  get length(): number {
    return this.examples.length;
  }
  /** Goes through the examples. */
  [Symbol.iterator](): Iterator<TextExample> {
    return this.examples[Symbol.iterator]();
  }
}

/** A dataset that is read anew each time it is gone through, and never held in memory. */
export class TextStream extends LabeledDataset implements AsyncIterable<TextExample> {
  /**
   * Rows with what is known about them.
   *
   * @param source The rows.
   * @param info What is known about them.
   */
  constructor(readonly source: RowSource, info: DatasetInfo) {
    super(info);
  }
  /** Reads the examples. */
  async *[Symbol.asyncIterator](): AsyncIterator<TextExample> {
    for await (const batch of this.batches()) yield* batch;
  }
  /** Reads the examples some at a time, as they come: the faster way through a large file. */
  async *batches(): AsyncGenerator<TextExample[]> {
    const { source, info: { columns, schema } } = this;
    for await (const { rows, name = source.name } of source.batches()) {
      yield rows.map((row) => exampleOf(name, source, row, columns, schema));
    }
  }
}

/** The names of a batch's columns: its own, or those of its rows' values. */
function namesOf(batch: RowBatch): readonly string[] {
  if (batch.columns) return batch.columns;
  const names = new Set<string>();
  for (const { values } of batch.rows.slice(0, 100)) for (const name of Object.keys(values)) names.add(name);
  return [...names];
}

/** A text, as a value of a file gives it. */
export function textOf(name: string, row: Row, column: Column): string {
  const value = valueAt(row, column), place = { line: row.line, column: column.name };
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return String(value);
  }
  const found = value === undefined ? "is missing" : value === null ? "is null" : "is a list or an object";
  throw dataError(name, place, `the text ${found}`);
}

/** The label of a row as text or number; numbers of classes that the source names become those names. */
function labelOf(row: Row, label: Column, source: RowSource): unknown {
  const value = valueAt(row, label), names = source.classNames?.get(label.name);
  return names && (typeof value === "number" || typeof value === "bigint")
    ? names[Number(value)] ?? value
    : value;
}

function placeOf(row: Row, column: Column): Place {
  return { line: row.line, column: column.name };
}

function exampleOf(
  name: string,
  source: RowSource,
  row: Row,
  plan: ColumnPlan,
  schema: LabelSchema | null,
): TextExample {
  const example: TextExample = { text: textOf(name, row, plan.text) };
  if (plan.text_pair) example.text_pair = textOf(name, row, plan.text_pair);
  if (plan.label && schema) {
    example.label = schema.encode(labelOf(row, plan.label, source), name, placeOf(row, plan.label));
  }
  return example;
}

/** The columns of a source, and what is known about its labels before they are looked at. */
function begin(source: RowSource, batch: RowBatch, options: ExampleOptions) {
  const plan = planColumns(source.name, namesOf(batch), options);
  const labels = options.labels ?? source.classNames?.get(plan.label?.name ?? "");
  return { plan, scan: new LabelScan({ ...options, labels }) };
}

/** Reads all rows into memory. */
export async function readDataset(source: RowSource, options: ExampleOptions = {}): Promise<TextDataset> {
  const { max_total_length = 2 ** 30 } = options, { name } = source;
  const examples: TextExample[] = [], labels: unknown[] = [], lines: number[] = [], files: string[] = [];
  let begun: ReturnType<typeof begin> | undefined, length = 0;
  for await (const batch of source.batches()) {
    const { plan, scan } = begun ??= begin(source, batch, options), { name = source.name } = batch;
    for (const row of batch.rows) {
      const example = exampleOf(name, source, row, plan, null);
      length += example.text.length + (example.text_pair?.length ?? 0);
      if (length > max_total_length) {
        const advice = "the option streaming reads it piece by piece, max_total_length allows more";
        throw dataError(
          name,
          { line: row.line },
          `it has more than ${max_total_length} characters of text; ${advice}`,
        );
      }
      examples.push(example);
      if (!plan.label) continue;
      labels.push(labelOf(row, plan.label, source));
      lines.push(row.line);
      files.push(name);
      scan.add(labels[labels.length - 1], name, placeOf(row, plan.label));
    }
  }
  if (!begun) throw dataError(name, {}, "it has no rows");
  const { plan, scan } = begun, { schema, notes } = scan.finish();
  if (schema && plan.label) {
    const column = plan.label.name;
    examples.forEach((example, i) => {
      example.label = schema.encode(labels[i], files[i], { line: lines[i], column });
    });
  }
  return new TextDataset(examples, {
    ...{ name, schema, columns: plan, notes: [...source.notes, ...plan.notes, ...notes] },
  });
}

/** Labels that need no look at the rows. */
function givenSchema(
  { labels, label_separator, problem_type, label_numbers }: LabelOptions,
  guess: boolean,
): LabelSchema | null {
  if (problem_type === "regression") return new LabelSchema(problem_type, []);
  const several = label_separator === undefined ? undefined : "multi_label_classification";
  const type = problem_type ?? several ?? (guess ? "single_label_classification" : undefined);
  return labels && type ? new LabelSchema(type, labels, label_separator, label_numbers) : null;
}

/**
 * Opens rows as a stream. Unless `labels` and `problem_type` tell all, they are gone through once to find the labels;
 * rows that can be gone through only once need `labels` (or `problem_type: "regression"`).
 */
export async function streamDataset(source: RowSource, options: ExampleOptions = {}): Promise<TextStream> {
  const { name } = source, given = givenSchema(options, !source.isRepeatable);
  const rows = source.batches()[Symbol.asyncIterator](), first = await rows.next();
  if (first.done) throw dataError(name, {}, "it has no rows");
  const { plan, scan } = begin(source, first.value, options), { label } = plan;
  const notes = () => [...source.notes, ...plan.notes];
  if (!source.isRepeatable) {
    if (label && !given) {
      throw dataError(
        name,
        {},
        "it can be read only once, so the labels must be given: labels, problem_type or label: null",
      );
    }
    const all = withFirst(first.value, rows, name),
      replayed: RowSource = { ...source, name, batches: () => all };
    return new TextStream(replayed, { name, schema: given, columns: plan, notes: notes() });
  }
  if (given || !label) await rows.return?.();
  for (let next: IteratorResult<RowBatch> = first; !given && label && !next.done; next = await rows.next()) {
    const { rows: some, name: file = name } = next.value;
    for (const row of some) scan.add(labelOf(row, label, source), file, placeOf(row, label));
  }
  const found = given || !label ? { schema: given, notes: [] } : scan.finish();
  return new TextStream(source, {
    name,
    schema: found.schema,
    columns: plan,
    notes: [...notes(), ...found.notes],
  });
}

/** Goes on where a source stands; only once. */
function withFirst(first: RowBatch, rest: AsyncIterator<RowBatch>, name: string): AsyncIterable<RowBatch> {
  let isTaken = false;
  return {
    async *[Symbol.asyncIterator]() {
      if (isTaken) throw dataError(name, {}, "it was read already, and can be read only once");
      isTaken = true;
      yield first;
      for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
    },
  };
}
