/**
 * Examples -> what a model's forward pass takes: texts are tokenized, labels become numbers, columns become a batch.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { BertConfig } from "../model/mod.ts";
import { Random } from "../random.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import type { Example } from "./dataset.ts";
import { tokenizeWords } from "./token_labels.ts";

/** Names of columns. */
export interface Columns {
  /**
   * The text, or its words for token classification. Default `text`, or `tokens` if there is no `text`. It is paired with
   * each text of the column `choices`, if there is one.
   */
  text?: string;
  /** The second text of a pair. Default `text_pair`, if there is one. */
  text_pair?: string;
  /** The label: a number, a name of `config.label2id`, or numbers. Default `label`, else `labels`. */
  label?: string;
}

/** Columns of one example that a model takes, such as `input_ids` and `labels`. */
export type Features = Record<string, unknown>;

/** Columns of a batch, one entry an example; sequences need no padding. */
export type BatchInputs = Record<string, unknown[]> & { input_ids: number[][] };

/** What a collator is given besides the features. */
export interface CollatorContext {
  /** The batch's own random numbers: the same whenever the batch comes. */
  random: Random;
  /** False in evaluations. */
  training: boolean;
}

/** Makes a batch of features; may change them. */
export type DataCollator = (features: Features[], context: CollatorContext) => BatchInputs;

/** Columns that models take. */
const MODEL_COLUMNS = [
  ...["input_ids", "token_type_ids", "attention_mask", "position_ids", "labels", "next_sentence_label"],
  ...["start_positions", "end_positions"],
];

/** Puts the columns of all features side by side. */
export function defaultDataCollator(features: Features[]): BatchInputs {
  const names = Object.keys(features[0]);
  return Object.fromEntries(
    names.map((name) => [name, features.map((row) => row[name])]),
  ) as unknown as BatchInputs;
}

/** Makes features of examples. */
export interface FeatureMaker {
  /** @throws {DataError} if an example lacks a column or its label is unknown. */
  (examples: readonly Example[]): Features[];
}

/**
 * How examples become features.
 *
 * @param tokenizer Examples with `input_ids` need none.
 */
export function featureMaker(
  config: BertConfig,
  tokenizer: BertTokenizer | undefined,
  columns: Columns = {},
  max_length?: number,
): FeatureMaker {
  const { text_pair = "text_pair", label } = columns;
  const limit = max_length ??
    Math.min(tokenizer?.model_max_length ?? Infinity, config.max_position_embeddings);
  const labelOf = (example: Example): unknown => {
    const name = label ?? ["label", "labels", "ner_tags"].find((name) => name in example);
    const value = name === undefined ? undefined : example[name];
    return value === undefined || value === null ? undefined : labelNumbers(value, config, name!);
  };
  const encode = (examples: readonly Example[]): Features[] => {
    if (!tokenizer) {
      throw new DataError("Cannot use examples without input_ids: the Trainer was given no tokenizer");
    }
    if (Array.isArray(examples[0].choices)) {
      return encodeChoices(tokenizer, examples, columns.text ?? "text", limit);
    }
    const text = columns.text ?? ("tokens" in examples[0] && !("text" in examples[0]) ? "tokens" : "text");
    if (Array.isArray(examples[0][text])) {
      const words = examples.map((example) => example[text] as string[]);
      return tokenizeWords(tokenizer, words, examples.map((example) => labelOf(example) as number[]), limit);
    }
    const texts = examples.map((example) => stringOf(example, text));
    const pairs = text_pair in examples[0]
      ? examples.map((example) => stringOf(example, text_pair))
      : undefined;
    const { input_ids, token_type_ids } = tokenizer(texts, {
      ...{ truncation: true, max_length: limit },
      ...(pairs ? { text_pair: pairs } : {}),
    });
    return input_ids.map((ids, i) => ({
      input_ids: ids,
      ...(pairs ? { token_type_ids: token_type_ids[i] } : {}),
    }));
  };
  return (examples) => {
    const ready = examples.every((example) => "input_ids" in example);
    const features = ready ? examples.map(pickColumns) : encode(examples);
    features.forEach((row, i) => {
      if (!ready && row.labels) return; // those of words
      const labels = labelOf(examples[i]);
      if (labels !== undefined) row.labels = labels;
    });
    return features;
  };
}

/** Pairs of a text with each of its choices: columns of [C][T]. */
function encodeChoices(
  tokenizer: BertTokenizer,
  examples: readonly Example[],
  text: string,
  max_length: number,
): Features[] {
  return examples.map((example) => {
    const choices = example.choices as string[], first = stringOf(example, text);
    const { input_ids, token_type_ids } = tokenizer(choices.map(() => first), {
      ...{ text_pair: choices, truncation: true, max_length },
    });
    return { input_ids, token_type_ids };
  });
}

function pickColumns(example: Example): Features {
  return Object.fromEntries(
    MODEL_COLUMNS.filter((name) => name in example).map((name) => [name, example[name]]),
  );
}

function stringOf(example: Example, column: string): string {
  const value = example[column];
  if (typeof value === "string") return value;
  throw new DataError(
    `Cannot tokenize an example: its column "${column}" is ${
      value === undefined ? "missing" : JSON.stringify(value)
    }, a text is wanted (columns: ${Object.keys(example).join(", ")})`,
  );
}

/** A label, or a list of them, as numbers. */
function labelNumbers(value: unknown, config: BertConfig, column: string): unknown {
  if (Array.isArray(value)) return value.map((one) => labelNumbers(one, config, column));
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  const known = config.label2id;
  if (typeof value === "string" && Object.hasOwn(known, value)) return known[value];
  throw new DataError(
    `Cannot use the label ${JSON.stringify(value)} of column "${column}": a number or one of ${
      Object.keys(known).slice(0, 20).join(", ")
    } is wanted`,
  );
}

/** Streams of random numbers for collators: those of evaluations, and those of training passes. */
const EVAL_STREAM = 2 ** 30, TRAIN_STREAM = 2 ** 31;

/** Makes the inputs of passes. */
export class InputMaker {
  /** Without label smoothing and class weights, which few heads know. */
  constructor(
    readonly features: FeatureMaker,
    readonly collator: DataCollator,
    readonly seed: number,
    readonly lossOptions: { label_smoothing?: number; class_weights?: readonly number[] } = {},
  ) {}

  /** The inputs of a batch. @param number Of the pass, or of the evaluation's batch. */
  inputs(examples: readonly Example[], number: number, training: boolean): BatchInputs {
    const random = new Random(this.seed, (training ? TRAIN_STREAM : EVAL_STREAM) + number);
    const inputs = this.collator(this.features(examples), { random, training });
    return Object.assign(inputs, this.lossOptions);
  }
}

/**
 * By how much a part of a step counts: its labels, weighted by class if classes have weights, so that parts that add up
 * give the mean over all of them.
 */
export function labelCount(inputs: BatchInputs, class_weights?: readonly number[]): number {
  const { labels, input_ids, next_sentence_label } = inputs;
  if (!labels || next_sentence_label) return input_ids.length;
  let count = 0;
  for (
    const label of (labels as (number | ArrayLike<number>)[]).flatMap((l) =>
      typeof l === "number" ? l : [...Array.from(l)]
    )
  ) {
    if (label !== -100) count += class_weights ? class_weights[label] ?? 1 : 1;
  }
  return count;
}

/** The tokens of a batch; rows of multiple choice are lists of sequences. */
export function tokenCount({ input_ids }: BatchInputs): number {
  return (input_ids as (number[] | number[][])[]).reduce((sum, row) => sum + row.flat().length, 0);
}
