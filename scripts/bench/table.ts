/** The rows of a suite as a table: aligned text for a terminal, or Markdown. */
import type { Row, Timing } from "./harness.ts";

/** How a table is written. */
export interface TableOptions {
  /** Colours goals that are met and missed. Default false. */
  colours?: boolean;
}

interface Column {
  head: string;
  right: boolean;
  cell(row: Row): string;
}

/** What every table has; columns without any value are left out. */
const COLUMNS: readonly Column[] = [
  { head: "work", right: false, cell: (row) => row.work },
  { head: "berth", right: true, cell: (row) => formatTiming(row.ours) },
  {
    head: "share",
    right: true,
    cell: ({ share }) => share === undefined ? "" : `${(share * 100).toFixed(1)} %`,
  },
  { head: "peer", right: false, cell: (row) => row.peer ?? "" },
  { head: "its figure", right: true, cell: (row) => row.theirs ? formatTiming(row.theirs) : "" },
  { head: "berth / it", right: true, cell: ({ ratio }) => ratio === undefined ? "" : formatRatio(ratio) },
  { head: "goal", right: false, cell: (row) => row.goal ?? "" },
  { head: "met", right: false, cell: ({ met }) => met === undefined ? "" : met ? "yes" : "no" },
];
const VERIFIED: Column = { head: "verified", right: false, cell: (row) => row.verified };

/** Three significant digits, or whole numbers from 100 up. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 99.95) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 9.995 ? 1 : Math.abs(value) >= 0.9995 ? 2 : 3);
}

/** `36.4 GFLOPS`, `0.53 x`. */
export function formatTiming({ median, unit }: Timing): string {
  return `${formatFigure(median)} ${unit}`;
}

/** `0.53 x`, `0.008 x`. */
export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(ratio < 0.1 ? 3 : ratio < 10 ? 2 : 1)} x`;
}

/** The columns that have something to show. */
function columnsOf(rows: readonly Row[], verified: boolean): Column[] {
  return [...COLUMNS, ...verified ? [VERIFIED] : []].filter((column) =>
    rows.some((row) => column.cell(row) !== "")
  );
}

/** Lines of aligned columns. */
export function textTable(rows: readonly Row[], { colours = false }: TableOptions = {}): string {
  const columns = columnsOf(rows, false);
  const cells = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  const lines = cells.map((line, at) => {
    const text = line
      .map((cell, i) => columns[i].right ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
      .join("  ").trimEnd();
    return colours ? colour(text, at === 0 ? undefined : rows[at - 1]) : text;
  });
  return lines.join("\n");
}

/** The head in bold; a row by its goal. */
function colour(text: string, row: Row | undefined): string {
  const code = row === undefined ? 1 : row.met === undefined ? 0 : row.met ? 32 : 31;
  return code === 0 ? text : `\x1b[${code}m${text}\x1b[0m`;
}

/** A table of GitHub's Markdown, with what was verified. */
export function markdownTable(rows: readonly Row[]): string {
  const columns = columnsOf(rows, true),
    escape = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
  return [
    `| ${columns.map(({ head }) => head).join(" | ")} |`,
    `| ${columns.map(({ right }) => right ? "---:" : "---").join(" | ")} |`,
    ...rows.map((row) => `| ${columns.map(({ cell }) => escape(cell(row))).join(" | ")} |`),
  ].join("\n");
}
