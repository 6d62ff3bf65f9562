/**
 * How AdamW's two moments are stored; the kernels' optimizer_state.ts says what the bits mean.
 *
 * @module
 */
import type { Parameter } from "../model/mod.ts";

/** How the two moments are stored: 8, 4 or about 2 bytes a parameter. */
export type StateDtype = "float32" | "bfloat16" | "int8";

/** Where a parameter's moments stand. With `int8` they share blocks, which `m` points to. */
export interface Moments {
  m: number;
  v: number;
}

/** The numbers that the kernels know them by. */
export const STATE_NUMBERS: Readonly<Record<StateDtype, number>> = { float32: 0, bfloat16: 1, int8: 2 };

/** Values of a block of `int8`. */
const BLOCK = 256;
/** A parameter can be changed in parts of multiples of so many values. */
export const STATE_RUNS: Readonly<Record<StateDtype, number>> = { float32: 1, bfloat16: 4, int8: BLOCK };

/** @throws {RangeError} if there is no such type. */
export function checkStateDtype(dtype: string): void {
  if (Object.hasOwn(STATE_NUMBERS, dtype)) return;
  throw new RangeError(
    `Cannot store moments as ${JSON.stringify(dtype)}: one of ${
      Object.keys(STATE_NUMBERS).join(", ")
    } is wanted`,
  );
}

/** Bytes of a run of `n` values: of one moment, or, with `int8`, of both. */
export function runBytes(n: number, dtype: StateDtype): number {
  if (dtype === "float32") return n * 4;
  if (dtype === "bfloat16") return Math.ceil(n / 4) * 8;
  const rest = n % BLOCK, blockBytes = (count: number) => 8 + 2 * Math.ceil(count / 4) * 4;
  return Math.floor(n / BLOCK) * blockBytes(BLOCK) + (rest === 0 ? 0 : blockBytes(rest));
}

/** Values of a parameter; default: all. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Bytes to the second moment; 0 where both share blocks. Rows of an embedding are runs of their own. */
export function secondMomentAt(parameter: Parameter, dtype: StateDtype, range?: Range): number {
  return dtype === "int8" ? 0 : Math.ceil(momentBytes(parameter, dtype, range) / 64) * 64;
}

/** Bytes of both moments of a parameter. */
export function stateBytes(parameter: Parameter, dtype: StateDtype, range?: Range): number {
  return secondMomentAt(parameter, dtype, range) + momentBytes(parameter, dtype, range);
}

/** Bytes of a moment that come before that of the value `at`, which begins a run. */
export function momentOffset({ touched, shape }: Parameter, at: number, dtype: StateDtype): number {
  return touched === 0 ? runBytes(at, dtype) : at / shape[1] * runBytes(shape[1], dtype);
}

function momentBytes(parameter: Parameter, dtype: StateDtype, range?: Range): number {
  const { from, to } = range ?? { from: 0, to: parameter.size };
  return momentOffset(parameter, to, dtype) - momentOffset(parameter, from, dtype);
}
