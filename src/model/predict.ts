/**
 * Classifies many texts: in order of length, a batch at a time; answers come in the order of the texts.
 *
 * @module
 */
import { Turns } from "../runtime/turns.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import type { BertForSequenceClassification } from "./sequence_classification.ts";

/** A text, or a pair of texts. */
export type TextOrPair = string | readonly [string, string];

/** Options of {@linkcode predict}. */
export interface PredictOptions {
  /** Texts of one forward pass. Default 32. */
  batch_size?: number;
  /** Longer texts are cut to this many tokens. Default: the tokenizer's, or the model's, limit. */
  max_length?: number;
  /** Called after every batch. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work between two batches, with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** What the model says of one text. */
export interface Prediction {
  /** The most probable label, by its name in `config.id2label`. */
  label: string;
  /** Its probability; for regression the value itself. */
  score: number;
  /** The probability of each label, by its number: they add up to 1, or stand alone where several may hold. */
  scores: number[];
  /** What they were made of. */
  logits: number[];
}

/** Batches that are tokenized, and put in order, together. */
const WINDOW_BATCHES = 64;

/**
 * Runs a classifier on texts, in inference mode. Texts of about the same length go through together; no padding is
 * computed in any case.
 *
 * @returns One prediction a text, in the texts' order.
 * @throws {RangeError} if `batch_size` is no whole number above 0; the signal's reason if it is raised.
 * @example
 * ```ts
 * import { BertForSequenceClassification, BertTokenizer, dispose, predict } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const model = await BertForSequenceClassification.from_pretrained("berth-tiny", { num_labels: 2 });
 * const [first, second] = await predict(model, tokenizer, ["A fine game.", "A dull one."]);
 * console.log(first.label, first.score, second.label, second.score);
 * dispose();
 * ```
 */
export async function predict(
  model: BertForSequenceClassification,
  tokenizer: BertTokenizer,
  texts: readonly TextOrPair[],
  options: PredictOptions = {},
): Promise<Prediction[]> {
  const { batch_size = 32, onProgress, signal } = options;
  if (!(Number.isInteger(batch_size) && batch_size > 0)) {
    throw new RangeError(`Cannot predict in batches of ${batch_size}: a whole number above 0 is wanted`);
  }
  const max_length = options.max_length ??
    Math.min(tokenizer.model_max_length, model.config.max_position_embeddings);
  const predictions = new Array<Prediction>(texts.length), wasTraining = model.training;
  const turns = new Turns();
  let done = 0;
  try {
    for (let start = 0; start < texts.length; start += WINDOW_BATCHES * batch_size) {
      const window = texts.slice(start, start + WINDOW_BATCHES * batch_size);
      const { input_ids, token_type_ids } = tokenizer(window, { truncation: true, max_length });
      const order = window.map((_, i) => i).sort((a, b) => input_ids[b].length - input_ids[a].length);
      for (let at = 0; at < order.length; at += batch_size) {
        signal?.throwIfAborted();
        if (model.training) model.eval();
        const batch = order.slice(at, at + batch_size);
        const { logits } = model.forward({
          input_ids: batch.map((i) => input_ids[i]),
          token_type_ids: batch.map((i) => token_type_ids[i]),
        });
        logits.arraySync().forEach((row, b) => predictions[start + batch[b]] = predictionOf(model, row));
        onProgress?.(done += batch.length, texts.length);
        await turns.yield();
      }
    }
  } finally {
    if (wasTraining) model.train();
  }
  return predictions;
}

function predictionOf({ config }: BertForSequenceClassification, logits: number[]): Prediction {
  const regression = config.problem_type === "regression" || config.num_labels === 1;
  const scores = regression
    ? logits
    : config.problem_type === "multi_label_classification"
    ? logits.map((x) => 1 / (1 + Math.exp(-x)))
    : softmax(logits);
  const best = logits.indexOf(Math.max(...logits));
  return { label: config.id2label[best], score: scores[best], scores, logits };
}

function softmax(logits: number[]): number[] {
  const top = Math.max(...logits), powers = logits.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}
