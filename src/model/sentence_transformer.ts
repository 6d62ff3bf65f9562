/**
 * SentenceTransformer: one vector a text, with the names and folders of Python's sentence-transformers.
 *
 * @module
 */
import { DataError, RuntimeError } from "../errors.ts";
import { openModelFiles } from "../hub/model_files.ts";
import { takeHubOptions } from "../hub/options.ts";
import { BertTokenizer } from "../hub/tokenizer.ts";
import { init } from "../runtime/mod.ts";
import type { Tensor2D } from "../runtime/tensor.ts";
import type { ModelFiles } from "../weights/mod.ts";
import { BertBackbone } from "./backbone.ts";
import { type BertInputs, matrixRows } from "./batch.ts";
import type { BertConfig } from "./config.ts";
import { type EncoderInputs, EncoderModel, ModelOutput } from "./encoder_model.ts";
import { BertPooler } from "./pooler.ts";
import { type FromPretrainedOptions, loadPretrained } from "./pretrained.ts";
import type { ModelClass, PreTrainedModel } from "./pretrained_model.ts";
import { denseResult } from "./results.ts";
import {
  DEFAULT_SETTINGS,
  readSentenceSettings,
  type SentenceSettings,
  writeSentenceSettings,
} from "./sentence_files.ts";
import type { SentenceLoss } from "./sentence_losses.ts";
import { POOLING_MODES, type PoolingMode, SentencePooling } from "./sentence_pooling.ts";
import { similarityMatrix } from "./sentence_similarity.ts";
import { forTextBatches, type TextBatchOptions } from "./text_batches.ts";

/** What a batch of texts gives; the tensor lives until the model's next forward pass. */
export class SentenceOutput extends ModelOutput {
  /** [B, H] */
  get sentence_embedding(): Tensor2D {
    return this.tensor("sentence_embedding");
  }
}

/** What a {@linkcode SentenceTransformer} reads. */
export interface SentenceInputs extends EncoderInputs {
  /** The loss to compute. */
  loss?: SentenceLoss;
  /** For the loss: the texts are those of so many columns, one column after the other. Default 1. */
  columns?: number;
  /** For losses that want them: one number an example. */
  labels?: ArrayLike<number>;
}

/** Options of {@linkcode SentenceTransformer.encode}. */
export interface EncodeOptions extends TextBatchOptions {
  /** A text that is put before each. Default: that of `prompt_name`. */
  prompt?: string;
  /** The name of one of the model's prompts. Default: the model's `default_prompt_name`. */
  prompt_name?: string;
  /** Makes the vectors 1 long, if the model itself does not. Default false. */
  normalize_embeddings?: boolean;
}

/**
 * Sentence vectors of a BERT.
 *
 * @example
 * ```ts
 * import { dispose, SentenceTransformer } from "@berth/berth";
 * const model = await SentenceTransformer.from_pretrained("berth-tiny"); // or a folder of sentence-transformers
 * const vectors = await model.encode(["A fine game.", "The match was great.", "Rain all day."]);
 * console.log(vectors[0].length); // 128
 * const [[near, far]] = model.similarity([vectors[0]], vectors.slice(1));
 * console.log(near > far); // true
 * dispose();
 * ```
 */
export class SentenceTransformer extends EncoderModel<"sentence_embedding"> {
  /** None: this is the encoder itself. */
  static override readonly base_model_prefix: string = "";
  /** Makes texts into numbers. */
  tokenizer: BertTokenizer | undefined;
  #settings: SentenceSettings = { ...DEFAULT_SETTINGS };

  /** A model whose weights are not set yet, with mean pooling; see `from_pretrained` and `from_config`. */
  constructor(config: BertConfig) {
    super("BertModel", config);
    const { embeddings, encoder } = this.attach("", new BertBackbone(config, false));
    this.child("embeddings", embeddings);
    this.child("encoder", encoder);
    // Is not computed, but belongs to the checkpoint.
    const pooler = this.child("pooler", new BertPooler(config));
    for (const parameter of pooler.parameters()) parameter.requires_grad = false;
    this.finish();
  }

