/**
 * A classifier from a few examples, after SetFit (Tunstall et al., https://arxiv.org/abs/2209.11055): pairs of examples
 * teach the encoder which belong together, then logistic regression learns the classes from their vectors.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { CosineSimilarityLoss, type SentenceTransformer, type TextBatchOptions } from "../model/mod.ts";
import { Random } from "../random.ts";
import { countClasses, LogisticRegression } from "./logistic_regression.ts";
import { type SentenceExample, type SentenceTrainingOptions, trainSentences } from "./sentence_training.ts";

/** A text and its class. */
export interface LabelledText {
  /** The text. */
  text: string;
  /** Its class, from 0 on. */
  label: number;
}

/** Options of {@linkcode trainFewShot}. */
export interface FewShotOptions extends SentenceTrainingOptions {
  /** Pairs of the same class, and as many of different ones, that each example is a part of. Default 20. */
  num_iterations?: number;
  /** Of the logistic regression: how much the examples count. Default 1. */
  C?: number;
}

/** The stream of random numbers that pairs come from. */
const PAIR_STREAM = 4;

/** An encoder and a classifier of its vectors. */
export class FewShotClassifier {
  /** A classifier of these two. */
  constructor(readonly model: SentenceTransformer, readonly head: LogisticRegression) {}

  /** The probability of each class, for each text. */
  async predict_proba(texts: readonly string[], options: TextBatchOptions = {}): Promise<number[][]> {
    return this.head.predict_proba(await this.model.encode(texts, options));
  }

  /** The most probable class of each text. */
  async predict(texts: readonly string[], options: TextBatchOptions = {}): Promise<number[]> {
    return this.head.predict(await this.model.encode(texts, options));
  }
}

/**
 * Pairs of labelled texts: for each text and each of `iterations`, one with another text of its class (label 1) and one
 * with a text of another class (label 0), drawn at random.
 *
 * @throws {DataError} if there are fewer than two classes.
 */
export function contrastivePairs(
  examples: readonly LabelledText[],
  iterations: number,
  seed: number,
): SentenceExample[] {
  const random = new Random(seed, PAIR_STREAM), pairs: SentenceExample[] = [];
  const draw = (others: readonly LabelledText[]) => others[random.below(others.length)];
  if (new Set(examples.map(({ label }) => label)).size < 2) {
    throw new DataError("Cannot make pairs: all examples have one label, two classes at least are wanted");
  }
  for (let i = 0; i < iterations; i++) {
    for (const example of examples) {
      const same = examples.filter((other) => other.label === example.label && other !== example);
      const different = examples.filter((other) => other.label !== example.label);
      if (same.length > 0) pairs.push({ texts: [example.text, draw(same).text], label: 1 });
      pairs.push({ texts: [example.text, draw(different).text], label: 0 });
    }
  }
  return pairs;
}

/**
 * Trains an encoder and a classifier on a few examples of each class, such as 8 or 16: each takes part in many pairs, so
 * that more is learnt from it than by ordinary fine-tuning. The model is changed.
 *
 * @throws {DataError} if the classes are not 0 to K - 1 with an example each.
 * @example
 * ```ts
 * import { dispose, SentenceTransformer, trainFewShot } from "@berth/berth";
 * const model = await SentenceTransformer.from_pretrained("berth-tiny");
 * const examples = [
 *   { text: "What a great game.", label: 1 },
 *   { text: "I loved it.", label: 1 },
 *   { text: "A dull, bad match.", label: 0 },
 *   { text: "I hated it.", label: 0 },
 * ];
 * const classifier = await trainFewShot(model, examples, { num_iterations: 5 });
 * console.log(await classifier.predict(["A great match."])); // [1]
 * dispose();
 * ```
 */
export async function trainFewShot(
  model: SentenceTransformer,
  examples: readonly LabelledText[],
  options: FewShotOptions = {},
): Promise<FewShotClassifier> {
  const { num_iterations = 20, C, ...training } = options, labels = examples.map(({ label }) => label);
  countClasses(labels); // before the encoder is trained
  const pairs = contrastivePairs(examples, num_iterations, training.seed ?? 0);
  await trainSentences(model, pairs, new CosineSimilarityLoss(), training);
  const vectors = await model.encode(examples.map(({ text }) => text));
  return new FewShotClassifier(model, LogisticRegression.fit(vectors, labels, { C }));
}
