/**
 * `feature-extraction`: texts to vectors, of every token or of the whole text.
 *
 * @module
 */
import type { BertModel, DistilBertModel, RunOptions } from "../model/mod.ts";
import { Pipeline } from "./base.ts";

/** Options of a call. */
export interface FeatureExtractionOptions extends RunOptions {
  /** `none`: a vector a token; `mean`: the mean of the tokens' vectors; `cls`: that of the first token. Default `none`. */
  pooling?: "none" | "mean" | "cls";
  /** Divides each vector by its length. Default false. */
  normalize?: boolean;
}

/** Numbers with dimensions, apart from tfjs: nothing is to be disposed. */
export class FeatureArray {
  /** The element type. */
  readonly type = "float32";

  /**
   * Features of these values.
   *
   * @param data In C order.
   * @param dims Their dimensions.
   */
  constructor(readonly data: Float32Array<ArrayBuffer>, readonly dims: readonly number[]) {}

  /** The same as nested arrays. */
  tolist<T = number[][] | number[][][]>(): T {
    const nest = (axis: number, at: number, size: number): unknown => {
      if (axis === this.dims.length) return this.data[at];
      const step = size / this.dims[axis];
      return Array.from({ length: this.dims[axis] }, (_, i) => nest(axis + 1, at + i * step, step));
    };
    return nest(0, 0, this.data.length) as T;
  }
}

/** Calling it extracts. */
export interface FeatureExtractionPipeline {
  /**
   * Extracts features of texts; longer ones are cut to what the model takes.
   *
   * @param texts One text, or a list of them.
   * @returns [B, T, H], zero after a text's end; with pooling [B, H]. For one text, B is 1.
   */
  (texts: string | readonly string[], options?: FeatureExtractionOptions): Promise<FeatureArray>;
}

/** Vectors of texts, from `pipeline("feature-extraction", model)`. */
export class FeatureExtractionPipeline
  extends Pipeline<BertModel | DistilBertModel, FeatureExtractionOptions> {
  /** @ignore */
  override async _call(
    texts: string | readonly string[],
    options: FeatureExtractionOptions = {},
  ): Promise<FeatureArray> {
    const { pooling = "none", normalize = false, ...run } = { ...this.defaults, ...options };
    if (!["none", "mean", "cls"].includes(pooling)) {
      throw new RangeError(`Cannot pool by ${JSON.stringify(pooling)}: one of none, mean, cls is wanted`);
    }
    const list = this.listOf<string>(texts), h = this.model.config.hidden_size;
    if (list.length === 0) {
      return new FeatureArray(new Float32Array(), pooling === "none" ? [0, 0, h] : [0, h]);
    }
    const rows = this.tokenizer(list, { truncation: true, max_length: this.maxLength });
    const lengths = rows.input_ids.map((row) => row.length), longest = Math.max(0, ...lengths);
    const dims = pooling === "none" ? [list.length, longest, h] : [list.length, h];
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1)), { runtime } = this.model;
    await this.run(rows, run, (inputs, numbers) => {
      const { last_hidden_state: hidden } = this.model.forward(inputs);
      const values = runtime.heap.floats(runtime.pointerOf(hidden), hidden.size), width = hidden.shape[1]; // [b, width, H]
      numbers.forEach((number, b) => {
        const own = values.subarray(b * width * h, (b * width + lengths[number]) * h);
        if (pooling === "none") data.set(own, number * longest * h);
        else data.set(pooling === "cls" ? own.subarray(0, h) : meanRow(own, h), number * h);
      });
    });
    if (normalize) normalizeRows(data, h);
    return new FeatureArray(data, dims);
  }
}

/** The mean of rows [n, h]. */
function meanRow(values: Float32Array, h: number): Float64Array {
  const mean = new Float64Array(h), n = values.length / h;
  for (let i = 0; i < values.length; i++) mean[i % h] += values[i] / n;
  return mean;
}

/** Divides each row [h] by its length; rows of zeros stay. */
function normalizeRows(values: Float32Array, h: number): void {
  for (let start = 0; start < values.length; start += h) {
    const row = values.subarray(start, start + h);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    if (length > 0) { for (let i = 0; i < h; i++) row[i] /= length; }
  }
}
