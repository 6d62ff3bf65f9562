/**
 * `token-classification`, `ner`: texts to the names, places, ... in them.
 *
 * @module
 */
import type { RunOptions, TokenClassifier } from "../model/mod.ts";
import { softmax } from "../model/probabilities.ts";
import type { BatchEncoding } from "../tokenizer/mod.ts";
import { Pipeline } from "./base.ts";
import {
  aggregate,
  type AggregationStrategy,
  dropOverlapping,
  type FoundEntity,
  type ScoredToken,
} from "./entities.ts";

/** Options of a call. */
export interface TokenClassificationOptions extends RunOptions {
  /**
   * `none`: each token with its label. `simple`: neighbours of one label are joined. `first`, `average`, `max`: all tokens
   * of a word get one label first, that of the word's first token, of the mean of its tokens' probabilities, or of its
   * surest token. Default `none`.
   */
  aggregation_strategy?: AggregationStrategy;
  /** Labels that are left out. Default `["O"]`. */
  ignore_labels?: readonly string[];
  /**
   * Reads the whole of longer texts, in rows that share so many tokens; wants an `aggregation_strategy` other than `none`.
   * Default: longer texts are cut to what the model takes.
   */
  stride?: number;
}

const STRATEGIES = ["none", "simple", "first", "average", "max"];

/** Calling it classifies. */
export interface TokenClassificationPipeline {
  /**
   * Finds the entities in a text.
   *
   * @throws {RangeError} if an option has a value that it cannot have.
   */
  (text: string, options?: TokenClassificationOptions): Promise<FoundEntity[]>;
  /** Finds the entities in each of several texts. */
  (texts: readonly string[], options?: TokenClassificationOptions): Promise<FoundEntity[][]>;
}

/** A classifier of tokens, from `pipeline("token-classification", model)`. */
export class TokenClassificationPipeline extends Pipeline<TokenClassifier, TokenClassificationOptions> {
  /** @ignore */
  override async _call(
    texts: string | readonly string[],
    options: TokenClassificationOptions = {},
  ): Promise<FoundEntity[] | FoundEntity[][]> {
    const { aggregation_strategy = "none", ignore_labels = ["O"], stride, ...run } = {
      ...this.defaults,
      ...options,
    };
    this.#check(aggregation_strategy, stride);
    const list = this.listOf<string>(texts);
    if (list.length === 0) return [];
    const rows = this.tokenizer(list, {
      ...{ truncation: true, max_length: this.maxLength, return_overflowing_tokens: stride !== undefined },
      ...{ stride: stride ?? 0, return_offsets_mapping: true, return_special_tokens_mask: true },
    }) as BatchEncoding<true>;
    const textOf = rows.overflow_to_sample_mapping ?? list.map((_, i) => i);
    const found = new Array<FoundEntity[]>(textOf.length),
      context = {
        label: (number: number) => this.label(number),
        join: (tokens: string[]) => this.tokenizer.convert_tokens_to_string(tokens),
      };
    await this.run(
      rows,
      run,
      (inputs, numbers) =>
        this.model.forward(inputs).logits.arraySync().forEach((scores, b) => {
          const row = numbers[b], tokens = this.#tokens(list[textOf[row]], rows, row, scores);
          found[row] = aggregate(tokens, aggregation_strategy, context)
            .filter(({ entity, entity_group }) => !ignore_labels.includes((entity ?? entity_group)!));
        }),
    );
    const results = list.map((): FoundEntity[][] => []);
    found.forEach((entities, row) => results[textOf[row]].push(entities));
    const joined = results.map((parts) => parts.length > 1 ? dropOverlapping(parts.flat()) : parts[0]);
    return typeof texts === "string" ? joined[0] : joined;
  }

  #check(strategy: string, stride: number | undefined): void {
    if (!STRATEGIES.includes(strategy)) {
      const wanted = STRATEGIES.join(", ");
      throw new RangeError(`Cannot aggregate by ${JSON.stringify(strategy)}: one of ${wanted} is wanted`);
    }
    if (stride !== undefined && strategy === "none") {
      throw new RangeError(
        "Cannot read long texts with a stride: aggregation_strategy is none, another one is wanted",
      );
    }
  }

  /** A row's tokens, special ones left out. */
  #tokens(text: string, rows: BatchEncoding<true>, row: number, logits: readonly number[][]): ScoredToken[] {
    const { tokenizer } = this,
      ids = rows.input_ids[row],
      words = rows.tokens(row),
      tokens: ScoredToken[] = [];
    ids.forEach((id, index) => {
      if (rows.special_tokens_mask![row][index] === 1) return;
      const [start, end] = rows.offset_mapping![row][index], reference = text.slice(start, end);
      const isUnknown = id === tokenizer.unk_token_id;
      const isSubword = !isUnknown &&
        (tokenizer.continuing_subword_prefix !== ""
          ? codePoints(words[index]) !== codePoints(reference)
          : start > 0 && !text.slice(start - 1, start + 1).includes(" "));
      const word = isUnknown ? reference : words[index];
      tokens.push({ word, scores: softmax(logits[index]), index, start, end, isSubword });
    });
    return tokens;
  }
}

/** The length that Python sees. */
function codePoints(text: string): number {
  return [...text].length;
}
