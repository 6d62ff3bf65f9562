/**
 * What a search for a learning rate finds.
 *
 * @module
 */

/** What a search for a learning rate finds. */
export interface LearningRateSearch {
  /** The rate of each step. */
  rates: number[];
  /** The loss of each step. */
  losses: number[];
  /** The losses, smoothed. */
  smoothed: number[];
  /** The rate at which the smoothed loss falls fastest: a good one. */
  suggestion: number;
}
