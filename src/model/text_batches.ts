/**
 * Many texts through a model in inference mode: those of about the same length together, a batch at a time.
 *
 * @module
 */
import { Turns } from "../runtime/turns.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import type { PreTrainedModel } from "./pretrained_model.ts";

/** A text, or a pair of texts. */
export type TextOrPair = string | readonly [string, string];

/** Options of everything that runs many texts. */
export interface TextBatchOptions {
  /** Texts of one forward pass. Default 32. */
  batch_size?: number;
  /** Longer texts are cut to this many tokens. Default: the tokenizer's, or the model's, limit. */
  max_length?: number;
  /** Called after every batch. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work between two batches, with the signal's reason as the error. */
  signal?: AbortSignal;
}

/** Batches that are tokenized, and put in order, together. */
const WINDOW_BATCHES = 64;

/**
 * Calls `run` for each batch, with the model in inference mode; the model's mode is as before at the end.
 *
 * @param run Gets the encoded batch, and the number of each of its texts.
 * @throws {RangeError} if `batch_size` is no whole number above 0; the signal's reason if it is raised.
 */
export async function forTextBatches(
  model: PreTrainedModel,
  tokenizer: BertTokenizer,
  texts: readonly TextOrPair[],
  options: TextBatchOptions,
  run: (inputs: { input_ids: number[][]; token_type_ids: number[][] }, numbers: number[]) => void,
): Promise<void> {
  const { batch_size = 32, onProgress, signal } = options, wasTraining = model.training, turns = new Turns();
  if (!(Number.isInteger(batch_size) && batch_size > 0)) {
    throw new RangeError(`Cannot run texts in batches of ${batch_size}: a whole number above 0 is wanted`);
  }
  const max_length = options.max_length ??
    Math.min(tokenizer.model_max_length, model.config.max_position_embeddings);
  let done = 0;
  try {
    for (let start = 0; start < texts.length; start += WINDOW_BATCHES * batch_size) {
      const window = texts.slice(start, start + WINDOW_BATCHES * batch_size);
      const { input_ids, token_type_ids } = tokenizer(window, { truncation: true, max_length });
      const order = window.map((_, i) => i).sort((a, b) => input_ids[b].length - input_ids[a].length);
      for (let at = 0; at < order.length; at += batch_size) {
        signal?.throwIfAborted();
        if (model.training) model.eval();
        const batch = order.slice(at, at + batch_size);
        run(
          { input_ids: batch.map((i) => input_ids[i]), token_type_ids: batch.map((i) => token_type_ids[i]) },
          batch.map((i) => start + i),
        );
        onProgress?.(done += batch.length, texts.length);
        await turns.yield();
      }
    }
  } finally {
    if (wasTraining) model.train();
  }
}
