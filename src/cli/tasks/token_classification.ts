/**
 * A tag for each word: entities (B-PER, I-PER, O), scored as seqeval does, or other tags, scored word by word.
 *
 * @module
 */
import { parseConll, type TaggedDataset, type TaggedWords } from "../../data/mod.ts";
import { dataError, listed, quote } from "../../data/problem.ts";
import { formatCounts, formatLengths, lengthsOf } from "../../data/report.ts";
import type { LoadOptions } from "../../datasets/mod.ts";
import { type FileRecord, readRecords, readWholeText } from "../../datasets/records.ts";
import { compareLabels } from "../../metrics/check.ts";
import { accuracy_score, f1_score, get_entities, seqeval_scores } from "../../metrics/mod.ts";
import { AutoModelForTokenClassification } from "../../model/mod.ts";
import type { PredictionRow } from "../../report/mod.ts";
import type { Metrics } from "../../train/mod.ts";
import { labelOptions, numbersOf, requiredNumbers } from "../known_labels.ts";
import type { RunSettings } from "../training_flags.ts";
import { columnValue, fileKind, nameOf, readOptions } from "./files.ts";
import { classNames, defineTask, type InputFile, type KnownLabels, MOST_ROWS, type Task } from "./task.ts";
import { hasEntities, tagRows, tagScores } from "./tag_scores.ts";

const WORDS = ["tokens", "words"], TAGS = ["ner_tags", "tags", "labels", "label", "pos_tags", "chunk_tags"];

export const tokenClassification: Task = defineTask<TaggedWords>({
  name: "token-classification",
  about: "a tag for each word: CoNLL files, or rows with lists of words and tags",
  head: "ForTokenClassification",
  adapter: "TOKEN_CLS",
  model: AutoModelForTokenClassification,
  async read(input, settings, terminal, labels) {
    const options = readOptions(input, settings, terminal), name = nameOf(input);
    const fixed = typeof labels === "function" ? undefined : labels;
    const kind = await fileKind(input, settings, options);
    const { examples, labels: own } = kind === "rows"
      ? await readTaggedRows(input, settings, options, fixed)
      : parseConll((await readWholeText(input, options)).text, { name, labels: fixed?.labels });
    const known = typeof labels === "function" ? labels({ problem_type: null, labels: own }) : labels;
    requiredNumbers(name, own, known.labels);
    return { name, examples, known, notes: [] };
  },
  labelsOf: (config) => ({ problem_type: null, labels: classNames(config) }),
  modelOptions: ({ labels }) => labelOptions(labels),
  rows: (examples, { known }) =>
    examples.map(({ words, tags }) => ({ tokens: words, label: numbersOf(tags, known.labels)! })),
  summary({ examples }, _test, { tokenizer, max_length, known }) {
    const words = examples.reduce((sum, { words }) => sum + words.length, 0);
    const labelCounts = tagCounts(examples, known);
    const total = labelCounts.reduce((sum, { count }) => sum + count, 0);
    const { input_ids } = tokenizer(examples.map(({ words }) => words), { is_split_into_words: true });
    const lengths = lengthsOf(input_ids.map(({ length }) => length), max_length);
    const text = [
      `${examples.length} sentences, ${words} words, ${total} ${hasEntities(known) ? "entities" : "tags"}`,
      ...formatCounts(labelCounts, total),
      formatLengths(lengths),
    ];
    return { text: text.join("\n"), labelCounts, longest: Math.min(lengths.max, max_length) };
  },
  classes: (examples, { labels }) => examples.flatMap(({ tags }) => numbersOf(tags, labels)!),
  metrics: (_, { known }) => (prediction): Metrics => {
    const { expected, found } = tagRows(prediction, known);
    if (hasEntities(known)) {
      const { micro: { precision, recall, f1 }, accuracy } = seqeval_scores(expected, found);
      return { precision, recall, f1, accuracy };
    }
    const words = expected.flat(), own = found.flat();
    return { accuracy: accuracy_score(words, own), f1_macro: f1_score(words, own, { average: "macro" }) };
  },
  results(prediction, { examples }, { known }) {
    const tagged = tagRows(prediction, known), { expected, found, sureness } = tagged;
    const mistakes = expected.map((tags, i) => tags.filter((tag, t) => tag !== found[i][t]).length);
    const row = (i: number): PredictionRow => {
      const { words } = examples[i], told = (tags: readonly string[]) => described(words, tags, known);
      return {
        ...{ text: words.join(" "), predicted: told(found[i]), expected: told(expected[i]) },
        probability: sureness[i],
      };
    };
    const numbers = examples.map((_, i) => i);
    const worst = numbers.filter((i) => mistakes[i] > 0).sort((a, b) => mistakes[b] - mistakes[a] || a - b);
    return {
      perClass: tagScores(tagged, known),
      predictions: numbers.slice(0, MOST_ROWS).map(row),
      worst: worst.slice(0, MOST_ROWS).map(row),
    };
  },
});

/** Rows with a list of words and a list of tags, such as `tokens` and `ner_tags`. */
async function readTaggedRows(
  input: InputFile,
  settings: RunSettings,
  options: LoadOptions,
  known: KnownLabels | undefined,
): Promise<TaggedDataset> {
  const examples: TaggedWords[] = [], seen = new Set<string>();
  for await (const record of readRecords(input, options)) {
    const words = listOf(record, "words", columnValue(record, "words", settings.text, WORDS));
    const tags = listOf(record, "tags", columnValue(record, "tags", settings.label, TAGS));
    const { name, line } = record;
    if (words.length !== tags.length) {
      throw dataError(
        name,
        { line },
        `there are ${words.length} words and ${tags.length} tags, as many are wanted`,
      );
    }
    for (const tag of known ? tags : []) {
      if (numbersOf([tag], known!.labels)) continue;
      throw dataError(name, { line }, `the tag ${quote(tag)} is unknown; there are ${listed(known!.labels)}`);
    }
    for (const tag of tags) seen.add(tag);
    if (words.length > 0) examples.push({ words, tags });
  }
  if (examples.length === 0) throw dataError(nameOf(input), {}, "it has no words");
  const outside = (tag: string) => tag === "O" ? 0 : 1;
  return { examples, labels: [...seen].sort((a, b) => outside(a) - outside(b) || compareLabels(a, b)) };
}

function listOf({ name, line }: FileRecord, role: string, value: unknown): string[] {
  const isPlain = (one: unknown) => typeof one === "string" && one !== "" || typeof one === "number";
  if (Array.isArray(value) && value.every(isPlain)) return value.map(String);
  throw dataError(
    name,
    { line },
    `the ${role} are ${quote(JSON.stringify(value))}, a list of texts is wanted`,
  );
}

/** How many entities of each type, or words of each tag, the most first. */
function tagCounts(examples: readonly TaggedWords[], known: KnownLabels): { label: string; count: number }[] {
  const counts = new Map<string, number>();
  const add = (label: string) => counts.set(label, (counts.get(label) ?? 0) + 1);
  for (const { tags } of examples) {
    if (hasEntities(known)) { for (const { type } of get_entities(tags)) add(type); }
    else tags.forEach(add);
  }
  return [...counts].map(([label, count]) => ({ label, count }))
    .sort((a, b) => b.count - a.count || compareLabels(a.label, b.label));
}

/** The entities, or the tags, as a text. */
function described(words: readonly string[], tags: readonly string[], known: KnownLabels): string {
  if (!hasEntities(known)) return tags.join(" ");
  const found = get_entities([...tags]).map(({ type, start, end }) =>
    `${words.slice(start, end).join(" ")} (${type})`
  );
  return found.join(", ") || "none";
}
