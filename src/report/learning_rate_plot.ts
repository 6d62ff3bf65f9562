/**
 * The picture of a search for a learning rate.
 *
 * @module
 */
import type { LearningRateSearch } from "../train/learning_rate_search.ts";
import { formatNumber } from "./number.ts";
import { linePlot } from "./line_plot.ts";

/**
 * Draws the loss over the learning rates that `findLearningRate` tried, and marks the one that it suggests.
 *
 * @returns An SVG document.
 * @example
 * ```ts
 * import { learningRatePlot } from "@berth/berth/report";
 *
 * const rates = [1e-5, 1e-4, 1e-3, 1e-2], losses = [0.7, 0.6, 0.3, 2];
 * const svg = learningRatePlot({ rates, losses, smoothed: losses, suggestion: 1e-4 });
 * console.log(svg.startsWith("<svg")); // true
 * ```
 */
export function learningRatePlot({ rates, losses, smoothed, suggestion }: LearningRateSearch): string {
  const x = rates.map(Math.log10), at = rates.indexOf(suggestion);
  return linePlot({
    title: `Loss by learning rate; ${formatNumber(suggestion)} is suggested`,
    ...{ xLabel: "learning rate, as a power of 10", yLabel: "loss" },
    series: [
      { name: "each step", x, y: losses },
      { name: "smoothed", x, y: smoothed },
      { name: "suggestion", x: [x[at]], y: [smoothed[at]], markers: true },
    ],
  });
}
