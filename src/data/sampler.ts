/**
 * The order of examples in an epoch: random, but with examples of like length in a batch, after transformers'
 * LengthGroupedSampler (https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_pt_utils.py).
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";

/** Streams of random numbers from here on belong to the epochs. */
const FIRST_STREAM = 1 << 20;

/** Options of {@linkcode lengthGroupedBatches}. */
export interface LengthGroupedOptions {
  /** Examples of a batch. Default 8. */
  batch_size?: number;
  /** Chooses the order. Default 0. */
  seed?: number;
  /** Each epoch of a seed has an order of its own. Default 0. */
  epoch?: number;
  /**
   * Batches of a window: so many are drawn at random, ordered by length and cut. 1 leaves the order random. Default: 50,
   * or fewer, so that there are at least four windows, as in transformers.
   */
  mega_batch_mult?: number;
  /** Leaves out examples that do not fill a batch. Default false. */
  drop_last?: boolean;
}

/**
 * Cuts an epoch into batches of examples of like length: windows of the shuffled examples are ordered by length, cut
 * into batches, and the batches shuffled. The batch with the longest example comes first, so that what does not fit
 * into memory fails at once.
 *
 * @param lengths The length of each example, such as its number of tokens.
 * @returns For each batch the numbers of its examples; every example once, unless `drop_last` left it out.
 * @throws {DataError} if a length is no number from 0 on, {RangeError} if an option is no whole number above 0.
 * @example
 * ```ts
 * import { lengthGroupedBatches } from "@berth/berth";
 * const batches = lengthGroupedBatches([3, 90, 4, 88, 5, 91], { batch_size: 3, mega_batch_mult: 2 });
 * console.log(batches.map((batch) => batch.toSorted((a, b) => a - b))); // [[1, 3, 5], [0, 2, 4]]
 * ```
 */
export function lengthGroupedBatches(
  lengths: ArrayLike<number>,
  options: LengthGroupedOptions = {},
): number[][] {
  const { batch_size = 8, seed = 0, epoch = 0, drop_last = false } = options, count = lengths.length;
  const windows = Math.floor(count / (4 * batch_size));
  const { mega_batch_mult = Math.max(1, Math.min(windows, 50)) } = options;
  for (const [name, value] of Object.entries({ batch_size, mega_batch_mult, epoch: epoch + 1 })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new RangeError(`Cannot make batches with ${name} ${value}: a whole number above 0 is wanted`);
  }
  const order = Array.from({ length: count }, (_, i) => i);
  for (const i of order) {
    if (!(lengths[i] >= 0)) {
      throw new DataError(`Cannot order by length: example ${i} has the length ${lengths[i]}`);
    }
  }
  const random = new Random(seed, FIRST_STREAM + epoch), batches: number[][] = [];
  random.shuffle(order);
  const window = batch_size * mega_batch_mult;
  for (let from = 0; from < count; from += window) {
    const some = order.slice(from, from + window);
    if (mega_batch_mult > 1) some.sort((a, b) => lengths[b] - lengths[a]);
    for (let at = 0; at < some.length; at += batch_size) batches.push(some.slice(at, at + batch_size));
  }
  const whole = drop_last ? batches.filter((batch) => batch.length === batch_size) : batches;
  random.shuffle(whole);
  const longest = whole.map((batch) => Math.max(...batch.map((i) => lengths[i])));
  const first = longest.indexOf(longest.reduce((a, b) => Math.max(a, b), 0));
  if (first > 0) [whole[0], whole[first]] = [whole[first], whole[0]];
  return whole;
}