  /**
   * Loads a folder of sentence-transformers, or any BERT, which gets mean pooling.
   *
   * @param name A folder, the URL of a folder, an id on the Hugging Face hub, a folder's files, or `"berth-tiny"`.
   * @throws {HubError} if files are missing, {ConfigError} if the folder has modules that berth has not.
   */
  static override async from_pretrained<T extends PreTrainedModel>(
    this: ModelClass<T>,
    name: string | URL | ModelFiles,
    options: FromPretrainedOptions = {},
  ): Promise<T> {
    await init(options.runtime);
    const [hub] = takeHubOptions(options), files = await openModelFiles(name, hub);
    const { settings, transformer } = await readSentenceSettings(files);
    const tokenizer = await BertTokenizer.from_pretrained(transformer, hub);
    const on_report = options.on_report ?? ((report) => {
      if (report.newlyInitialized.some((missing) => !missing.startsWith("pooler."))) {
        console.warn(String(report));
      }
    });
    const model = await loadPretrained(this, transformer, { ...options, on_report });
    if (model instanceof SentenceTransformer) {
      model.tokenizer = tokenizer;
      model.#settings = settings;
    }
    return model;
  }

  /** How vectors are pooled. Default `mean`. */
  get pooling_mode(): PoolingMode {
    return this.#settings.pooling_mode;
  }

  set pooling_mode(mode: PoolingMode) {
    if (!POOLING_MODES.includes(mode)) {
      throw new RangeError(`Cannot pool by ${mode}: one of ${POOLING_MODES.join(", ")} is wanted`);
    }
    this.#settings.pooling_mode = mode;
  }

  /** Whether the model makes its vectors 1 long. */
  get normalize(): boolean {
    return this.#settings.normalize;
  }

  set normalize(normalize: boolean) {
    this.#settings.normalize = normalize;
  }

  /** Tokens of a text at most; longer ones are cut. */
  get max_seq_length(): number {
    const { max_position_embeddings } = this.config;
    return Math.min(
      this.#settings.max_seq_length ?? this.tokenizer?.model_max_length ?? Infinity,
      max_position_embeddings,
    );
  }

  set max_seq_length(length: number) {
    if (!(Number.isInteger(length) && length > 0)) {
      throw new RangeError(`Cannot cut texts to ${length} tokens: a whole number above 0 is wanted`);
    }
    this.#settings.max_seq_length = length;
  }

  /** The model's prompts by name. */
  get prompts(): Readonly<Record<string, string>> {
    return this.#settings.prompts;
  }

  /** H: the length of a vector. */
  get_sentence_embedding_dimension(): number {
    return this.config.hidden_size;
  }

  /**
   * Computes the vectors of a batch of encoded texts and, if it is given one, a loss.
   *
   * @throws {DataError} if the batch does not fit the model or the loss.
   */
  forward(inputs: SentenceInputs): SentenceOutput {
    const { loss, columns = 1, labels } = inputs, { pooling_mode, normalize } = this;
    return this.run(inputs, SentenceOutput, (context, { lastHidden }) => {
      const { runtime, batch: { size: all } } = context,
        size = this.config.hidden_size,
        count = all / columns;
      if (!Number.isInteger(count)) {
        throw new DataError(
          `Cannot compute the loss: ${all} texts make no ${columns} columns of the same length`,
        );
      }
      const pooling = new SentencePooling(pooling_mode, normalize, size),
        vectors = pooling.forward(context, lastHidden);
      const computed = loss?.compute({ runtime, vectors, columns, count, size, labels });
      const result = denseResult(context, "sentence_embedding", vectors, [all, size]);
      return {
        ...{ loss: computed?.value, results: [result] },
        backward: (gradients, needsInput) => {
          const dvectors = gradients.of(result, computed?.dvectors);
          return { dhidden: needsInput ? pooling.backward(context, dvectors) : 0 };
        },
      };
    }, { loss, columns, pooling_mode, normalize });
  }

