/**
 * Padding of rows that were encoded before.
 *
 * @module
 */

import { type CallOptions, type Limits, planLengths } from "./call_options.ts";
import { check } from "./check.ts";

/** Encoded rows: the result of a call, or a list of results of single texts. */
export type PadInput = PadColumns | readonly PadColumns[];

/** Columns of one row or of several; further columns pass through as they are. */
export interface PadColumns {
  /** Token ids. */
  readonly input_ids: readonly number[] | readonly (readonly number[])[];
  /** 1 for tokens, 0 for padding. */
  readonly attention_mask?: readonly number[] | readonly (readonly number[])[];
  /** 0 for the first text, 1 for the second. */
  readonly token_type_ids?: readonly number[] | readonly (readonly number[])[];
  /** 1 for special tokens. */
  readonly special_tokens_mask?: readonly number[] | readonly (readonly number[])[];
}

/** Options of padding. */
export type PadOptions = Pick<
  CallOptions,
  "padding" | "max_length" | "pad_to_multiple_of" | "padding_side" | "return_attention_mask"
>;

type Columns = Record<string, number[] | number[][] | undefined>;

/** Pads all columns to one length. */
export function padRows(input: PadInput, options: PadOptions, limits: Limits, padId: number): PadColumns {
  const columns = Array.isArray(input) ? transpose(input) : { ...input as unknown as Columns };
  const ids = check<number[] | number[][]>("pad", "input_ids", columns.input_ids, "a list");
  const single = !Array.isArray(ids[0]);
  const rows = (single ? [ids] : ids) as number[][];
  if (options.return_attention_mask ?? true) {
    const masks = rows.map((row) => row.map(() => 1));
    columns.attention_mask ??= single ? masks[0] : masks;
  }
  const plan = planLengths({ padding: true, ...options, truncation: false }, limits);
  const length = plan.paddedLength(rows.reduce((longest, row) => Math.max(longest, row.length), 0)) ?? 0;
  const values = { input_ids: padId, attention_mask: 0, token_type_ids: 0, special_tokens_mask: 1 };
  for (const [name, value] of Object.entries(values)) {
    const pad = (row: number[]): number[] => {
      const padding = new Array<number>(Math.max(0, length - row.length)).fill(value);
      return plan.side === "left" ? padding.concat(row) : row.concat(padding);
    };
    const column = columns[name];
    if (column) columns[name] = single ? pad(column as number[]) : (column as number[][]).map(pad);
  }
  return columns as unknown as PadColumns;
}

// Rows of columns -> columns of rows.
function transpose(rows: Columns[]): Columns {
  return Object.fromEntries(
    Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => row[name] as number[])]),
  );
}
