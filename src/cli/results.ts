/**
 * Metrics and scores as tables.
 *
 * @module
 */
import type { ClassRow } from "../report/mod.ts";
import type { Metrics } from "../train/mod.ts";

/** Metrics as a table. */
export function formatMetrics(metrics: Metrics): string {
  const names = Object.keys(metrics), width = Math.max(0, ...names.map((name) => name.length));
  return names.map((name) => `${name.padEnd(width)}  ${shortNumber(metrics[name])}\n`).join("");
}

/** The scores of each class as a table. */
export function formatClasses(rows: readonly ClassRow[]): string {
  const width = Math.max(5, ...rows.map(({ label }) => label.length));
  const line = (label: string, cells: string[]) =>
    `${label.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join("")}\n`;
  return line("class", ["precision", "recall", "f1", "support"]) +
    rows.map(({ label, support, ...scores }) =>
      line(label, [
        ...[scores.precision, scores.recall, scores.f1].map((score) => score.toFixed(4)),
        String(support),
      ])
    ).join("");
}

/** A number with five digits or so. */
export function shortNumber(x: number): string {
  return Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(5)));
}
