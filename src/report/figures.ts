/**
 * All figures of a run, each as a file of its own.
 *
 * @module
 */

import { comparisonFigures } from "./report_baseline.ts";
import { curveFigures } from "./report_curves.ts";
import { dataFigures } from "./report_data.ts";
import { resultFigures } from "./report_results.ts";
import { speedFigures } from "./report_speed.ts";
import type { RunReport } from "./types.ts";

/**
 * Draws the figures of a run's report as SVG documents that need nothing else, in light and dark.
 *
 * @param run What happened.
 * @returns The documents by the names of their files, such as `loss.svg`.
 * @throws {DataError} If the confusion counts are not a square of whole numbers.
 *
 * @example
 * ```ts
 * import { reportFigures } from "@berth/berth/report";
 *
 * const figures = reportFigures({
 *   title: "Film reviews",
 *   model: { name: "berth-tiny", parameters: 1_842_306, layers: 4, hidden_size: 128 },
 *   data: { train: 6920 },
 *   ...{ settings: {}, environment: {}, evaluations: [] },
 *   steps: [{ step: 1, epoch: 0.002, loss: 0.7, learning_rate: 3e-5, elapsedMs: 41 }],
 * });
 * console.log(Object.keys(figures)); // ["loss.svg", "learning_rate.svg"]
 * ```
 */
export function reportFigures(run: RunReport): Record<string, string> {
  const figures = [
    ...curveFigures(run),
    ...resultFigures(run),
    ...comparisonFigures(run),
    ...dataFigures(run),
    ...speedFigures(run),
  ];
  return Object.fromEntries(figures.map(({ id, draw }) => [`${id}.svg`, draw("alone").text]));
}
