/**
 * `fill-mask`: words for the gaps in a text.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { MaskedLanguageModel, RunOptions } from "../model/mod.ts";
import { softmax } from "../model/probabilities.ts";
import { Pipeline } from "./base.ts";
import { topCount, topIndices } from "./scores.ts";

/** A word for a gap. */
export interface FilledMask {
  /** Its probability. */
  score: number;
  /** Its number in the vocabulary. */
  token: number;
  /** The word. */
  token_str: string;
  /** The text with it; of several gaps, the others are still open. */
  sequence: string;
}

/** Options of a call. */
export interface FillMaskOptions extends RunOptions {
  /** How many words each gap gets, the best first; null: all. Default 5. */
  top_k?: number | null;
  /** The only words that may be chosen. Of a word that is no token by itself, its first token stands for it. */
  targets?: string | readonly string[];
}

/** Calling it fills gaps. */
export interface FillMaskPipeline {
  /**
   * Fills the gaps of a text: a list of words, or, where there are several gaps, such a list for each.
   *
   * @throws {DataError} if there is no gap in what the model takes of the text, or no target is a token.
   */
  (text: string, options?: FillMaskOptions): Promise<FilledMask[] | FilledMask[][]>;
  /** Fills the gaps of several texts. */
  (texts: readonly string[], options?: FillMaskOptions): Promise<(FilledMask[] | FilledMask[][])[]>;
}

/** Rows of one forward pass: every token has as many scores as there are words. */
const BATCH_SIZE = 8;

/** A filler of gaps, from `pipeline("fill-mask", model)`. */
export class FillMaskPipeline extends Pipeline<MaskedLanguageModel, FillMaskOptions> {
  /** @ignore */
  override async _call(
    texts: string | readonly string[],
    options: FillMaskOptions = {},
  ): Promise<FilledMask[] | FilledMask[][] | (FilledMask[] | FilledMask[][])[]> {
    const { top_k = 5, targets, ...run } = { batch_size: BATCH_SIZE, ...this.defaults, ...options };
    const { tokenizer, model: { runtime, config } } = this,
      list = this.listOf<string>(texts);
    const targetIds = targets === undefined ? undefined : this.#targetIds([targets].flat() as string[]);
    const count = topCount(top_k, targetIds?.length ?? config.vocab_size);
    if (list.length === 0) return [];
    const rows = tokenizer(list, { truncation: true, max_length: this.maxLength });
    const gaps = rows.input_ids.map((ids, i) => {
      const places = ids.flatMap((id, t) => id === tokenizer.mask_token_id ? [t] : []);
      if (places.length > 0) return places;
      throw new DataError(
        `Cannot fill text ${i}: it has no ${tokenizer.mask_token} among its ${ids.length} tokens`,
      );
    });
    const results = new Array<FilledMask[][]>(list.length);
    await this.run(rows, run, (inputs, numbers) => {
      const { logits } = this.model.forward(inputs);
      const [, width, v] = logits.shape, all = runtime.heap.floats(runtime.pointerOf(logits), logits.size);
      numbers.forEach((number, b) => {
        results[number] = gaps[number].map((place) => {
          const scores = softmax(all.subarray((b * width + place) * v, (b * width + place + 1) * v));
          const chosen = targetIds
            ? topIndices(targetIds.map((id) => scores[id]), count).map((i) => targetIds[i])
            : topIndices(scores, count);
          return chosen.map((id) =>
            this.#filled(rows.input_ids[number], place, id, scores[id], gaps[number])
          );
        });
      });
    });
    const shaped = results.map((filled) => filled.length === 1 ? filled[0] : filled);
    return typeof texts === "string" ? shaped[0] : shaped;
  }

  #filled(
    ids: readonly number[],
    place: number,
    token: number,
    score: number,
    gaps: readonly number[],
  ): FilledMask {
    const { tokenizer } = this, filled = ids.with(place, token).filter((id) => id !== tokenizer.pad_token_id);
    return {
      ...{ score, token, token_str: tokenizer.decode([token]) },
      sequence: tokenizer.decode(filled, { skip_special_tokens: gaps.length === 1 }),
    };
  }

  /** The tokens that words stand for, each once. */
  #targetIds(targets: readonly string[]): number[] {
    const { tokenizer } = this, vocabulary = tokenizer.get_vocab();
    const ids = targets.flatMap((target) => {
      const id = vocabulary.get(target);
      if (id !== undefined) return [id];
      const [first] = tokenizer.encode(target, { add_special_tokens: false });
      const instead = first === undefined
        ? "is left out"
        : `stands for ${JSON.stringify(tokenizer.convert_ids_to_tokens(first))}`;
      console.warn(`The target ${JSON.stringify(target)} is no token of the vocabulary and ${instead}`);
      return first === undefined ? [] : [first];
    });
    if (ids.length === 0) throw new DataError("Cannot fill with targets only: none of them is a token");
    return [...new Set(ids)];
  }
}
