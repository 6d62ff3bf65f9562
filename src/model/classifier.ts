/**
 * The last step of most heads: scores[n, K] = dropout(x[n, H]) W^T + b
 *
 * @module
 */
import { SITES, type StepContext } from "./context.ts";
import { applyDropout, type Dropout, type Linear } from "./layers.ts";

/** A Linear behind a dropout, both of which stand in the model's tree under names of their own. */
export class Classifier {
  #features = 0;

  constructor(readonly linear: Linear, readonly dropout: Dropout | undefined = undefined) {}

  /** Returns the scores [n, K] of x [n, H]. */
  forward(context: StepContext, x: number, n: number): number {
    const { runtime } = context, { inputs, outputs } = this.linear;
    this.#features = this.dropout
      ? applyDropout(runtime, x, n, inputs, this.dropout.at(context, SITES.classifier))
      : x;
    const scores = runtime.arena.floats(n * outputs); // [n, K]
    this.linear.forward(runtime, scores, this.#features, n);
    return scores;
  }

  /** Adds to the gradients of the Linear; returns dx [n, H], or 0 unless `needsInput`. */
  backward(context: StepContext, dscores: number, n: number, needsInput: boolean): number {
    const { runtime } = context, h = this.linear.inputs;
    const dfeatures = needsInput ? runtime.arena.floats(n * h) : 0; // [n, H]
    if (needsInput) this.linear.backwardInput(runtime, dfeatures, dscores, n);
    this.linear.backwardParameters(runtime, dscores, this.#features, n);
    if (!needsInput || !this.dropout) return dfeatures;
    return applyDropout(runtime, dfeatures, n, h, this.dropout.at(context, SITES.classifier));
  }
}
