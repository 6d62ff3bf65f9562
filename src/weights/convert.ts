/**
 * Values of every element type -> float32, straight into memory that the caller owns.
 * F16, BF16 and F8 convert exactly; F64 and 64-bit integers round to nearest.
 *
 * @module
 */

import { type DType, elementBytes, type TensorData, type TensorValues, VALUES } from "./dtype.ts";

/** Float32 memory, or a function that gives it anew (the view of a WASM memory dies when the memory grows). */
export type Float32Target = Float32Array | (() => Float32Array);

/**
 * The values of a tensor as a typed array. F16, BF16 give their bits as `Uint16Array`; BOOL and F8 as `Uint8Array`.
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
 */
export function toFloat32(tensor: TensorData): Float32Array {
  const out = new Float32Array(tensor.byteLength / elementBytes(tensor.dtype));
  convertInto(tensor.dtype, tensor.bytes, out);
  return out;
}

/** Converts whole elements: `out.length` of them, from `bytes` in little endian. */
export function convertInto(dtype: DType, bytes: Uint8Array, out: Float32Array): void {
  if (dtype === "F32") return new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
  const values = tensorValues({ dtype, bytes });
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    for (let i = 0; i < out.length; i++) out[i] = Number(values[i]);
    return;
  }
  if (dtype === "BF16") {
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < bits.length; i++) bits[i] = values[i] << 16;
  } else if (dtype === "F16" || dtype.startsWith("F8")) {
    const table = valueTable(dtype);
    for (let i = 0; i < out.length; i++) out[i] = table[values[i]];
  } else if (dtype === "BOOL") {
    for (let i = 0; i < out.length; i++) out[i] = values[i] && 1;
  } else {
    out.set(values);
  }
}

const tables = new Map<DType, Float32Array>();

// All values of F16 (256 kB, made in about 2 ms when first wanted), F8_E5M2 or F8_E4M3.
function valueTable(dtype: DType): Float32Array {
  const [exponentBits, mantissaBits] = dtype === "F16" ? [5, 10] : dtype === "F8_E5M2" ? [5, 2] : [4, 3];
  const table = tables.get(dtype) ??
    Float32Array.from({ length: 2 ** (1 + exponentBits + mantissaBits) }, (_, bits) => {
      const sign = bits >>> (exponentBits + mantissaBits) ? -1 : 1;
      const exponent = bits >>> mantissaBits & (2 ** exponentBits - 1);
      const mantissa = bits & (2 ** mantissaBits - 1);
      if (exponent === 31) return mantissa ? NaN : sign * Infinity;
      if (exponentBits === 4 && (bits & 127) === 127) return NaN; // E4M3 has no infinity
      const digits = exponent ? mantissa + 2 ** mantissaBits : 2 * mantissa;
      return sign * digits * 2 ** (exponent + 1 - 2 ** (exponentBits - 1) - mantissaBits);
    });
  tables.set(dtype, table);
  return table;
}
