/**
 * Splits and balance: a part put aside with the classes in the same shares, weights of classes, and classes made as
 * large as each other by drawing. All is the same for the same seed.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";

/** Streams of random numbers of this file. */
const SPLIT_STREAM = 1 << 23, DRAW_STREAM = SPLIT_STREAM + 1;

/** What is split or balanced: anything with a label. */
export interface Labeled {
  /** A class's number, a row of 0 and 1, or a number to be predicted. */
  readonly label?: number | readonly number[];
}

/** Options of {@linkcode train_test_split}. */
export interface SplitOptions {
  /** A share between 0 and 1, or a number of examples. Default 0.25. */
  test_size?: number;
  /** Chooses the examples. Default 0. */
  seed?: number;
  /** Keeps the shares of the classes in both parts. Default true; numbers to be predicted count as one class. */
  stratify?: boolean;
}

/** The class of an example, as a key; examples with fractions, or without labels, are of one class. */
function keyOf({ label }: Labeled): string {
  if (label === undefined) return "";
  return typeof label === "number" ? Number.isInteger(label) ? String(label) : "" : label.join(",");
}

/** The numbers of the examples of each class, in the order in which the classes occur. */
function groupsOf(examples: readonly Labeled[]): number[][] {
  const groups = new Map<string, number[]>();
  examples.forEach((example, i) => {
    const key = keyOf(example);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key)!.push(i);
  });
  return [...groups.values()];
}

/**
 * Puts a part of the examples aside, each class by its share; the parts keep the order of the examples.
 *
 * @param examples All examples.
 * @returns The larger part and the part put aside.
 * @throws {DataError} if a part would be empty.
 *
 * @example
 * ```ts
 * import { train_test_split } from "@berth/berth";
 *
 * const examples = Array.from({ length: 10 }, (_, i) => ({ text: `text ${i}`, label: i % 2 }));
 * const { train, test } = train_test_split(examples, { test_size: 0.2 });
 * console.log(train.length, test.map(({ label }) => label).sort()); // 8 [0, 1]
 * ```
 */
export function train_test_split<T extends Labeled>(
  examples: readonly T[],
  options: SplitOptions = {},
): { train: T[]; test: T[] } {
  const { test_size = 0.25, seed = 0, stratify = true } = options, count = examples.length;
  const wanted = test_size < 1 ? Math.ceil(count * test_size) : test_size;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted >= count) {
    throw new DataError(
      `Cannot put ${test_size < 1 ? `a share of ${test_size}` : test_size} of ${count} examples aside: ` +
        "at least one must be in each part",
    );
  }
  const random = new Random(seed, SPLIT_STREAM);
  const groups = stratify ? groupsOf(examples) : [examples.map((_, i) => i)];
  const sizes = shareOut(groups.map((group) => group.length), wanted);
  const aside = new Set(groups.flatMap((group, k) => random.shuffle(group.slice()).slice(0, sizes[k])));
  return {
    train: examples.filter((_, i) => !aside.has(i)),
    test: examples.filter((_, i) => aside.has(i)),
  };
}

/** So many of each group that the sum is right, by the largest remainders. */
function shareOut(lengths: readonly number[], wanted: number): number[] {
  const total = lengths.reduce((a, b) => a + b, 0), exact = lengths.map((length) => length * wanted / total);
  const sizes = exact.map(Math.floor);
  const order = lengths.map((_, k) => k).sort((a, b) =>
    (exact[b] - sizes[b]) - (exact[a] - sizes[a]) || a - b
  );
  const missing = wanted - sizes.reduce((a, b) => a + b, 0);
  for (const k of order.slice(0, missing)) sizes[k]++;
  return sizes;
}

/**
 * Weights for the loss that let each class count as much, as scikit-learn's `"balanced"`: examples / (classes x
 * examples of the class); 0 for a class without examples.
 *
 * @param labels The class's number of each example.
 * @param num_labels How many classes there are. Default: the largest number and one.
 * @returns The weight of each class. [K]
 * @throws {DataError} if there is no example, or a label is no number of a class.
 *
 * @example
 * ```ts
 * import { compute_class_weight } from "@berth/berth";
 *
 * console.log(compute_class_weight([0, 0, 0, 1])); // [0.6666666666666666, 2]
 * ```
 */
export function compute_class_weight(
  labels: readonly number[],
  num_labels: number = labels.reduce((most, label) => Math.max(most, label), -1) + 1,
): number[] {
  const counts = new Array<number>(Math.max(0, num_labels) || 0).fill(0);
  labels.forEach((label, i) => {
    if (!(label in counts)) {
      throw new DataError(
        `Cannot weigh the classes: example ${i} has the label ${label}, wanted 0 to ${num_labels - 1}`,
      );
    }
    counts[label]++;
  });
  if (labels.length === 0) throw new DataError("Cannot weigh the classes: there are no examples");
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => count === 0 ? 0 : labels.length / (present * count));
}

/**
 * Makes the classes as large as each other: `"over"` repeats examples of the smaller ones, `"under"` leaves out examples
 * of the larger ones.
 *
 * @param examples Examples with numbers of classes.
 * @param options `method`; `seed` chooses which. Defaults `"over"` and 0.
 * @returns The chosen examples, in their order; repeated ones follow at the end.
 * @throws {DataError} if there is no example.
 */
export function balanceClasses<T extends Labeled>(
  examples: readonly T[],
  options: { method?: "over" | "under"; seed?: number } = {},
): T[] {
  const { method = "over", seed = 0 } = options,
    random = new Random(seed, DRAW_STREAM),
    groups = groupsOf(examples);
  if (groups.length === 0) throw new DataError("Cannot balance the classes: there are no examples");
  const lengths = groups.map((group) => group.length);
  if (method === "under") {
    const least = lengths.reduce((a, b) => Math.min(a, b));
    const kept = new Set(groups.flatMap((group) => random.shuffle(group.slice()).slice(0, least)));
    return examples.filter((_, i) => kept.has(i));
  }
  const most = lengths.reduce((a, b) => Math.max(a, b));
  const more = groups.flatMap((group) => {
    const again: number[] = [];
    while (group.length + again.length < most) {
      again.push(...random.shuffle(group.slice()).slice(0, most - group.length - again.length));
    }
    return again;
  });
  return [...examples, ...more.map((i) => examples[i])];
}
