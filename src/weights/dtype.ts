/**
 * Element types of tensors, spelled as safetensors spells them
 * (https://github.com/huggingface/safetensors, enum Dtype).
 *
 * @module
 */

/** An element type. `BF16` is bfloat16, the `F8_*` are 8-bit floats. Complex and packed types are not among them. */
export type DType =
  | "BOOL"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "F64"
  | "I64"
  | "U64";

/** A typed array over the values of a tensor. */
export type TensorValues =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface ValuesClass {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TensorValues;
  readonly BYTES_PER_ELEMENT: number;
}

/** How the values are looked at; in the library's order of alignment, by which the writer sorts. */
export const VALUES: Readonly<Record<DType, ValuesClass>> = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  F8_E5M2: Uint8Array,
  F8_E4M3: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
};

const ORDER = Object.keys(VALUES);

/**
 * The size of one element.
 *
 * @param dtype The element type.
 * @returns Bytes.
 */
export function elementBytes(dtype: DType): number {
  return VALUES[dtype].BYTES_PER_ELEMENT;
}

/** Whether a value from a file names an element type. */
export function isDType(value: unknown): value is DType {
  return ORDER.includes(value as DType);
}

/** The place of an element type in the library's order of alignment. */
export function alignmentRank(dtype: DType): number {
  return ORDER.indexOf(dtype);
}

/** What a checkpoint says of one tensor before its values are read. */
export interface TensorInfo {
  /** The name in the checkpoint. */
  readonly name: string;
  /** The element type in the file. */
  readonly dtype: DType;
  /** The size of every dimension; empty for a scalar. */
  readonly shape: readonly number[];
  /** The size of the values in bytes: elements times element size. */
  readonly byteLength: number;
}

/** A tensor with its values. */
export interface TensorData extends TensorInfo {
  /** The values in C order, little endian. May be a view of the bytes that the file was given as. */
  readonly bytes: Uint8Array;
}
