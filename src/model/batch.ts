/**
 * Ragged batches: the real tokens of all sequences one after another, so that no layer computes on padding.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { Tensor } from "../runtime/tensor.ts";

/** Numbers by row and column: nested arrays, typed arrays, a tensor [B, T]; a flat list is one sequence. */
export type Matrix = readonly (readonly number[])[] | readonly Int32Array[] | readonly number[] | Tensor;

/** What a BERT model reads, with transformers' names. Shapes are [B, T]; rows may have different lengths. */
export interface BertInputs {
  /** Word pieces by number. */
  input_ids: Matrix;
  /** 1 for real tokens, 0 for padding. Default: all real. */
  attention_mask?: Matrix;
  /** Segment of each token. Default: all 0. */
  token_type_ids?: Matrix;
  /** Default: the column. */
  position_ids?: Matrix;
  /**
   * Computes masked positions too, as transformers does; they cost time and mean nothing. Default false: outputs are
   * zero there.
   */
  keep_padding?: boolean;
}

/** Queries of one block in the attention kernels. */
const QUERY_BLOCK = 120;

/** The sizes of a batch; what a step takes follows from them. */
export interface BatchSizes {
  /** B: sequences. */
  readonly size: number;
  /** T: columns of the padded form. */
  readonly width: number;
  /** Rows that are computed, all sequences together. */
  readonly rows: number;
  /** The most rows of a sequence. */
  readonly longest: number;
  /** Blocks of queries. */
  readonly unitCount: number;
}

/** A batch that was read and checked, but stands in no WASM memory yet. */
export interface BatchTables extends BatchSizes {
  /** Rows of each sequence. */
  readonly lengths: readonly number[];
  /** Columns of each sequence, masked ones too. */
  readonly columns: readonly number[];
  /** Ids, positions, types and places, [4, rows]. */
  readonly words: Int32Array;
  readonly firstRows: readonly number[];
  readonly sequences: readonly number[];
  readonly units: readonly number[];
  /** Sum over the sequences of queries times keys. */
  readonly pairs: number;
}

/** The packed batch. Pointers are to i32 in the step's arena. */
export interface RaggedBatch extends BatchSizes {
  readonly ids: number;
  readonly positions: number;
  readonly types: number;
  /** (first row, keys, rows) of each sequence. */
  readonly sequences: number;
  /** (first row, keys, first query, queries) of each block of queries. */
  readonly units: number;
  /** The row of each sequence's first token. */
  readonly firstRows: number;
  /** b * T + t of each row. */
  readonly places: number;
  /** Sum over the sequences of queries times keys. */
  readonly pairs: number;
  /** What it was packed from. */
  readonly tables: BatchTables;
}

/** The sizes that token numbers must stay below. */
export interface BatchLimits {
  vocab_size: number;
  /** 0: types are not read. */
  type_vocab_size: number;
  max_position_embeddings: number;
}

/** The rows of a matrix as arrays. */
export function matrixRows(value: Matrix, name: string): ArrayLike<number>[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [];
    if (typeof value[0] === "number") return [value as number[]];
    const wrong = value.findIndex((row) => typeof row?.length !== "number");
    if (wrong < 0) return value as ArrayLike<number>[];
    throw new DataError(`Cannot read ${name}: row ${wrong} is ${value[wrong]}, numbers are wanted`);
  }
  const tensor = value as Tensor;
  if (typeof tensor?.dataSync !== "function" || tensor.rank < 1 || tensor.rank > 2) {
    throw new DataError(`Cannot read ${name}: arrays of numbers or a tensor [B, T] are wanted`);
  }
  const data = tensor.dataSync() as Int32Array, width = tensor.shape.at(-1)!;
  const count = tensor.rank === 1 ? 1 : tensor.shape[0];
  return Array.from({ length: count }, (_, i) => data.subarray(i * width, (i + 1) * width));
}

/**
 * Reads a batch.
 *
 * @throws {DataError} if shapes disagree, a number is out of range, or a sequence has no real token.
 */
