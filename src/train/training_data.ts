/**
 * The training examples of a run: batch after batch from any place, as features.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { FullArguments } from "./arguments.ts";
import {
  batchesPerEpoch,
  type BatchOptions,
  type Dataset,
  epochBatches,
  type Example,
  type ExampleStream,
  isStream,
  settled,
} from "./dataset.ts";
import type { FeatureMaker } from "./features.ts";
import { hashExamples } from "./snapshot.ts";

/** Gives the batches of a run's epochs. */
export class TrainingData {
  readonly #dataset: readonly Example[] | ExampleStream;
  readonly #options: BatchOptions;
  #open: { epoch: number; batch: number; batches: AsyncGenerator<Example[]> } | undefined;
  #hash: Promise<string> | undefined;

  /** Makes nothing yet. */
  constructor(dataset: Dataset, args: FullArguments, features: FeatureMaker) {
    const own = this.#dataset = settled(dataset);
    let lengths: number[] | undefined;
    const lengthsOf = () =>
      lengths ??= features(own as readonly Example[]).map((row) => (row.input_ids as number[]).length);
    this.#options = {
      ...{ batch_size: args.per_device_train_batch_size, seed: args.seed },
      ...{ drop_last: args.dataloader_drop_last, buffer: args.shuffle_buffer_size },
      lengths: args.group_by_length ? lengthsOf : undefined,
    };
    if (args.group_by_length && isStream(own)) {
      throw new RangeError("Cannot group a stream by length: an array of examples is wanted");
    }
  }

  /** Batches of an epoch; undefined for a stream. */
  get perEpoch(): number | undefined {
    return batchesPerEpoch(this.#dataset, this.#options);
  }

  /** SHA-256 of the examples; null for a stream. */
  async hash(): Promise<string | null> {
    return isStream(this.#dataset) ? null : await (this.#hash ??= hashExamples(this.#dataset));
  }

  /**
   * The next batches of an epoch, up to `count`; none if it is over.
   *
   * @param batch How many of the epoch's batches went before.
   * @throws {DataError} if the epoch has no batch at all.
   */
  async take(epoch: number, batch: number, count: number): Promise<Example[][]> {
    if (this.#open?.epoch !== epoch || this.#open.batch !== batch) {
      await this.close();
      this.#open = { epoch, batch, batches: epochBatches(this.#dataset, this.#options, epoch, batch) };
    }
    const open = this.#open, taken: Example[][] = [];
    while (taken.length < count) {
      const next = await open.batches.next();
      if (next.done) break;
      taken.push(next.value);
    }
    open.batch += taken.length;
    if (open.batch === 0) {
      throw new DataError(
        `Cannot train: the training data has no batch of ${this.#options.batch_size} examples`,
      );
    }
    return taken;
  }

  /** Lets go of an open stream. */
  async close(): Promise<void> {
    await this.#open?.batches.return(undefined);
    this.#open = undefined;
  }
}
