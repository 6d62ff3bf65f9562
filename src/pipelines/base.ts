/**
 * What all pipelines share: a model, a tokenizer, and rows of tokens through the one from the other.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { BertTokenizer } from "../hub/mod.ts";
import type { InferenceWeights, PreTrainedModel } from "../model/mod.ts";
import { type RunBatch, type RunOptions, runRows, type TokenRows } from "../model/run_rows.ts";
import { Callable } from "../tokenizer/callable.ts";

/** What a pipeline is made of. */
export interface PipelineParts<M, D> {
  /** The name of the task. */
  task: string;
  /** The model. */
  model: M;
  /** The model's tokenizer. */
  tokenizer: BertTokenizer;
  /** What the model multiplies with. */
  weights: InferenceWeights;
  /** Whether the model belongs to the pipeline. */
  ownsModel: boolean;
  /** Options of calls that do not give them. */
  defaults: D;
}

/** A model with its tokenizer, as a function of texts. */
export abstract class Pipeline<M extends PreTrainedModel, D extends object> extends Callable {
  /** The name of the task. */
  readonly task: string;
  /** The model. */
  readonly model: M;
  /** The model's tokenizer. */
  readonly tokenizer: BertTokenizer;
  /** @internal Options of calls that do not give them. */
  protected readonly defaults: D;
  readonly #weights: InferenceWeights;
  readonly #ownsModel: boolean;

  /** @ignore */
  constructor({ task, model, tokenizer, weights, ownsModel, defaults }: PipelineParts<M, D>) {
    super();
    this.task = task;
    this.model = model;
    this.tokenizer = tokenizer;
    this.defaults = defaults;
    this.#weights = weights;
    this.#ownsModel = ownsModel;
  }

  /** Frees the model, unless it was given to the pipeline. */
  dispose(): Promise<void> {
    if (this.#ownsModel) this.model.dispose();
    return Promise.resolve();
  }

  /** @internal The most tokens of a row. */
  protected get maxLength(): number {
    return Math.min(this.tokenizer.model_max_length, this.model.config.max_position_embeddings);
  }

  /**
   * @internal One input as a list of one.
   *
   * @throws {DataError} if there is none.
   */
  protected listOf<T>(inputs: T | readonly T[]): readonly T[] {
    if (inputs === undefined || inputs === null) {
      throw new DataError(`Cannot run ${this.task}: there is no input; a text or a list of texts is wanted`);
    }
    return (Array.isArray(inputs) ? inputs : [inputs]) as readonly T[];
  }

  /** @internal Calls `run` for each batch of rows. */
  protected async run(rows: TokenRows, options: RunOptions, run: RunBatch): Promise<void> {
    await runRows(this.model, rows, options, run, this.#weights);
  }

  /** @internal The name of a label. */
  protected label(number: number): string {
    return this.model.config.id2label[number] ?? `LABEL_${number}`;
  }
}
