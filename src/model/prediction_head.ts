/**
 * The head that predicts word pieces: scores[n, V] = LayerNorm(f(x W1^T + b1)) E^T + b, E the word embeddings.
 *
 * @module
 */
import { RuntimeError } from "../errors.ts";
import type { StepContext } from "./context.ts";
import { zeroFill } from "./gradients.ts";
import type { LayerNorm, Linear } from "./layers.ts";
import { type Result, rowsResult } from "./results.ts";

/** Rows whose scores are computed together where all are wanted: enough for the product, few enough for memory. */
const BLOCK = 256;

/** A transform and a decoder, which stand in the model's tree under names of their own. */
export class PredictionHead {
  #saved = { x: 0, n: 0, slope: 0, features: 0 };

  constructor(
    readonly dense: Linear,
    readonly norm: LayerNorm,
    readonly decoder: Linear,
    readonly activation: number,
  ) {}

  /** Returns the scores [n, V] of x [n, H]. */
  forward(context: StepContext, x: number, n: number): number {
    const scores = context.runtime.arena.floats(n * this.decoder.outputs); // [n, V]
    this.decoder.forward(context.runtime, scores, this.#transform(context, x, n), n);
    return scores;
  }

  /** Adds to the gradients; returns dx [n, H], or 0 unless `needsInput`. */
  backward(context: StepContext, dscores: number, x: number, n: number, needsInput: boolean): number {
    const { runtime } = context, h = this.dense.inputs;
    if (this.#saved.x !== x || this.#saved.n !== n) this.#transform(context, x, n);
    const { slope, features } = this.#saved, needsTransform = needsInput || this.dense.isTrainable();
    const dfeatures = runtime.arena.floats(n * h), dinner = runtime.arena.floats(n * h); // [n, H] each
    this.decoder.backwardInput(runtime, dfeatures, dscores, n);
    this.decoder.backwardParameters(runtime, dscores, features, n);
    this.norm.backward(context, dinner, dfeatures, n);
    if (!needsTransform) return 0;
    runtime.pool.run("multiply", Math.ceil(n * h / 1024), 4, dinner, dinner, slope, n * h);
    if (needsInput) this.dense.backwardInput(runtime, dfeatures, dinner, n);
    this.dense.backwardParameters(runtime, dinner, x, n);
    return needsInput ? dfeatures : 0;
  }

  /** LayerNorm(f(dense(x))) [n, H] */
  #transform(context: StepContext, x: number, n: number): number {
    const { runtime, keep } = context, h = this.dense.inputs;
    const z = runtime.arena.floats(n * h), features = runtime.arena.floats(n * h); // [n, H] each; z kept by LayerNorm
    const slope = keep ? runtime.arena.floats(n * h) : 0; // [n, H]
    this.#saved = { x, n, slope, features };
    this.dense.forward(runtime, z, x, n, this.activation, slope);
    this.norm.forward(context, features, z, 0, n);
    return features;
  }

  /** The scores of all rows x [rows, H], for users [B, T, V]; computed when they are read. */
  result(context: StepContext, name: string, x: number): Result {
    const { runtime, batch } = context, { size, width, rows, places } = batch;
    const { inputs: h, outputs: v } = this.decoder, { arena } = runtime;
    const versions = () => this.#parameters().map((parameter) => parameter.version).join();
    const before = versions();
    return {
      ...rowsResult(context, name, 0, v),
      fill: (target) => {
        if (versions() !== before) {
          throw new RuntimeError(
            `Cannot read ${name}: the weights were changed since the forward pass; read it before, or run forward again`,
          );
        }
        const other = runtime.arena, count = size * width * v;
        if (rows < size * width) zeroFill(runtime, target, count);
        runtime.arena = arena;
        for (let at = 0; at < rows; at += BLOCK) {
          const mark = arena.mark(), n = Math.min(BLOCK, rows - at);
          const scores = this.forward({ ...context, keep: false }, x + at * h * 4, n);
          runtime.pool.run("scatter_rows", n, 1, target, scores, places + at * 4, v);
          arena.release(mark);
        }
        runtime.arena = other;
        this.#saved = { x: 0, n: 0, slope: 0, features: 0 };
      },
    };
  }

  #parameters() {
    return [this.dense, this.norm, this.decoder].flatMap((module) => module.parameters());
  }
}
