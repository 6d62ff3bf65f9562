/**
 * Values of every element type -> float32, straight into memory that the caller owns.
 * F16, BF16 and F8 convert exactly, NaN payloads included; F64 and 64-bit integers round to nearest.
 *
 * @module
 */

import { WeightsError } from "../errors.ts";
import {
  type DType,
  elementBytes,
  type TensorData,
  type TensorInfo,
  type TensorValues,
  VALUES,
} from "./dtype.ts";
import { quote } from "./problem.ts";

/** Float32 memory, or a function that gives it anew (the view of a WASM memory dies when the memory grows). */
export type Float32Target = Float32Array | (() => Float32Array);

/**
 * The values of a tensor as a typed array. F16, BF16 give their bits as `Uint16Array`; BOOL and F8 as `Uint8Array`;
 * C64 gives real and imaginary parts in turn.
 *
 * @param tensor The tensor.
 * @returns A view of its bytes where their alignment allows it, else a copy.
 */
export function tensorValues(tensor: Pick<TensorData, "dtype" | "bytes">): TensorValues {
  const Values = VALUES[tensor.dtype];
  const size = Values.BYTES_PER_ELEMENT;
  const bytes = tensor.bytes.byteOffset % size === 0 ? tensor.bytes : tensor.bytes.slice();
  return new Values(bytes.buffer, bytes.byteOffset, bytes.byteLength / size);
}

/**
 * The values of a tensor as float32.
 *
 * @param tensor The tensor.
 * @returns A new array.
 * @throws {WeightsError} If its element type has no conversion.
 */
export function toFloat32(tensor: TensorData): Float32Array {
  assertConvertible(tensor);
  const out = new Float32Array(tensor.byteLength / elementBytes(tensor.dtype));
  convertInto(tensor.dtype, tensor.bytes, out);
  return out;
}

/** Throws unless the element type converts to float32. */
export function assertConvertible({ name, dtype }: TensorInfo): void {
  if (/^C64|M0$|FNUZ$/.test(dtype)) {
    throw new WeightsError(
      `Cannot convert ${quote(name)} to float32: its type is ${dtype}.`,
    );
  }
}

/** Converts whole elements: `out.length` of them, from `bytes` in little endian. */
export function convertInto(dtype: DType, bytes: Uint8Array, out: Float32Array): void {
  if (dtype === "F32") return new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
  const values = tensorValues({ dtype, bytes });
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    for (let i = 0; i < out.length; i++) out[i] = Number(values[i]);
    return;
  }
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  if (dtype === "BF16") {
    for (let i = 0; i < bits.length; i++) bits[i] = values[i] << 16;
  } else if (dtype === "F16" || dtype.startsWith("F8")) {
    const table = bitsTable(dtype);
    for (let i = 0; i < bits.length; i++) bits[i] = table[values[i]];
  } else if (dtype === "BOOL") {
    for (let i = 0; i < out.length; i++) out[i] = values[i] && 1;
  } else {
    out.set(values);
  }
}

const tables = new Map<DType, Uint32Array>();

// The float32 bits of all values of F16 (256 kB, made in about 1 ms when first wanted), F8_E5M2 or F8_E4M3.
function bitsTable(dtype: DType): Uint32Array {
  let table = tables.get(dtype);
  if (table === undefined) {
    const [exponentBits, mantissaBits] = dtype === "F16" ? [5, 10] : dtype === "F8_E5M2" ? [5, 2] : [4, 3];
    const count = 2 ** (1 + exponentBits + mantissaBits);
    table = Uint32Array.from({ length: count }, (_, bits) => widen(bits, exponentBits, mantissaBits));
    tables.set(dtype, table);
  }
  return table;
}

// A small float -> float32 bits. E4M3 has no infinity, and its only NaN is all ones.
function widen(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >>> (exponentBits + mantissaBits) << 31;
  const mantissa = bits & (2 ** mantissaBits - 1);
  const exponent = bits >>> mantissaBits & (2 ** exponentBits - 1);
  const fraction = mantissa << (23 - mantissaBits);
  if (exponentBits === 5 ? exponent === 31 : (bits & 127) === 127) return sign | 0x7f80_0000 | fraction;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent !== 0) return sign | (exponent - bias + 127) << 23 | fraction;
  if (mantissa === 0) return sign;
  const lead = 31 - Math.clz32(mantissa);
  return sign | (lead - mantissaBits + 1 - bias + 127) << 23 | mantissa << (23 - lead) & 0x7f_ffff;
}
