/**
 * Element types of tensors, spelled as safetensors spells them
 * (https://github.com/huggingface/safetensors, enum Dtype).
 *
 * @module
 */

/** An element type. `BF16` is bfloat16, `C64` two float32, the `F8_*` are 8-bit floats. */
export type DType =
  | "BOOL"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "F8_E8M0"
  | "F8_E4M3FNUZ"
  | "F8_E5M2FNUZ"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "C64"
  | "F64"
  | "I64"
  | "U64";

// Element sizes in the library's order of alignment, by which the writer sorts.
const ELEMENT_BYTES: Readonly<Record<DType, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  C64: 8,
  F64: 8,
  I64: 8,
  U64: 8,
};

const ORDER = Object.keys(ELEMENT_BYTES);

/**
 * The size of one element.
 *
 * @param dtype The element type.
 * @returns Bytes.
 */
export function elementBytes(dtype: DType): number {
  return ELEMENT_BYTES[dtype];
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
