/**
 * Masked words for BertForMaskedLM, after transformers' DataCollatorForLanguageModeling and the BERT paper's rule: of
 * the chosen tokens 80 % become [MASK], 10 % a random token, 10 % stay.
 *
 * @module
 */
import { TokenizerError } from "../errors.ts";
import type { Random } from "../random.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import { type DataCollator, defaultDataCollator, type Features } from "./features.ts";

/** Options of {@linkcode dataCollatorForLanguageModeling}. */
export interface LanguageModelingOptions {
  /** Says which tokens are special, which is the mask, and which begin a word. */
  tokenizer: BertTokenizer;
  /** The share of tokens, or of words, that is chosen. Default 0.15. */
  mlm_probability?: number;
  /** Chooses whole words, not word pieces. Default false. */
  whole_word_mask?: boolean;
  /** The share of the chosen that become [MASK]. Default 0.8. */
  mask_replace_prob?: number;
  /** The share of the chosen that become any token. Default 0.1. */
  random_replace_prob?: number;
}

/** Labels that the loss does not count. */
const IGNORED = -100;

/**
 * A collator for a Trainer of BertForMaskedLM: chooses tokens anew in every pass, the same in every evaluation.
 *
 * @throws {TokenizerError} if the tokenizer has no mask token, {RangeError} if a share is out of range.
 * @example
 * ```ts
 * import { BertForMaskedLM, BertTokenizer, dataCollatorForLanguageModeling, dispose, Trainer } from "@berth/berth";
 * const tokenizer = await BertTokenizer.from_pretrained("berth-tiny");
 * const trainer = new Trainer({
 *   ...{ model: await BertForMaskedLM.from_pretrained("berth-tiny"), tokenizer, args: { max_steps: 3 } },
 *   train_dataset: [{ text: "The pitcher threw a perfect game." }, { text: "They lost the ninth inning." }],
 *   data_collator: dataCollatorForLanguageModeling({ tokenizer, whole_word_mask: true }),
 * });
 * console.log((await trainer.train()).training_loss);
 * dispose();
 * ```
 */
export function dataCollatorForLanguageModeling(options: LanguageModelingOptions): DataCollator {
  const { tokenizer, mlm_probability = 0.15, whole_word_mask = false } = options;
  const { mask_replace_prob = 0.8, random_replace_prob = 0.1 } = options, mask = tokenizer.mask_token_id;
  if (mask === null) throw new TokenizerError("Cannot mask words: the tokenizer has no mask_token");
  const shares = { mlm_probability, mask_replace_prob, random_replace_prob };
  for (const [name, share] of Object.entries({ ...shares, sum: mask_replace_prob + random_replace_prob })) {
    if (!(share >= 0 && share <= 1)) {
      throw new RangeError(`Cannot mask words with ${name} ${share}: a number from 0 to 1 is wanted`);
    }
  }
  const special = new Set(tokenizer.all_special_ids), vocabulary = tokenizer.length;
  const pieces = whole_word_mask ? wordPieces(tokenizer) : undefined;
  const maskRow = (row: Features, random: Random): Features => {
    const input_ids = [...row.input_ids as number[]],
      labels = new Array<number>(input_ids.length).fill(IGNORED);
    for (const unit of unitsOf(input_ids, special, pieces)) {
      if (random.uniform() >= mlm_probability) continue;
      for (const at of unit) {
        labels[at] = input_ids[at];
        const kind = random.uniform();
        if (kind < mask_replace_prob) input_ids[at] = mask;
        else if (kind < mask_replace_prob + random_replace_prob) input_ids[at] = random.below(vocabulary);
      }
    }
    return { ...row, input_ids, labels };
  };
  return (features, { random }) => defaultDataCollator(features.map((row) => maskRow(row, random)));
}

/** The places that are chosen together: single tokens, or those of a word; special tokens are in none. */
function unitsOf(
  ids: readonly number[],
  special: ReadonlySet<number>,
  pieces?: ReadonlySet<number>,
): number[][] {
  const units: number[][] = [];
  ids.forEach((id, at) => {
    if (special.has(id)) return;
    const goesOn = pieces?.has(id) && units.at(-1)?.at(-1) === at - 1;
    if (goesOn) units.at(-1)!.push(at);
    else units.push([at]);
  });
  return units;
}

/** Tokens that go on with a word. */
function wordPieces(tokenizer: BertTokenizer): Set<number> {
  const pieces = new Set<number>();
  for (let id = 0; id < tokenizer.length; id++) {
    if (tokenizer.convert_ids_to_tokens(id)?.startsWith("##")) pieces.add(id);
  }
  return pieces;
}
