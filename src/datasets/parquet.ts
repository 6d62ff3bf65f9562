/**
 * Parquet files, row group by row group, with hyparquet, which is loaded when it is first needed.
 *
 * @module
 */
import type { Compressors, FileMetaData, SchemaTree } from "hyparquet";
import { dataError } from "../data/problem.ts";
import type { Row, RowBatch } from "../data/rows.ts";
import { DataError } from "../errors.ts";
import type { ByteSource } from "../weights/source.ts";
import { checkPages } from "./parquet_guard.ts";

/** Limits that keep hostile files from filling the memory. */
export interface ParquetLimits {
  /** The longest footer, in bytes. Default 64 MiB. */
  max_metadata_bytes?: number;
  /** The largest row group, in bytes as it is in the file. Default 1 GiB. */
  max_group_bytes?: number;
  /** The most values of a column in a row group. Default 10,000,000. */
  max_group_values?: number;
  /** The largest page, decompressed, in bytes. Default 256 MiB. */
  max_page_bytes?: number;
}

/** Rows are handed on so many at a time. */
const BATCH_ROWS = 1024;

/** Bytes around the footer: its length and the magic word. */
const TAIL_BYTES = 8;

type RowGroup = FileMetaData["row_groups"][number];

/**
 * Reads the rows of a Parquet file.
 *
 * @param source The file.
 * @param limits What is not taken.
 * @param classNames Gets the names of classes that Hugging Face's datasets keep in such files, by column.
 * @throws {DataError} if the file is damaged or beyond the limits.
 */
export async function* readParquetRows(
  source: ByteSource,
  limits: ParquetLimits,
  classNames: Map<string, readonly string[]>,
): AsyncGenerator<RowBatch> {
  const { name } = source;
  const [parquet, { compressors, decompressZstd }] = await explained(
    name,
    () => Promise.all([import("hyparquet"), import("hyparquet-compressors")]),
  );
  // Its own takes the length from the data, not from the page's header.
  const codecs: Compressors = {
    ...compressors,
    ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
  };
  const metadata = await explained(name, async () => {
    const footer = await readFooter(source, limits);
    return parquet.parquetMetadata(footer.buffer as ArrayBuffer);
  });
  const tree = await explained(name, () => Promise.resolve(parquet.parquetSchema(metadata)));
  const columns = tree.children.map(({ element }) => element.name);
  for (const [column, names] of declaredClasses(metadata)) classNames.set(column, names);
  let line = 1;
  for (const group of metadata.row_groups) {
    const rows = await explained(name, async () => {
      const file = await readGroup(source, group, tree, codecs, limits);
      const alone = { ...metadata, num_rows: group.num_rows, row_groups: [group] };
      return await parquet.parquetReadObjects({ file, metadata: alone, compressors: codecs });
    });
    for (let at = 0; at < rows.length; at += BATCH_ROWS) {
      const some = rows.slice(at, at + BATCH_ROWS).map((values): Row => ({ line: line++, values }));
      yield { columns, rows: some };
    }
  }
}

/** What a decoder throws at bad bytes becomes a DataError. */
async function explained<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DataError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw dataError(
      name,
      {},
      `its Parquet data is damaged or of a kind that is not read: ${reason.slice(0, 200)}`,
    );
  }
}

/** The footer with its length and the magic word. */
async function readFooter(
  source: ByteSource,
  { max_metadata_bytes = 2 ** 26 }: ParquetLimits,
): Promise<Uint8Array> {
  const { byteLength } = source;
  if (byteLength < 12) throw new Error("it is too short");
  const tail = await source.read(byteLength - TAIL_BYTES, byteLength);
  const length = new DataView(tail.buffer, tail.byteOffset, TAIL_BYTES).getUint32(0, true);
  if (String.fromCharCode(...tail.subarray(4)) !== "PAR1") throw new Error("its end is missing");
  if (length > byteLength - TAIL_BYTES || length > max_metadata_bytes) {
    throw new Error(
      `a footer of ${length} bytes is claimed, the limit is ${max_metadata_bytes} (max_metadata_bytes)`,
    );
  }
  return (await source.read(byteLength - TAIL_BYTES - length, byteLength)).slice();
}