  /** @ignore */
  override rehearse(
    inputs: BertInputs & Pick<SentenceInputs, "loss" | "columns"> & Partial<SentenceSettings>,
  ): void {
    const { pooling_mode = "mean", normalize = false, columns = 1, ...rest } = inputs;
    const all = matrixRows(inputs.input_ids, "input_ids").length, fits = all % columns === 0;
    this.#settings = { ...this.#settings, pooling_mode, normalize };
    const labels = new Array<number>(Math.floor(all / columns)).fill(0);
    const { sentence_embedding } = this.forward(
      fits ? { ...rest, columns, labels } : { ...rest, loss: undefined },
    );
    if (this.training) this.backward(fits && inputs.loss ? {} : { sentence_embedding });
  }

  /**
   * The vectors of texts, in the texts' order. Texts of about the same length go through together, in inference mode; no
   * padding is computed.
   *
   * @returns [H] for one text, [H] each for several.
   * @throws {RuntimeError} if the model has no tokenizer, {DataError} if it has no prompt of that name.
   */
  async encode(texts: string, options?: EncodeOptions): Promise<Float32Array>;
  /** The same for several texts. */
  async encode(texts: readonly string[], options?: EncodeOptions): Promise<Float32Array[]>;
  async encode(
    texts: string | readonly string[],
    options: EncodeOptions = {},
  ): Promise<Float32Array | Float32Array[]> {
    if (typeof texts === "string") return (await this.encode([texts], options))[0];
    const vectors: Float32Array[] = [], prepared = this.#prepare(texts, options);
    const max_length = Math.min(options.max_length ?? Infinity, this.max_seq_length),
      size = this.config.hidden_size;
    const batches = { ...options, max_length };
    await forTextBatches(this, this.requireTokenizer(), prepared, batches, (inputs, numbers) => {
      const values = this.forward(inputs).sentence_embedding.dataSync() as Float32Array;
      numbers.forEach((number, i) => vectors[number] = values.slice(i * size, (i + 1) * size));
    });
    if (options.normalize_embeddings && !this.normalize) vectors.forEach(makeUnit);
    return vectors;
  }

  /**
   * How similar each of some vectors is to each of others, by the model's `similarity_fn_name` (the cosine, if its files
   * do not say otherwise): [a.length][b.length].
   */
  similarity(a: readonly Float32Array[], b: readonly Float32Array[]): number[][] {
    return similarityMatrix(this.#settings.similarity_fn_name, a, b);
  }

  /** @ignore The tokenizer, or an error. */
  requireTokenizer(): BertTokenizer {
    if (this.tokenizer) return this.tokenizer;
    throw new RuntimeError("Cannot encode texts: the model has no tokenizer; set its property tokenizer");
  }

  /** Writes a folder that Python's sentence-transformers loads: the model, the tokenizer, and how vectors are made. */
  override async save_pretrained(folder: string | URL): Promise<void> {
    await super.save_pretrained(folder);
    await this.tokenizer?.save_pretrained(folder);
    const max_seq_length = this.max_seq_length;
    await writeSentenceSettings(folder, { ...this.#settings, max_seq_length }, this.config.hidden_size);
  }

  #prepare(texts: readonly string[], { prompt, prompt_name }: EncodeOptions): readonly string[] {
    const { prompts, default_prompt_name, do_lower_case } = this.#settings;
    const name = prompt_name ?? default_prompt_name;
    if (prompt === undefined && name !== null && !Object.hasOwn(prompts, name)) {
      const names = Object.keys(prompts).join(", ") || "none";
      throw new DataError(`Cannot use the prompt "${name}": the model has these prompts: ${names}`);
    }
    const before = prompt ?? (name === null ? "" : prompts[name]);
    return before === "" && !do_lower_case
      ? texts
      : texts.map((text) => do_lower_case ? (before + text).toLowerCase() : before + text);
  }
}

/** Makes a vector 1 long, unless it is 0. */
function makeUnit(vector: Float32Array): void {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0)) || 1;
  for (let i = 0; i < vector.length; i++) vector[i] /= length;
}
