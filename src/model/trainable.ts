/**
 * What a trainer needs of a model; every model of berth that has a loss is one.
 *
 * @module
 */
import type { PreTrainedModel } from "./pretrained_model.ts";

/** A batch with its labels; each model says which names it reads, and refuses what does not fit. */
export interface ModelInputs {
  /** Word pieces by number. */
  readonly input_ids: unknown;
}

/** A model that a trainer can train. */
export interface TrainableModel extends PreTrainedModel {
  /** Runs a batch. With labels there is a loss: the mean over what counts. */
  forward(inputs: ModelInputs): { readonly loss: number | undefined };
  /** Adds to the gradients of all trained parameters, times `scale`. */
  backward(options?: { scale?: number }): void;
}
