/**
 * `text-classification`, `sentiment-analysis`: texts to labels.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { RunOptions, SequenceClassifier } from "../model/mod.ts";
import { sigmoid, softmax } from "../model/probabilities.ts";
import { Pipeline } from "./base.ts";
import { topCount, topIndices } from "./scores.ts";

/** A text, or two texts that are classified together. */
export type ClassifiedText = string | { readonly text: string; readonly text_pair?: string };

/** A label with its score. */
export interface Classification {
  /** Its name in `config.id2label`. */
  label: string;
  /** Its probability, or what `function_to_apply` made of the logit. */
  score: number;
}

/** Options of a call. */
export interface TextClassificationOptions extends RunOptions {
  /** How many labels each text gets, the best first; null: all. Default 1. */
  top_k?: number | null;
  /**
   * What makes scores of logits. Default: `none` for regression; `sigmoid` for several labels that may hold, or if there is
   * one label; else `softmax`.
   */
  function_to_apply?: "softmax" | "sigmoid" | "none";
}

/** One list of labels; with a list of texts and a `top_k` other than 1, a list for each text. */
export type TextClassificationResult<Texts, Options> = Texts extends readonly unknown[]
  ? Options extends { top_k: infer K } ? [K] extends [1] ? Classification[] : Classification[][]
  : Classification[]
  : Classification[];

/** Calling it classifies. */
export interface TextClassificationPipeline<D extends TextClassificationOptions = object> {
  /**
   * Classifies texts; longer ones are cut to what the model takes.
   *
   * @param texts One text (or pair of texts), or a list of them.
   * @throws {DataError} if something else is given.
   */
  <
    Texts extends ClassifiedText | readonly ClassifiedText[],
    const Options extends TextClassificationOptions = D,
  >(
    texts: Texts,
    options?: Options,
  ): Promise<TextClassificationResult<Texts, Options>>;
}

/** A classifier of texts, from `pipeline("text-classification", model)`. */
export class TextClassificationPipeline<D extends TextClassificationOptions = object>
  extends Pipeline<SequenceClassifier, D> {
  /** @ignore */
  override async _call(
    texts: ClassifiedText | readonly ClassifiedText[],
    options: TextClassificationOptions = {},
  ): Promise<Classification[] | Classification[][]> {
    const { top_k = 1, function_to_apply = this.#usualFunction(), ...run } = { ...this.defaults, ...options };
    const list = this.listOf<ClassifiedText>(texts);
    if (!Object.hasOwn(FUNCTIONS, function_to_apply)) {
      const known = Object.keys(FUNCTIONS).join(", "), given = JSON.stringify(function_to_apply);
      throw new RangeError(`Cannot apply ${given} to logits: one of ${known} is wanted`);
    }
    if (list.length === 0) return [];
    const count = topCount(top_k, this.model.config.num_labels),
      results = new Array<Classification[]>(list.length);
    const rows = this.tokenizer(list.map(pairOf), { truncation: true, max_length: this.maxLength });
    await this.run(
      rows,
      run,
      (inputs, numbers) =>
        this.model.forward(inputs).logits.arraySync().forEach((row, b) => {
          const scores = FUNCTIONS[function_to_apply](row);
          results[numbers[b]] = topIndices(scores, count).map((i) => ({
            label: this.label(i),
            score: scores[i],
          }));
        }),
    );
    return top_k === 1 ? results.flat() : Array.isArray(texts) ? results : results[0];
  }

  #usualFunction(): keyof typeof FUNCTIONS {
    const { problem_type, num_labels } = this.model.config;
    if (problem_type === "regression") return "none";
    return problem_type === "multi_label_classification" || num_labels === 1 ? "sigmoid" : "softmax";
  }
}

const FUNCTIONS = { softmax, sigmoid, none: (logits: ArrayLike<number>) => logits };

function pairOf(text: ClassifiedText): string | [string, string] {
  if (typeof text === "string") return text;
  if (typeof text?.text !== "string") {
    throw new DataError(`Cannot classify ${JSON.stringify(text)}: a text, or { text, text_pair }, is wanted`);
  }
  return text.text_pair === undefined ? text.text : [text.text, text.text_pair];
}
