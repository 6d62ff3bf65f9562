/**
 * Transpose and Tile: values in another order, by copies of rows or blocks of one pair of dimensions.
 *
 * @module
 */
import { type Call, type Kernel, sizeOf, type TensorInfo } from "./kernel.ts";
import { stridesOf } from "./products.ts";

/** Rows of a block of the kernel, and values that a thread takes at a time. */
const ROWS = 32, GRAIN_VALUES = 8192;

interface Dimension {
  size: number;
  /** Strides in the output and in the input; 0 where the input repeats. */
  to: number;
  from: number;
}

/** tf.transpose of 4-byte values. */
export const transpose: Kernel = {
  name: "Transpose",
  accepts: (call) => isOurs(call, transposed(call)),
  run: (call) =>
    move(call, (call.attrs.perm as number[]).map((d) => call.inputs.x.shape[d]), transposed(call)),
};

/** tf.tile and tf.broadcastTo of 4-byte values. */
export const tile: Kernel = {
  name: "Tile",
  accepts: (call) => isOurs(call, tiled(call)),
  run: (call) => move(call, call.inputs.x.shape.map((size, d) => size * call.attrs.reps[d]), tiled(call)),
};

function transposed({ inputs: { x }, attrs }: Call): Dimension[] {
  const strides = stridesOf(x.shape);
  return joined((attrs.perm as number[]).map((d) => ({ size: x.shape[d], from: strides[d] })));
}

function tiled({ inputs: { x }, attrs }: Call): Dimension[] {
  const strides = stridesOf(x.shape);
  return joined(x.shape.flatMap((size, d) => [{ size: attrs.reps[d], from: 0 }, { size, from: strides[d] }]));
}

/** The output's dimensions: those of size 1 left out, those that stay neighbours joined. */
function joined(dimensions: { size: number; from: number }[]): Dimension[] {
  const all: Dimension[] = [];
  let to = sizeOf(dimensions.map(({ size }) => size));
  for (const { size, from } of dimensions) {
    const last = all.at(-1);
    if (size === 1) continue;
    to /= size || 1;
    if (last && last.from === from * size) all[all.length - 1] = { size: last.size * size, to, from };
    else all.push({ size, to, from });
  }
  return all;
}

/** Not of one dimension, where nothing moves, nor of one value. */
function isOurs({ inputs: { x } }: Call, dimensions: Dimension[]): boolean {
  return (x.dtype === "float32" || x.dtype === "int32") && dimensions.length > 1 &&
    dimensions.some(({ from }) => from === 1);
}

function move({ kernels, backend, inputs: { x } }: Call, shape: number[], all: Dimension[]): TensorInfo {
  const { runtime } = kernels,
    { info, pointer } = kernels.output(backend, shape, x.dtype as "float32" | "int32");
  if (sizeOf(shape) === 0) return info;
  const columns = all.pop()!;
  // Rows: what is contiguous in the input; where that is the columns, the next dimension.
  const at = columns.from === 1 ? all.length - 1 : all.findIndex(({ from }) => from === 1);
  const [rows] = all.splice(at, 1);
  const words = all.flatMap(({ size, to, from }) => [size, to, from]);
  const table = runtime.arena.floats(words.length);
  runtime.heap.i32.set(words, table / 4);
  const units = sizeOf(all.map(({ size }) => size)) * Math.ceil(rows.size / ROWS);
  const grain = Math.max(1, Math.ceil(GRAIN_VALUES / (ROWS * columns.size)));
  runtime.pool.run(
    ...["transpose", units, grain, pointer, kernels.pointerOf(x), table, all.length] as const,
    ...[rows.size, columns.size, rows.to, rows.from, columns.from] as const,
  );
  return info;
}
