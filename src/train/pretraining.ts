/**
 * A BERT from nothing: documents -> vocabulary -> rows -> a model trained on masked words, and on next sentences if asked.
 *
 * @module
 */
import { sentencePairs, textBlocks } from "../data/mod.ts";
import { BertTokenizer } from "../hub/mod.ts";
import { BertConfig, type BertConfigOptions, BertForMaskedLM, BertForPreTraining } from "../model/mod.ts";
import { trainVocabulary, type VocabularyOptions } from "../tokenizer/mod.ts";
import type { TrainingArguments } from "./arguments.ts";
import { dataCollatorForLanguageModeling, type LanguageModelingOptions } from "./data_collators.ts";
import type { Metrics, TrainerCallback } from "./events.ts";
import { Trainer } from "./trainer.ts";
import type { TrainOptions, TrainOutput } from "./trainer_options.ts";

/** How far the work before the first step has come; steps are told to `callbacks`. */
export interface PretrainingProgress {
  /** Reading the words of the documents, merging pieces to tokens, or cutting the documents into rows. */
  stage: "texts" | "tokens" | "rows";
  /** Documents, or tokens of the vocabulary, done. */
  done: number;
  /** Of how many. */
  total: number;
}

/** Options of {@linkcode pretrain}. */
export interface PretrainingOptions {
  /** The text, one string a document; for next sentences one sentence a line, as `parseDocuments` gives it. */
  documents: readonly string[];
  /** Documents to evaluate on at the end, with as many tokens masked. Default: none. */
  eval_documents?: readonly string[];
  /** Cuts the text. Default: one whose vocabulary is trained on the documents. */
  tokenizer?: BertTokenizer;
  /** How the vocabulary is trained. Default: that of {@linkcode trainVocabulary}. */
  vocabulary?: Omit<VocabularyOptions, "progress_callback">;
  /** The model's shape. Default: 4 layers, H = 256, N = 4, I = 1024. */
  config?: Omit<BertConfigOptions, "vocab_size">;
  /** Trains BertForPreTraining on next sentences too, else BertForMaskedLM on packed blocks. Default false. */
  next_sentence?: boolean;
  /** Tokens of a row. Default 128. */
  max_length?: number;
  /** Which tokens are masked. */
  masking?: Omit<LanguageModelingOptions, "tokenizer">;
  /**
   * Settings of the Trainer. Default: batches of 32, learning rate 5e-4 after a warm-up of 6 % of the steps, weight decay
   * 0.01. With `output_dir`, the model and the tokenizer are written there.
   */
  args?: TrainingArguments;
  /** Listeners of the Trainer. */
  callbacks?: readonly TrainerCallback[];
  /** Called while the vocabulary and the rows are made. */
  onProgress?: (progress: PretrainingProgress) => void;
}

/** What {@linkcode pretrain} gives. */
export interface PretrainedBert {
  /** The model, in inference mode. */
  model: BertForMaskedLM | BertForPreTraining;
  /** Its tokenizer. */
  tokenizer: BertTokenizer;
  /** Rows trained on. */
  rows: number;
  /** What training gave. */
  training: TrainOutput;
  /** `eval_loss` and so on, if there were `eval_documents`. */
  evaluation?: Metrics;
}

const SHAPE = { hidden_size: 256, num_hidden_layers: 4, num_attention_heads: 4, intermediate_size: 1024 };
const ARGS = { per_device_train_batch_size: 32, learning_rate: 5e-4, warmup_ratio: 0.06, weight_decay: 0.01 };

/**
 * Trains a BERT from random weights, and its vocabulary too.
 *
 * @param options What to train on, and how.
 * @param train Whether to go on from a checkpoint in `output_dir`, and a signal that stops.
 * @throws {DataError} if the documents have no text, or no sentences for pairs; {RangeError} if a setting is out of range.
 *
 * @example
 * ```ts
 * import { dispose, parseDocuments, pretrain } from "@berth/berth";
 * const text = "The cat sat.\nIt slept.\n\nThe dog ran.\nIt barked."; // await Deno.readTextFile("corpus.txt")
 * const { model, tokenizer, training } = await pretrain({
 *   documents: parseDocuments(text),
 *   vocabulary: { vocab_size: 100 },
 *   config: { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64 },
 *   next_sentence: true,
 *   args: { max_steps: 5 }, // and output_dir: "my-bert" for a folder that from_pretrained loads
 * });
 * console.log(model.typeName, tokenizer.length, training.training_loss);
 * dispose();
 * ```
 */
export async function pretrain(
  options: PretrainingOptions,
  train: TrainOptions = {},
): Promise<PretrainedBert> {
  const { documents, eval_documents, next_sentence = false, max_length = 128, onProgress } = options;
  const tokenizer = options.tokenizer ?? await trainTokenizer(options, max_length);
  const rowsOf = (texts: readonly string[]) => {
    const told = (done: number, total: number) => onProgress?.({ stage: "rows", done, total });
    const rows = { max_length, seed: options.args?.seed, onProgress: told };
    return next_sentence ? sentencePairs(texts, tokenizer, rows) : textBlocks(texts, tokenizer, rows);
  };
  const train_dataset = rowsOf(documents), eval_dataset = eval_documents && rowsOf(eval_documents);
  const config = new BertConfig({
    ...{ ...SHAPE, max_position_embeddings: max_length, ...options.config },
    ...{ vocab_size: tokenizer.length, pad_token_id: tokenizer.pad_token_id },
  });
  const Model: typeof BertForMaskedLM | typeof BertForPreTraining = next_sentence
    ? BertForPreTraining
    : BertForMaskedLM;
  const model = await Model.from_config<BertForMaskedLM | BertForPreTraining>(config, {
    seed: options.args?.seed,
  });
  const trainer = new Trainer<BertForMaskedLM | BertForPreTraining>({
    ...{ model, tokenizer, train_dataset, eval_dataset, callbacks: options.callbacks },
    data_collator: dataCollatorForLanguageModeling({ ...options.masking, tokenizer }),
    args: { ...ARGS, ...options.args },
  });
  try {
    const training = await trainer.train(train);
    if (options.args?.output_dir !== undefined) await trainer.save_model();
    const evaluation = eval_dataset && await trainer.evaluate(eval_dataset);
    return { model, tokenizer, rows: train_dataset.length, training, evaluation };
  } finally {
    await trainer.dispose();
    model.eval();
  }
}

async function trainTokenizer(
  { documents, vocabulary = {}, onProgress }: PretrainingOptions,
  model_max_length: number,
): Promise<BertTokenizer> {
  const tokens = await trainVocabulary(documents, {
    ...vocabulary,
    progress_callback: ({ stage, loaded, total }) =>
      onProgress?.({ stage, done: loaded, total: total ?? loaded }),
  });
  const { do_lower_case, strip_accents, tokenize_chinese_chars, clean_text, continuing_subword_prefix } =
    vocabulary;
  return BertTokenizer.from_vocab(tokens, {
    ...{ do_lower_case, strip_accents, tokenize_chinese_chars, clean_text, continuing_subword_prefix },
    model_max_length,
  });
}
