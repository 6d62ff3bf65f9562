/**
 * From where a tensor's bytes lie to where they are wanted, a few megabytes at a time:
 * blocks of whole elements in C order and little endian -> float32 memory, or one array.
 *
 * @module
 */

import { WeightsError } from "../errors.ts";
import { convertInto, type Float32Target } from "./convert.ts";
import { type DType, elementBytes, type TensorData, type TensorInfo } from "./dtype.ts";
import { joinBytes, quote } from "./problem.ts";
import { type ByteSource, readExact } from "./source.ts";

/** 2 MiB, a multiple of every element size. */
const BLOCK_BYTES = 2 ** 21;

/** How a view of a storage lies in it, in elements. */
export interface Layout {
  /** The first element. */
  readonly offset: number;
  /** The step of every dimension, 0 or more. */
  readonly strides: readonly number[];
}

/** A tensor in a file. */
export interface StoredTensor {
  /** Its name, type and shape. */
  readonly info: TensorInfo;
  /** The file. */
  readonly source: ByteSource;
  /** Where the values, or the storage that `layout` looks into, begin in the file. */
  locate(): number | Promise<number>;
  /** How it looks into its storage; absent if the values lie in C order from the first byte on. */
  readonly layout?: Layout;
  /** Whether the elements' bytes are swapped. */
  readonly bigEndian?: boolean;
}

// A block that no read uses at the moment.
let spare: Uint8Array | null = null;

// The values of a tensor in blocks, each good until the next one is asked for.
async function* storedBlocks(tensor: StoredTensor): AsyncGenerator<Uint8Array, void, undefined> {
  const { info, source, layout, bigEndian } = tensor;
  const { dtype, byteLength } = info;
  const size = elementBytes(dtype);
  const begin = await beginOf(tensor);
  const axes = steppedAxes(info.shape, layout);
  const gather = axes && gatherer(await readExact(source, begin, begin + spanOf(axes) * size), size, axes);
  const buffer = spare ?? new Uint8Array(BLOCK_BYTES);
  spare = null;
  try {
    for (let at = 0; at < byteLength; at += BLOCK_BYTES) {
      const target = buffer.subarray(0, byteLength - at);
      let block = target;
      if (gather) gather(target);
      else if (source.readInto) await source.readInto(begin + at, target);
      else block = await readExact(source, begin + at, begin + at + target.length);
      yield bigEndian ? swapped(block, dtype) : block;
    }
  } finally {
    spare = buffer;
  }
}

async function beginOf({ info, layout, locate }: StoredTensor): Promise<number> {
  return await locate() + (layout?.offset ?? 0) * elementBytes(info.dtype);
}

/** Converts a tensor into float32 memory of the right length. */
export async function fillFloat32(tensor: StoredTensor, target: Float32Target): Promise<void> {
  const { info } = tensor;
  const size = elementBytes(info.dtype);
  const count = info.byteLength / size;
  const memory = (): Float32Array => {
    const array = typeof target === "function" ? target() : target;
    if (array.length !== count) {
      throw new WeightsError(
        `Cannot load ${quote(info.name)}: it has ${count} elements, the target has ${array.length}.`,
      );
    }
    return array;
  };
  memory();
  let at = 0;
  for await (const block of storedBlocks(tensor)) {
    const end = at + block.length / size;
    convertInto(info.dtype, block, memory().subarray(at, end));
    at = end;
  }
}

/** Reads a whole tensor as it is. */
export async function readStored(tensor: StoredTensor): Promise<TensorData> {
  const { info, source, layout, bigEndian } = tensor;
  if (!bigEndian && !steppedAxes(info.shape, layout)) {
    const begin = await beginOf(tensor);
    return { ...info, bytes: await readExact(source, begin, begin + info.byteLength) };
  }
  const parts: Uint8Array[] = [];
  for await (const block of storedBlocks(tensor)) parts.push(block.slice());
  return { ...info, bytes: joinBytes(parts) };
}

// An axis with more than one element: its size and its step in the storage.
type Axis = readonly [size: number, step: number];

// The elements from the first to the last of a view, in its storage.
function spanOf(axes: readonly Axis[]): number {
  return axes.reduce((span, [size, step]) => span + (size - 1) * step, 1);
}

// The axes with more than one element; undefined if the view is in C order without gaps.
function steppedAxes(shape: readonly number[], layout?: Layout): Axis[] | undefined {
  if (layout === undefined || shape.includes(0)) return undefined;
  const axes = shape.map((size, axis): Axis => [size, layout.strides[axis]]).filter(([size]) => size !== 1);
  const count = axes.reduceRight((count, [size, step]) => step === count ? count * size : NaN, 1);
  return count > 0 ? undefined : axes;
}

// Fills what it is given with the next elements of a strided view in C order.
function gatherer(storage: Uint8Array, size: number, axes: readonly Axis[]): (out: Uint8Array) => void {
  const index = axes.map(() => 0);
  let from = 0;
  return (out) => {
    for (let to = 0; to < out.length; to += size) {
      for (let byte = 0; byte < size; byte++) out[to + byte] = storage[from * size + byte];
      for (let axis = axes.length - 1; axis >= 0; axis--) {
        const [length, step] = axes[axis];
        from += step;
        if (++index[axis] < length) break;
        from -= length * step;
        index[axis] = 0;
      }
    }
  };
}

// The elements with their bytes in the opposite order.
function swapped(block: Uint8Array, dtype: DType): Uint8Array {
  const size = elementBytes(dtype);
  return block.map((_, i) => block[i - 2 * (i % size) + size - 1]);
}
