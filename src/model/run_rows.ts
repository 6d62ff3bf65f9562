/**
 * Many rows of tokens through a model in inference mode: those of about the same length go through together.
 *
 * @module
 */
import type { InferenceWeights } from "./weight_copy.ts";

/** Options of everything that runs many texts. */
export interface RunOptions {
  /** Rows of one forward pass. Default 32. */
  batch_size?: number;
  /** Called after every batch. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work between two batches, with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** Rows of one column each; all of them if the tokenizer made them. */
export interface TokenRows {
  /** Word pieces. */
  readonly input_ids: readonly number[][];
  /** Segments. */
  readonly token_type_ids?: readonly number[][];
  /** 1 for real tokens. */
  readonly attention_mask?: readonly number[][];
}

/** What is needed of a model. */
export interface RowModel<O> {
  readonly training: boolean;
  train(): unknown;
  eval(options?: { weights?: InferenceWeights }): unknown;
  forward(
    inputs: { input_ids: number[][]; token_type_ids?: number[][]; attention_mask?: number[][] },
  ): O;
}

/** Milliseconds after which others (timers, a page's input) get their turn. */
const TURN_MS = 50;

/**
 * Runs all rows, the longest first.
 *
 * @param read Gets each batch's output, good until it returns, and the numbers of its rows.
 * @param weights What a model that is in training mode multiplies with meanwhile. Default `packed`.
 * @throws {RangeError} if `batch_size` is no whole number above 0; the signal's reason if it is raised.
 */
export async function runRows<O>(
  model: RowModel<O>,
  rows: TokenRows,
  options: RunOptions,
  read: (output: O, numbers: readonly number[]) => void,
  weights: InferenceWeights = "packed",
): Promise<void> {
  const { batch_size = 32, onProgress, signal } = options,
    { input_ids, token_type_ids, attention_mask } = rows;
  checkBatchSize(batch_size);
  const order = input_ids.map((_, i) => i).sort((a, b) => input_ids[b].length - input_ids[a].length);
  const wasTraining = model.training;
  let turn = performance.now(), done = 0;
  try {
    for (let at = 0; at < order.length; at += batch_size) {
      signal?.throwIfAborted();
      if (model.training) model.eval({ weights });
      const numbers = order.slice(at, at + batch_size);
      const pick = (column: readonly number[][]) => numbers.map((i) => column[i]);
      read(
        model.forward({
          input_ids: pick(input_ids),
          ...(token_type_ids ? { token_type_ids: pick(token_type_ids) } : {}),
          ...(attention_mask ? { attention_mask: pick(attention_mask) } : {}),
        }),
        numbers,
      );
      onProgress?.(done += numbers.length, order.length);
      if (performance.now() - turn > TURN_MS) {
        await new Promise((resolve) => setTimeout(resolve));
        turn = performance.now();
      }
    }
  } finally {
    if (wasTraining) model.train();
  }
}

/** Fails if a batch cannot have that size. */
export function checkBatchSize(batch_size: number): void {
  if (!(Number.isInteger(batch_size) && batch_size > 0)) {
    throw new RangeError(`Cannot predict in batches of ${batch_size}: a whole number above 0 is wanted`);
  }
}