export function readBatch(inputs: BertInputs, limits: BatchLimits): BatchTables {
  const ids = matrixRows(inputs.input_ids, "input_ids");
  if (ids.length === 0) throw new DataError("Cannot run an empty batch: input_ids has no row");
  const mask = optionalRows(inputs.attention_mask, "attention_mask", ids);
  const types = optionalRows(inputs.token_type_ids, "token_type_ids", ids);
  const positions = optionalRows(inputs.position_ids, "position_ids", ids);
  const width = Math.max(...ids.map((row) => row.length));
  const total = ids.reduce((sum, row) => sum + row.length, 0);
  const words = new Int32Array(total * 4), lengths: number[] = [];
  const sequences: number[] = [], units: number[] = [], firstRows: number[] = [];
  let rows = 0, longest = 0, pairs = 0;
  for (let b = 0; b < ids.length; b++) {
    const first = rows, order = tokenOrder(ids[b].length, mask?.[b], inputs.keep_padding ?? false);
    if (order.keys === 0) throw new DataError(`Cannot run sequence ${b}: it has no real token`);
    for (const t of order.columns) {
      words[rows] = inRange(ids[b][t], limits.vocab_size, "input_ids", b, t);
      words[total + rows] = inRange(
        positions?.[b][t] ?? t,
        limits.max_position_embeddings,
        "position_ids",
        b,
        t,
      );
      if (limits.type_vocab_size > 0) {
        words[2 * total + rows] = inRange(types?.[b][t] ?? 0, limits.type_vocab_size, "token_type_ids", b, t);
      }
      words[3 * total + rows] = b * width + t;
      rows++;
    }
    const count = rows - first;
    longest = Math.max(longest, count);
    lengths.push(count);
    pairs += count * order.keys;
    firstRows.push(first + order.columns.indexOf(Math.min(...order.columns)));
    sequences.push(first, order.keys, count);
    for (let q = 0; q < count; q += QUERY_BLOCK) {
      units.push(first, order.keys, q, Math.min(QUERY_BLOCK, count - q));
    }
  }
  for (const part of [1, 2, 3]) words.copyWithin(part * rows, part * total, part * total + rows);
  return {
    ...{ size: ids.length, width, rows, longest, lengths, pairs, unitCount: units.length / 4 },
    ...{ words: words.subarray(0, rows * 4), firstRows, sequences, units },
    columns: ids.map((row) => row.length),
  };
}

/** Packs a batch into the arena. */
export function packBatch(runtime: Runtime, tables: BatchTables): RaggedBatch {
  const { size, width, rows, longest, unitCount, pairs } = tables;
  const words = put(runtime, tables.words), firstRows = put(runtime, tables.firstRows);
  const sequences = put(runtime, tables.sequences), units = put(runtime, tables.units);
  return {
    ...{ size, width, rows, longest, unitCount, pairs, firstRows, sequences, units, tables },
    ...{ ids: words, positions: words + rows * 4, types: words + rows * 8, places: words + rows * 12 },
  };
}

/** Copies numbers into the arena, as i32. */
export function put(runtime: Runtime, values: ArrayLike<number>): number {
  const pointer = runtime.arena.floats(values.length);
  runtime.heap.i32.set(values, pointer / 4);
  return pointer;
}

/** The columns that are computed, real tokens (the keys of attention) first. */
function tokenOrder(
  length: number,
  mask: ArrayLike<number> | undefined,
  keepPadding: boolean,
): { columns: number[]; keys: number } {
  const real: number[] = [], masked: number[] = [];
  for (let t = 0; t < length; t++) (mask === undefined || mask[t] !== 0 ? real : masked).push(t);
  return { columns: keepPadding ? [...real, ...masked] : real, keys: real.length };
}

function optionalRows(
  value: Matrix | undefined,
  name: string,
  ids: ArrayLike<number>[],
): ArrayLike<number>[] | undefined {
  if (value === undefined || value === null) return undefined;
  const rows = matrixRows(value, name);
  if (rows.length !== ids.length) {
    throw new DataError(`Cannot run the batch: ${name} has ${rows.length} rows, input_ids has ${ids.length}`);
  }
  rows.forEach((row, b) => {
    if (row.length !== ids[b].length) {
      throw new DataError(
        `Cannot run sequence ${b}: ${name} has ${row.length} columns, input_ids has ${ids[b].length}`,
      );
    }
  });
  return rows;
}

function inRange(value: number, limit: number, name: string, b: number, t: number): number {
  if (Number.isInteger(value) && value >= 0 && value < limit) return value;
  const hint = name === "position_ids" ? "; truncate longer texts (max_length)" : "";
  throw new DataError(
    `Cannot run sequence ${b}: ${name}[${b}][${t}] is ${value}, a whole number from 0 to ${
      limit - 1
    } is wanted${hint}`,
  );
}
