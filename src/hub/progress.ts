/**
 * What happens while files are downloaded: events, in the shape of transformers.js, and their sum. Pure.
 *
 * @module
 */

/** Something that happened to one file. A file that is in the cache has no `"download"`. */
export interface DownloadProgress {
  /**
   * `"initiate"`: it is needed; `"download"`: its bytes will come; `"progress"`: some came; `"done"`: it is there;
   * `"load"`: one of its tensors is in the model.
   */
  status: "initiate" | "download" | "progress" | "done" | "load";
  /** The model, as it was asked for. */
  name: string;
  /** The file. */
  file: string;
  /** Of `"progress"` and `"load"`: percent, 0 to 100. */
  progress?: number;
  /** Of `"progress"`: bytes that are there, those of an earlier, cut download too. Of `"load"`: tensors. */
  loaded?: number;
  /** Of `"progress"`: bytes of the whole file. Of `"load"`: tensors that the model takes from the file. */
  total?: number;
}

/** The sum of all files at one time. */
export interface ProgressTotals {
  /** Files that are being downloaded or were. */
  readonly files: number;
  /** Files that are whole. */
  readonly filesDone: number;
  /** Bytes that are there. */
  readonly loaded: number;
  /** Bytes of all files. */
  readonly total: number;
  /** Over the last seconds; 0 while unknown. */
  readonly bytesPerSecond: number;
  /** Undefined while the rate is unknown. */
  readonly secondsLeft: number | undefined;
}

/** The rate is taken over this time. */
const WINDOW_MS = 5000;

/** Adds the events of all files up. */
export class ProgressSum {
  readonly #files = new Map<string, { first: number; loaded: number; total: number; isDone: boolean }>();
  #samples: { atMs: number; bytes: number }[] = [];

  /**
   * Takes an event.
   *
   * @param event What happened.
   * @param nowMs The time, in milliseconds from any start.
   */
  add(event: DownloadProgress, nowMs: number): void {
    const key = `${event.name}\n${event.file}`;
    if (event.status === "download") this.#files.set(key, { first: -1, loaded: 0, total: 0, isDone: false });
    const file = this.#files.get(key);
    if (!file || event.status === "load") return; // without a file, it is in the cache
    if (event.status === "progress") {
      file.loaded = event.loaded ?? 0;
      file.total = event.total ?? 0;
      if (file.first < 0) file.first = file.loaded;
    }
    if (event.status === "done") {
      file.loaded = file.total;
      file.isDone = true;
    }
    this.#samples = this.#samples.filter(({ atMs }, i, all) =>
      i === all.length - 1 || nowMs - atMs <= WINDOW_MS
    );
    this.#samples.push({ atMs: nowMs, bytes: this.#received() });
  }

  /** Bytes that came since the first event. */
  #received(): number {
    return [...this.#files.values()].reduce((sum, { first, loaded }) => sum + loaded - Math.max(0, first), 0);
  }

  /** The sum after the last event. */
  totals(): ProgressTotals {
    const files = [...this.#files.values()], samples = this.#samples;
    const loaded = files.reduce((sum, file) => sum + file.loaded, 0);
    const total = files.reduce((sum, file) => sum + file.total, 0);
    const first = samples[0], last = samples[samples.length - 1];
    const seconds = samples.length > 1 ? (last.atMs - first.atMs) / 1000 : 0;
    const bytesPerSecond = seconds > 0 ? (last.bytes - first.bytes) / seconds : 0;
    return {
      files: files.length,
      filesDone: files.filter(({ isDone }) => isDone).length,
      loaded,
      total,
      bytesPerSecond,
      secondsLeft: bytesPerSecond > 0 ? (total - loaded) / bytesPerSecond : undefined,
    };
  }
}

/** `198 MB / 440 MB, 11.2 MB/s, 22 s left`, with the number of files if there are several. */
export function formatTotals(totals: ProgressTotals): string {
  const parts = [`${formatBytes(totals.loaded)} / ${formatBytes(totals.total)}`];
  if (totals.files > 1) parts.unshift(`${totals.filesDone} of ${totals.files} files`);
  if (totals.bytesPerSecond > 0) parts.push(`${formatBytes(totals.bytesPerSecond)}/s`);
  if (totals.secondsLeft !== undefined) parts.push(`${formatSeconds(totals.secondsLeft)} left`);
  return parts.join(", ");
}

/** A number of bytes with three digits: `570 B`, `11.2 MB`. Units are powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; bytes >= 999.5 && unit < units.length - 1; unit++) bytes /= 1000;
  return `${unit === 0 ? Math.round(bytes) : bytes.toFixed(bytes < 9.995 ? 2 : bytes < 99.95 ? 1 : 0)} ${
    units[unit]
  }`;
}

/** A time: `22 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  const s = Math.max(0, Math.round(seconds)), minutes = Math.floor(s / 60), hours = Math.floor(minutes / 60);
  if (s < 60) return `${s} s`;
  return hours === 0 ? `${minutes} min ${s % 60} s` : `${hours} h ${minutes % 60} min`;
}
