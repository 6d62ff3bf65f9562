/**
 * Multiple choice: rows with a beginning and several endings (SWAG), or a question and a list of choices.
 *
 * @module
 */
import { dataError, listed, quote } from "./problem.ts";

/** A beginning with endings of which one is right. */
export type ChoiceExample = {
  /** The first text of each pair: the context. */
  text: string;
  /** The second texts, one a choice. */
  choices: string[];
  /** The number of the right choice; left out if unknown. */
  label?: number;
};

/** A row: values by column. */
export type ChoiceRow = Readonly<Record<string, unknown>>;

/**
 * Turns rows into choices. SWAG's columns are `sent1` (the context), `sent2` (how each ending begins), `ending0` to
 * `endingN` and `label`; others have `question` or `context` and `choices`.
 *
 * @param rows The rows, one object each.
 * @param name For messages. Default `"rows"`.
 * @throws {DataError} if a row lacks a column, has another number of choices than the first, or its label is none of them.
 *
 * @example
 * ```ts
 * import { choiceExamples } from "@berth/berth";
 *
 * const row = { sent1: "It rains.", sent2: "She", ending0: "opens an umbrella.", ending1: "swims.", label: 0 };
 * console.log(choiceExamples([row])[0].choices); // ["She opens an umbrella.", "She swims."]
 * ```
 */
export function choiceExamples(rows: Iterable<ChoiceRow>, name = "rows"): ChoiceExample[] {
  const examples: ChoiceExample[] = [];
  for (const row of rows) {
    const place = { name, line: examples.length + 1, count: examples[0]?.choices.length };
    examples.push(choiceExample(row, place));
  }
  return examples;
}

/**
 * Reads one row, as {@linkcode choiceExamples} does.
 *
 * @param place The file and line for messages; `count`: how many choices there must be.
 */
export function choiceExample(
  row: ChoiceRow,
  { name, line, count }: { name: string; line: number; count?: number },
): ChoiceExample {
  const choices = choicesOf(row, name, line);
  if (choices.length < 2 || (count !== undefined && choices.length !== count)) {
    throw dataError(
      name,
      { line },
      `there are ${choices.length} choices, expected ${count ?? "two or more"}`,
    );
  }
  const column = ["sent1", "context", "question", "text", "prompt"].find((key) =>
    typeof row[key] === "string"
  );
  if (!column) {
    throw dataError(name, { line }, `no column holds the context; there are ${listed(Object.keys(row))}`);
  }
  const example: ChoiceExample = { text: row[column] as string, choices };
  const { label } = row, number = Number(label);
  if (label === undefined || label === "" || label === null || number === -1) return example;
  if (number in choices) return { ...example, label: number };
  throw dataError(
    name,
    { line, column: "label" },
    `the label is ${quote(String(label))}, wanted 0 to ${choices.length - 1}`,
  );
}

function choicesOf(row: ChoiceRow, name: string, line: number): string[] {
  const { choices, sent2 } = row;
  if (Array.isArray(choices) && choices.every((choice) => typeof choice === "string")) return choices;
  const endings = Object.keys(row).filter((key) => /^ending\d+$/.test(key))
    .sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
  return endings.map((key) => {
    if (typeof row[key] !== "string") throw dataError(name, { line, column: key }, "the ending is no text");
    return typeof sent2 === "string" && sent2 !== "" ? `${sent2} ${row[key]}` : row[key];
  });
}
