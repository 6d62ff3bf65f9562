/**
 * Rows of tokens through a model in inference mode: those of about the same length together, a batch at a time.
 *
 * @module
 */
import { Turns } from "../runtime/turns.ts";
import type { PreTrainedModel } from "./pretrained_model.ts";
import type { InferenceWeights } from "./weight_copy.ts";

/** Options of everything that runs many texts. */
export interface RunOptions {
  /** Texts of one forward pass. Default 32. */
  batch_size?: number;
  /** Called after every batch. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work between two batches, with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** Tokens as the tokenizer gives them, a row for each text or part of one. */
export interface TokenRows {
  /** Word pieces. */
  readonly input_ids: readonly number[][];
  /** Segments; absent where the model knows none. */
  readonly token_type_ids?: readonly number[][];
}

/** What `run` gets: the rows of one batch, and their numbers. */
export type RunBatch = (
  inputs: { input_ids: number[][]; token_type_ids?: number[][] },
  numbers: number[],
) => void;

/**
 * Calls `run` for each batch of rows, with the model in inference mode; the model's mode is as before at the end.
 *
 * @param weights What a model that is in training mode multiplies with meanwhile. Default `packed`.
 * @throws {RangeError} if `batch_size` is no whole number above 0; the signal's reason if it is raised.
 */
export async function runRows(
  model: PreTrainedModel,
  { input_ids, token_type_ids }: TokenRows,
  options: RunOptions,
  run: RunBatch,
  weights: InferenceWeights = "packed",
): Promise<void> {
  const { onProgress, signal } = options, batch_size = batchSize(options), turns = new Turns();
  const order = input_ids.map((_, i) => i).sort((a, b) => input_ids[b].length - input_ids[a].length);
  const wasTraining = model.training;
  let done = 0;
  try {
    for (let at = 0; at < order.length; at += batch_size) {
      signal?.throwIfAborted();
      if (model.training) model.eval({ weights });
      const numbers = order.slice(at, at + batch_size);
      const pick = (column: readonly number[][]) => numbers.map((i) => column[i]);
      const segments = token_type_ids ? { token_type_ids: pick(token_type_ids) } : {};
      run({ input_ids: pick(input_ids), ...segments }, numbers);
      onProgress?.(done += numbers.length, order.length);
      await turns.yield();
    }
  } finally {
    if (wasTraining) model.train();
  }
}

/**
 * The size of a batch.
 *
 * @throws {RangeError} if it is no whole number above 0.
 */
export function batchSize({ batch_size = 32 }: RunOptions): number {
  if (Number.isInteger(batch_size) && batch_size > 0) return batch_size;
  throw new RangeError(`Cannot run texts in batches of ${batch_size}: a whole number above 0 is wanted`);
}
