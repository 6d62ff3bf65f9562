/**
 * Many texts through a model in inference mode, tokenized a window at a time.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { BertTokenizer } from "../tokenizer/mod.ts";
import type { PreTrainedModel } from "./pretrained_model.ts";
import { batchSize, type RunBatch, type RunOptions, runRows } from "./run_rows.ts";

/** A text, or a pair of texts. */
export type TextOrPair = string | readonly [string, string];

/** Options of everything that runs many whole texts. */
export interface TextBatchOptions extends RunOptions {
  /** Longer texts are cut to this many tokens. Default: the tokenizer's, or the model's, limit. */
  max_length?: number;
}

function checkTexts(tokenizer: unknown, texts: unknown): void {
  if (typeof tokenizer !== "function") {
    throw new DataError("Cannot run texts: there is no tokenizer, that of the model is wanted");
  }
  if (!Array.isArray(texts)) {
    throw new DataError(`Cannot run texts: they are ${JSON.stringify(texts)}, a list of texts is wanted`);
  }
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
  run: RunBatch,
): Promise<void> {
  checkTexts(tokenizer, texts);
  const { onProgress } = options, size = WINDOW_BATCHES * batchSize(options);
  const max_length = options.max_length ??
    Math.min(tokenizer.model_max_length, model.config.max_position_embeddings);
  for (let start = 0; start < texts.length; start += size) {
    const rows = tokenizer(texts.slice(start, start + size), { truncation: true, max_length });
    const progress = onProgress && ((done: number) => onProgress(start + done, texts.length));
    await runRows(
      model,
      rows,
      { ...options, onProgress: progress },
      (inputs, numbers) => run(inputs, numbers.map((number) => start + number)),
    );
  }
}
