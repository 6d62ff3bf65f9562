/**
 * Classifies many texts: in order of length, a batch at a time; answers come in the order of the texts.
 *
 * @module
 */
import type { BertTokenizer } from "../tokenizer/mod.ts";
import { sigmoid, softmax } from "./probabilities.ts";
import type { BertForSequenceClassification } from "./sequence_classification.ts";
import { forTextBatches, type TextBatchOptions, type TextOrPair } from "./text_batches.ts";

/** Options of {@linkcode predict}. */
export type PredictOptions = TextBatchOptions;

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
  const predictions: Prediction[] = [];
  await forTextBatches(model, tokenizer, texts, options, (inputs, numbers) => {
    model.forward(inputs).logits.arraySync().forEach((row, b) =>
      predictions[numbers[b]] = predictionOf(model, row)
    );
  });
  return predictions;
}

function predictionOf({ config }: BertForSequenceClassification, logits: number[]): Prediction {
  const regression = config.problem_type === "regression" || config.num_labels === 1;
  const scores = regression
    ? logits
    : config.problem_type === "multi_label_classification"
    ? [...sigmoid(logits)]
    : [...softmax(logits)];
  const best = logits.indexOf(Math.max(...logits));
  return { label: config.id2label[best], score: scores[best], scores, logits };
}
