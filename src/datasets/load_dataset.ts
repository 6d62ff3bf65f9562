/**
 * Examples from wherever they are: a file, a URL, standard input, a dataset on a hub, rows in memory.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { type ExampleOptions, readDataset, type RowSource, streamDataset } from "../data/dataset.ts";
import type { TextDataset, TextStream } from "../data/dataset.ts";
import { formatOf, isGzip } from "../data/format.ts";
import { dataError } from "../data/problem.ts";
import type { RowBatch } from "../data/rows.ts";
import { readTextRows, type RowOptions } from "../data/text_rows.ts";
import { type Chunks, chunksOf, gunzip, peek } from "./chunks.ts";
import { type DataLocation, type OpenData, openData, type OpenOptions } from "./open.ts";
import { type ParquetLimits, readParquetRows } from "./parquet.ts";

/** Rows that are in memory or come from a program: one object each. */
export type Records =
  | Iterable<Readonly<Record<string, unknown>>>
  | AsyncIterable<Readonly<Record<string, unknown>>>;

/** What examples can be read from. */
export type DataInput = DataLocation | ReadableStream<Uint8Array> | Records;

/** Options of {@linkcode load_dataset}. */
export interface LoadOptions extends ExampleOptions, RowOptions, OpenOptions, ParquetLimits {}

/** Rows in memory are handed on so many at a time. */
const BATCH_ROWS = 256;

/**
 * Reads examples: CSV, TSV, JSON Lines, a JSON list or Parquet, the first four also compressed by gzip. The format is
 * told by the name or the content, the columns and labels are found by their names and values; `notes` of the result
 * says what was guessed.
 *
 * @param input A path, a URL, `"-"` for standard input, `hf://datasets/OWNER/NAME` (with `/FILE` or `/FOLDER` if
 * wanted), a `Blob`, bytes, a stream of bytes, or rows as objects.
 * @param options How it is read. With `streaming: true` nothing is held in memory: the result is read anew each time it
 * is gone through.
 * @throws {DataError} at the first thing that is malformed, with its line and column.
 * @throws {HubError} if a file cannot be read or a hub does not answer.
 *
 * @example
 * ```ts
 * import { load_dataset } from "@berth/berth";
 *
 * const csv = new TextEncoder().encode("review,sentiment\nA fine game.,good\nRain.,bad\n");
 * const dataset = await load_dataset(csv);
 * console.log(dataset.examples[0], dataset.id2label); // { text: "A fine game.", label: 1 } { 0: "bad", 1: "good" }
 * ```
 */
export async function load_dataset(
  input: DataInput,
  options: LoadOptions & { streaming: true },
): Promise<TextStream>;
/** Reads examples into memory. */
export async function load_dataset(
  input: DataInput,
  options?: LoadOptions & { streaming?: false },
): Promise<TextDataset>;
/** Reads examples into memory or as a stream. */
export async function load_dataset(
  input: DataInput,
  options: LoadOptions & { streaming?: boolean } = {},
): Promise<TextDataset | TextStream> {
  const source = await openRows(input, options);
  return options.streaming ? await streamDataset(source, options) : await readDataset(source, options);
}

/** @ignore The rows of an input. */
export async function openRows(input: DataInput, options: LoadOptions): Promise<RowSource> {
  if (input instanceof ReadableStream) {
    return rowsOf([{ name: "stream", isRepeatable: false, chunks: () => chunksOf(input) }], options);
  }
  const isLocation = typeof input === "string" || input instanceof URL || input instanceof Blob ||
    input instanceof Uint8Array;
  return isLocation ? rowsOf(await openData(input, options), options) : recordRows(input);
}

/** Rows that are objects already. */
function recordRows(records: Records): RowSource {
  if (typeof records !== "object" || records === null) {
    throw new DataError(
      `Cannot read a dataset of ${records}: a path, a URL, a Blob, bytes or rows are wanted`,
    );
  }
  const isSync = Symbol.iterator in records;
  const iterator: unknown = isSync ? records[Symbol.iterator]() : records[Symbol.asyncIterator]();
  const name = "rows";
  return {
    name,
    isRepeatable: iterator !== records, // a generator is its own iterator
    notes: [],
    async *batches() {
      let rows: RowBatch["rows"][number][] = [], line = 0;
      for await (const values of records) {
        line++;
        if (typeof values !== "object" || values === null) {
          throw dataError(
            name,
            { line },
            `it is ${values === null ? "null" : `a ${typeof values}`}, wanted an object`,
          );
        }
        rows.push({ line, values });
        if (rows.length < BATCH_ROWS) continue;
        yield { columns: null, rows };
        rows = [];
      }
      if (rows.length > 0) yield { columns: null, rows };
    },
  };
}

/** The rows of files, one after the other. */
function rowsOf(files: readonly OpenData[], options: LoadOptions): RowSource {
  const notes: string[] = [], classNames = new Map<string, readonly string[]>();
  const note = (sentences: readonly string[]) => {
    for (const sentence of sentences) if (!notes.includes(sentence)) notes.push(sentence);
  };
  const name = files.length === 1 ? files[0].name : `${files[0].name} and ${files.length - 1} more`;
  return {
    name,
    isRepeatable: files.every((file) => file.isRepeatable),
    notes,
    classNames,
    async *batches() {
      let columns: string | undefined;
      for (const file of files) {
        for await (const batch of fileRows(file, options, note, classNames)) {
          const own = batch.columns?.join("\n");
          columns ??= own;
          if (own !== columns) {
            throw dataError(file.name, {}, `its columns are others than those of ${files[0].name}`);
          }
          yield { ...batch, name: file.name };
        }
      }
    },
  };
}

async function* fileRows(
  file: OpenData,
  options: LoadOptions,
  note: (sentences: readonly string[]) => void,
  classNames: Map<string, readonly string[]>,
): AsyncGenerator<RowBatch> {
  const { name } = file;
  const { head, chunks } = await textStart(name, reported(file, options));
  const format = head.length === 0 ? "csv" : options.format ?? formatOf(name, head);
  if (format === "parquet") {
    await chunks[Symbol.asyncIterator]().return?.();
    if (!file.random) {
      throw dataError(name, {}, "Parquet is read from its end, which a stream has not; use a file");
    }
    const source = await file.random();
    try {
      yield* readParquetRows(source, options, classNames);
    } finally {
      source.close?.();
    }
    return;
  }
  const rows = readTextRows(name, chunks, format, options);
  for await (const batch of rows) {
    note(rows.notes);
    yield batch;
  }
}

/** @ignore The beginning of the decompressed bytes, and all of them. */
export async function textStart(name: string, bytes: Chunks): Promise<{ head: Uint8Array; chunks: Chunks }> {
  const start = await peek(bytes);
  return isGzip(start.head) ? await peek(gunzip(name, start.chunks)) : start;
}

/** @ignore The bytes of a file, with reports of how far it was read. */
export async function* reported(
  file: OpenData,
  { progress_callback, signal }: LoadOptions,
): AsyncGenerator<Uint8Array> {
  const { byteLength: total, name } = file, event = { name, file: name };
  let loaded = 0;
  progress_callback?.({ ...event, status: "download" });
  for await (const bytes of file.chunks()) {
    signal?.throwIfAborted();
    yield bytes;
    loaded += bytes.length;
    if (total) {
      progress_callback?.({ ...event, status: "progress", loaded, total, progress: 100 * loaded / total });
    }
  }
  progress_callback?.({ ...event, status: "done" });
}
