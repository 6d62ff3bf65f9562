/**
 * Weights in 8 bits, symmetric, a scale for each row: w[o, i] = scale[o] q[o, i], |q| <= 127, as onnxruntime's
 * `quantize_dynamic(per_channel=True)` has them. Pure.
 *
 * @module
 */

/** 8-bit element types: signed, or unsigned around 128. */
export type QuantizedType = "int8" | "uint8";

/** What stands for 0. */
export const ZERO_POINTS: Readonly<Record<QuantizedType, number>> = { int8: 0, uint8: 128 };
const LARGEST = 127;

/** The scale of each row of values [rows, columns]; 1 for rows of zeros. */
export function rowScales(values: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const columns = values.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let top = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) top = Math.max(top, Math.abs(values[i]));
    return top / LARGEST || 1;
  });
}

/** The rows in whole numbers, [rows, columns], or [columns, rows] if `transpose`. */
export function quantizeRows(
  values: Float32Array,
  rows: number,
  type: QuantizedType,
  transpose: boolean,
): Int8Array | Uint8Array {
  const columns = values.length / rows, scales = rowScales(values, rows), zero = ZERO_POINTS[type];
  const target = type === "int8" ? new Int8Array(values.length) : new Uint8Array(values.length);
  const [rowStep, columnStep] = transpose ? [1, rows] : [columns, 1];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const q = Math.round(values[row * columns + column] / scales[row]);
      target[row * rowStep + column * columnStep] = Math.max(-LARGEST, Math.min(LARGEST, q)) + zero;
    }
  }
  return target;
}

/** Values [rows, columns] as [columns, rows]. */
export function transposed(values: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const columns = values.length / rows, target = new Float32Array(values.length);
  const BLOCK = 32; // both sides of a block stay in the cache
  for (let top = 0; top < rows; top += BLOCK) {
    for (let left = 0; left < columns; left += BLOCK) {
      for (let row = top; row < Math.min(rows, top + BLOCK); row++) {
        for (let column = left; column < Math.min(columns, left + BLOCK); column++) {
          target[column * rows + row] = values[row * columns + column];
        }
      }
    }
  }
  return target;
}
