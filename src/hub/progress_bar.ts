/**
 * Download progress for people: one line that moves in a terminal, plain lines elsewhere.
 *
 * @module
 */
import { type DownloadProgress, formatBytes, formatTotals, ProgressSum } from "./progress.ts";

/** Where the lines go, such as `process.stderr`. */
export interface ProgressStream {
  /** Takes text. */
  write(text: string): unknown;
  /** True if it is a terminal. */
  readonly isTTY?: boolean;
  /** The terminal's width. Default 80. */
  readonly columns?: number;
}

const BAR_WIDTH = 20;
/** A terminal is redrawn at most this often. */
const REDRAW_MS = 100;
/** Elsewhere there is at most one line in this time. */
const LINE_MS = 10_000;

/**
 * Makes a `progress_callback` that draws.
 *
 * @param stream Where to; a terminal gets one line for what is under way and one for each file that is done.
 * @param now The time in milliseconds. Default: `performance.now`.
 * @returns What to give as `progress_callback`.
 */
export function progressBar(
  stream: ProgressStream,
  now: () => number = () => performance.now(),
): (progress: DownloadProgress) => void {
  const isTerminal = stream.isTTY ?? false;
  const running = new Map<string, number>(); // files under way -> their bytes
  let sum = new ProgressSum(), drawnMs = -Infinity;
  const write = (text: string) => void stream.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`);

  const draw = (file: string) => {
    const totals = sum.totals(), label = running.size === 1 ? printable(file) : `${running.size} files`;
    const percent = totals.total > 0 ? Math.floor(100 * totals.loaded / totals.total) : 0;
    const text = `${label} ${`${percent}`.padStart(3)} % ${isTerminal ? `${drawBar(percent)} ` : ""}${
      formatTotals(totals)
    }`;
    write(isTerminal ? text.slice(0, Math.max(10, (stream.columns ?? 80) - 1)) : text);
  };
  return (event) => {
    const { status, file } = event, key = `${event.name}\n${file}`, nowMs = now();
    sum.add(event, nowMs);
    if (status === "download") {
      if (!isTerminal) write(`Downloading ${printable(file)} of ${printable(event.name)}`);
      drawnMs = isTerminal ? -Infinity : nowMs;
      running.set(key, 0);
    } else if (status === "progress" && running.has(key)) {
      running.set(key, event.total ?? 0);
      if (nowMs - drawnMs < (isTerminal ? REDRAW_MS : LINE_MS)) return;
      drawnMs = nowMs;
      draw(file);
    } else if (status === "done" && running.has(key)) {
      write(`${printable(file)} ${formatBytes(running.get(key)!)}, done${isTerminal ? "\n" : ""}`);
      running.delete(key);
      if (running.size === 0) sum = new ProgressSum();
      if (isTerminal) drawnMs = -Infinity;
    }
  };
}

function drawBar(percent: number): string {
  const full = Math.round(percent / 100 * BAR_WIDTH);
  return `[${"#".repeat(full)}${"-".repeat(BAR_WIDTH - full)}]`;
}

/** A name from outside without what a terminal would obey. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
