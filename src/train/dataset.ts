/**
 * Training data as batches in the order of a seed: an array's examples shuffled anew each epoch, or a stream's through
 * a buffer. Any place in the order can be found again.
 *
 * @module
 */
import { lengthGroupedBatches } from "../data/mod.ts";
import { DataError } from "../errors.ts";
import { Random } from "../random.ts";

/** An example: a text with its label, or ready features, by column. */
export type Example = Readonly<Record<string, unknown>>;

/** Examples that can be gone through anew each epoch. */
export type ExampleStream = AsyncIterable<object> | ((epoch: number) => AsyncIterable<object>);

/** Examples in memory (an array, a {@linkcode TextDataset}), or a stream of them. */
export type Dataset = Iterable<object> | ExampleStream;

/** How batches are made. */
export interface BatchOptions {
  /** Examples of a batch. */
  batch_size: number;
  /** Chooses the order. */
  seed: number;
  /** Leaves out examples that do not fill a batch. */
  drop_last: boolean;
  /** Examples that a stream's next one is drawn from. */
  buffer: number;
  /** The length of each example, to put those of like length into a batch. */
  lengths?: () => number[];
}

/** Streams of random numbers: orders of arrays and buffers of streams, one an epoch. */
const ORDER_STREAM = 1 << 21, BUFFER_STREAM = 1 << 22;

/** True if the examples are not in memory. */
export function isStream(dataset: Dataset): dataset is ExampleStream {
  return typeof dataset === "function" ||
    typeof (dataset as AsyncIterable<object>)?.[Symbol.asyncIterator] === "function";
}

/** The examples in an array, or the stream as it is. */
export function settled(dataset: Dataset): readonly Example[] | ExampleStream {
  if (isStream(dataset) || Array.isArray(dataset)) return dataset as readonly Example[] | ExampleStream;
  if (typeof dataset?.[Symbol.iterator] === "function") return [...dataset] as Example[];
  throw new DataError(
    "Cannot read the data set: an array, an iterable, an async iterable or a function that gives one is wanted",
  );
}

/** Batches of an epoch; undefined if their number is unknown. */
export function batchesPerEpoch(
  dataset: readonly Example[] | ExampleStream,
  { batch_size, drop_last }: BatchOptions,
): number | undefined {
  if (isStream(dataset)) return undefined;
  const batches = dataset.length / batch_size;
  return drop_last ? Math.floor(batches) : Math.ceil(batches);
}

/**
 * The batches of an epoch from one of them on.
 *
 * @throws {DataError} if a stream cannot be gone through, or ends before that batch.
 */
export function epochBatches(
  dataset: readonly Example[] | ExampleStream,
  options: BatchOptions,
  epoch: number,
  from: number,
): AsyncGenerator<Example[]> {
  return isStream(dataset)
    ? streamBatches(dataset, options, epoch, from)
    : arrayBatches(dataset, options, epoch, from);
}

async function* arrayBatches(
  examples: readonly Example[],
  { batch_size, seed, drop_last, lengths }: BatchOptions,
  epoch: number,
  from: number,
): AsyncGenerator<Example[]> {
  const batches = lengths
    ? lengthGroupedBatches(lengths(), { batch_size, seed, epoch, drop_last })
    : cut(shuffledOrder(examples.length, seed, epoch), batch_size, drop_last);
  for (const batch of batches.slice(from)) yield batch.map((i) => examples[i]);
}

function shuffledOrder(count: number, seed: number, epoch: number): number[] {
  return new Random(seed, ORDER_STREAM + epoch).shuffle(Array.from({ length: count }, (_, i) => i));
}

function cut(order: number[], batch_size: number, drop_last: boolean): number[][] {
  const batches: number[][] = [];
  for (let at = 0; at < order.length; at += batch_size) batches.push(order.slice(at, at + batch_size));
  return drop_last ? batches.filter((batch) => batch.length === batch_size) : batches;
}

async function* streamBatches(
  stream: ExampleStream,
  { batch_size, seed, drop_last, buffer }: BatchOptions,
  epoch: number,
  from: number,
): AsyncGenerator<Example[]> {
  let batch: Example[] = [], number = 0;
  for await (const example of shuffledStream(stream, buffer, seed, epoch)) {
    batch.push(example);
    if (batch.length < batch_size) continue;
    if (number++ >= from) yield batch;
    batch = [];
  }
  if (batch.length > 0 && !drop_last && number++ >= from) yield batch;
  if (number < from) {
    throw new DataError(
      `Cannot go on in epoch ${epoch}: the stream ended after ${number} batches, ${from} were done before; give it the ` +
        "same examples in the same order",
    );
  }
}

/** A stream's examples, each drawn from the next `size` ones. */
async function* shuffledStream(
  stream: ExampleStream,
  size: number,
  seed: number,
  epoch: number,
): AsyncGenerator<Example> {
  const random = new Random(seed, BUFFER_STREAM + epoch), waiting: Example[] = [];
  const draw = () => {
    const i = random.below(waiting.length), example = waiting[i];
    waiting[i] = waiting[waiting.length - 1];
    waiting.pop();
    return example;
  };
  for await (const example of openStream(stream, epoch)) {
    if (size <= 1) yield example;
    else if (waiting.push(example) === size) yield draw();
  }
  while (waiting.length > 0) yield draw();
}

/** All examples in their own order, in batches. */
export async function* plainBatches(
  dataset: readonly Example[] | ExampleStream,
  batch_size: number,
): AsyncGenerator<Example[]> {
  let batch: Example[] = [];
  for await (const example of isStream(dataset) ? openStream(dataset, 0) : dataset) {
    if (batch.push(example) < batch_size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** A stream's examples in their own order. */
function openStream(stream: ExampleStream, epoch: number): AsyncIterable<Example> {
  return (typeof stream === "function" ? stream(epoch) : stream) as AsyncIterable<Example>;
}
