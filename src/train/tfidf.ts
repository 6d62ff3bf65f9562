/**
 * Bags of words: scikit-learn's TfidfVectorizer. A term counts tf * (ln((1 + n) / (1 + df)) + 1), and each text's vector
 * has the length 1.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { SparseVector } from "./logistic_regression.ts";

/** Options of {@linkcode TfidfVectorizer}, by scikit-learn's names and defaults. */
export interface TfidfOptions {
  /** The fewest and the most words of a term. Default [1, 1]. */
  ngram_range?: readonly [least: number, most: number];
  /** Keeps the terms that occur most often, at most so many. Default: all. */
  max_features?: number;
}

/** A word: two or more letters, digits or underscores. */
const WORD = /[\p{L}\p{N}_]{2,}/gu;

/**
 * Turns texts into sparse vectors of their words.
 *
 * @example
 * ```ts
 * import { LogisticRegression, TfidfVectorizer } from "@berth/berth";
 *
 * const texts = ["a fine game", "a dull game", "fine, fine weather", "dull rain"];
 * const vectorizer = new TfidfVectorizer({ ngram_range: [1, 2] });
 * const classifier = LogisticRegression.fit(vectorizer.fit_transform(texts), [1, 0, 1, 0]);
 * console.log(classifier.predict(vectorizer.transform(["a fine day"]))); // [1]
 * ```
 */
export class TfidfVectorizer {
  /** The number of each term. */
  readonly vocabulary: Map<string, number> = new Map();
  /** The weight of each term. */
  idf: Float64Array = new Float64Array(0);
  readonly #ngrams: readonly [number, number];
  readonly #most: number;

  /**
   * A vectorizer that has learned no terms yet.
   *
   * @throws {RangeError} if a number of words or terms is no whole number above 0.
   */
  constructor({ ngram_range = [1, 1], max_features = Infinity }: TfidfOptions = {}) {
    const [least, most] = this.#ngrams = ngram_range;
    if (!(Number.isInteger(least) && Number.isInteger(most) && least >= 1 && most >= least)) {
      throw new RangeError(`Cannot use ngram_range [${ngram_range}]: whole numbers from 1 up are wanted`);
    }
    if (!(max_features >= 1)) {
      throw new RangeError(`Cannot use max_features ${max_features}: a number above 0 is wanted`);
    }
    this.#most = max_features;
  }

  /**
   * Learns the terms of texts.
   *
   * @throws {DataError} if there is no word in them.
   */
  fit(texts: readonly string[]): this {
    const counts = new Map<string, { tf: number; df: number; last: number }>();
    texts.forEach((text, i) => {
      for (const term of this.#terms(text)) {
        const seen = counts.get(term);
        if (!seen) counts.set(term, { tf: 1, df: 1, last: i });
        else {
          seen.tf++;
          if (seen.last !== i) seen.df++;
          seen.last = i;
        }
      }
    });
    if (counts.size === 0) {
      throw new DataError(`Cannot learn the words of ${texts.length} texts: there are none in them`);
    }
    let kept = [...counts];
    if (kept.length > this.#most) kept = kept.sort((a, b) => b[1].tf - a[1].tf).slice(0, this.#most);
    this.vocabulary.clear();
    kept.forEach(([term], k) => this.vocabulary.set(term, k));
    this.idf = Float64Array.from(kept, ([, { df }]) => Math.log((1 + texts.length) / (1 + df)) + 1);
    return this;
  }

  /** The vectors of texts; words that were not learned do not count. */
  transform(texts: readonly string[]): SparseVector[] {
    return texts.map((text) => {
      const weights = new Map<number, number>();
      for (const term of this.#terms(text)) {
        const k = this.vocabulary.get(term);
        if (k !== undefined) weights.set(k, (weights.get(k) ?? 0) + this.idf[k]);
      }
      const values = Float64Array.from(weights.values());
      const length = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
      return {
        size: this.vocabulary.size,
        indices: Uint32Array.from(weights.keys()),
        values: length === 0 ? values : values.map((x) => x / length),
      };
    });
  }

  /** Learns the terms of texts, and gives their vectors. */
  fit_transform(texts: readonly string[]): SparseVector[] {
    return this.fit(texts).transform(texts);
  }

  /** The terms of a text, as often as they occur. */
  *#terms(text: string): Generator<string> {
    const words = text.toLowerCase().match(WORD) ?? [], [least, most] = this.#ngrams;
    for (let n = least; n <= most; n++) {
      for (let i = 0; i + n <= words.length; i++) yield n === 1 ? words[i] : words.slice(i, i + n).join(" ");
    }
  }
}