/** Reads a row group whole, checks its pages, and serves ranges of it. */
async function readGroup(
  source: ByteSource,
  group: RowGroup,
  tree: SchemaTree,
  codecs: Compressors,
  limits: ParquetLimits,
): Promise<{ byteLength: number; slice(begin: number, end?: number): ArrayBuffer }> {
  const { max_group_bytes = 2 ** 30, max_group_values = 1e7, max_page_bytes = 2 ** 28 } = limits;
  const chunks = group.columns.map(({ meta_data: column }) => {
    if (!column) throw new Error("a column's place is in another file");
    const begin = Number(column.dictionary_page_offset || column.data_page_offset);
    const end = begin + Number(column.total_compressed_size);
    if (!(begin >= 4 && end >= begin && end <= source.byteLength)) {
      throw new Error("a column lies outside of the file");
    }
    return { column, begin, end };
  });
  const begin = Math.min(...chunks.map((chunk) => chunk.begin)),
    end = Math.max(...chunks.map((chunk) => chunk.end));
  const values = Math.max(Number(group.num_rows), ...chunks.map(({ column }) => Number(column.num_values)));
  if (end - begin > max_group_bytes || !(values <= max_group_values)) {
    throw new Error(
      `a row group has ${
        end - begin
      } bytes and ${values} values; max_group_bytes and max_group_values limit them`,
    );
  }
  const bytes = chunks.length > 0 ? await source.read(begin, end) : new Uint8Array(0);
  for (const { column, begin: from, end: to } of chunks) {
    const { codec } = column, decompress = codecs[codec];
    if (codec !== "UNCOMPRESSED" && !decompress) throw new Error(`its compression ${codec} is not read`);
    const isRaw = codec === "UNCOMPRESSED", shape = levelsOf(tree, column.path_in_schema);
    checkPages(bytes.subarray(from - begin, to - begin), {
      ...shape,
      values: Number(column.num_values),
      isBoolean: column.type === "BOOLEAN",
      decompress: isRaw ? undefined : (input, length) => decompress!(input, length),
      maxPageBytes: max_page_bytes,
    });
  }
  return {
    byteLength: source.byteLength,
    slice(from, to = source.byteLength) {
      if (from < begin || to > end || from > to) throw new Error("a column lies outside of its row group");
      return bytes.slice(from - begin, to - begin).buffer as ArrayBuffer;
    },
  };
}

/** How deep a column's values are nested. */
function levelsOf(
  tree: SchemaTree,
  path: readonly string[],
): { maxDefinition: number; maxRepetition: number } {
  let node: SchemaTree | undefined = tree, maxDefinition = 0, maxRepetition = 0;
  for (const name of path) {
    node = node.children.find(({ element }) => element.name === name);
    if (!node) throw new Error("a column is not in the schema");
    const { repetition_type } = node.element;
    if (repetition_type !== "REQUIRED") maxDefinition++;
    if (repetition_type === "REPEATED") maxRepetition++;
  }
  return { maxDefinition, maxRepetition };
}

/** The names of classes in the notes that Hugging Face's datasets leave: `{"info": {"features": {...}}}`. */
function declaredClasses(metadata: FileMetaData): [column: string, names: string[]][] {
  const note = metadata.key_value_metadata?.find(({ key }) => key === "huggingface")?.value;
  let features: unknown;
  try {
    features = note === undefined ? undefined : JSON.parse(note)?.info?.features;
  } catch {
    return []; // a note of somebody else's
  }
  if (typeof features !== "object" || features === null) return [];
  return Object.entries(features).flatMap(([column, feature]): [string, string[]][] => {
    const names = (feature as { names?: unknown } | null)?.names;
    const isList = Array.isArray(names) && names.length > 0 &&
      names.every((label) => typeof label === "string");
    return isList ? [[column, names]] : [];
  });
}
