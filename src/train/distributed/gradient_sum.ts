/**
 * How the gradients of a step's micro-batches become one.
 *
 * @module
 */

/** Adds up gradients: of this rank's micro-batches, and of all ranks. */
export interface GradientSum {
  /** Begins a step. */
  begin(): void;
  /**
   * Adds one micro-batch.
   *
   * @param backward Its backward pass; undefined if there is no such micro-batch, as at an epoch's end.
   * @param isLast Whether this rank has no backward pass in this step after it.
   */
  add(backward: (() => void) | undefined, isLast: boolean): void;
  /** Ends the passes: every parameter has the sum over all ranks. */
  finish(): void;
  /** Ends a step whose gradients were forgotten; `finish` was not called. */
  cancel(): void;
  /** Frees the memory of the gradients. */
  dispose(): void;
}

/** Of one process: the model adds them up itself. */
export const OWN_SUM: GradientSum = {
  begin: () => {},
  add: (backward) => backward?.(),
  finish: () => {},
  cancel: () => {},
  dispose: () => {},
};
