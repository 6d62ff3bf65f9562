/**
 * Kernels that pick and add rows: GatherV2, UnsortedSegmentSum (its gradient), Sum and Mean.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { RuntimeError } from "../errors.ts";
import { allFloats, type Call, type Kernel, sizeOf, type TensorInfo } from "./kernel.ts";

/** Columns of a block of the kernels that add rows. */
const COLUMNS = 16;

/** Rows that add up one after another; the sums of such runs add up then, so that rounding errors stay small. */
const RUN = 512;

/** Values that a thread takes at a time. */
const GRAIN_VALUES = 8192;

/** tf.gather along the first dimension. */
export const gather: Kernel = {
  name: "GatherV2",
  accepts: ({ inputs: { x, indices }, attrs }) =>
    (x.dtype === "float32" || x.dtype === "int32") && indices.dtype === "int32" && attrs.batchDims === 0 &&
    tf.util.parseAxisParam(attrs.axis, x.shape)[0] === 0,
  run({ kernels, backend, inputs: { x, indices } }) {
    const { runtime } = kernels, count = sizeOf(indices.shape), [rows, ...rest] = x.shape;
    const width = sizeOf(rest), ids = kernels.pointerOf(indices), first = ids / 4;
    for (let i = 0, all = runtime.heap.i32; i < count; i++) {
      const id = all[first + i];
      tf.util.assert(
        id >= 0 && id < rows,
        () => `GatherV2: the index value ${id} is not in [0, ${rows - 1}]`,
      );
    }
    const dtype = x.dtype as "float32" | "int32";
    const { info, pointer } = kernels.output(backend, [...indices.shape, ...rest], dtype);
    const grain = Math.max(1, Math.ceil(GRAIN_VALUES / Math.max(1, width)));
    runtime.pool.run("gather_rows", count, grain, pointer, kernels.pointerOf(x), ids, width);
    return info;
  },
};

/** tf.unsortedSegmentSum with segment ids of one dimension; ids outside the segments are dropped. */
export const unsortedSegmentSum: Kernel = {
  name: "UnsortedSegmentSum",
  accepts: ({ inputs: { x, segmentIds } }) =>
    (x.dtype === "float32" || x.dtype === "int32") && segmentIds.dtype === "int32",
  run({ kernels, backend, inputs: { x, segmentIds }, attrs: { numSegments } }) {
    const [count, ...rest] = x.shape, width = sizeOf(rest), { pool } = kernels.runtime;
    if (segmentIds.shape.length !== 1 || segmentIds.shape[0] !== count) {
      throw new RuntimeError(
        `Cannot sum segments: the ids' shape is [${segmentIds.shape.join(", ")}], expected [${count}], ` +
          "one id for each row of x",
      );
    }
    const integers = x.dtype === "int32" ? 1 : 0;
    const { info, pointer } = kernels.output(backend, [numSegments, ...rest], integers ? "int32" : "float32");
    const bytes = numSegments * width * 4;
    pool.run("zero", Math.ceil(bytes / 65536), 1, pointer, bytes);
    pool.run(
      ...["segment_sum", Math.ceil(width / COLUMNS), 1, pointer, kernels.pointerOf(x)] as const,
      ...[kernels.pointerOf(segmentIds), count, width, numSegments, integers] as const,
    );
    return info;
  },
};

/** tf.sum over the first or the last dimensions. */
export const sum: Kernel = {
  name: "Sum",
  accepts: (call) => allFloats(call) && (isLast(call) || isFirst(call)),
  run: (call) => isLast(call) ? rowSums(call, false) : columnSums(call),
};

/** tf.mean over the last dimensions. */
export const mean: Kernel = {
  name: "Mean",
  accepts: (call) => allFloats(call) && isLast(call),
  run: (call) => rowSums(call, true),
};

function axesOf({ inputs: { x }, attrs }: Call): number[] {
  return tf.util.parseAxisParam(attrs.axis, x.shape).toSorted((a, b) => a - b);
}

function isLast(call: Call): boolean {
  const axes = axesOf(call), { length } = call.inputs.x.shape;
  // Of nothing, which tfjs's own kernels leave undefined, all axes are alike.
  return sizeOf(call.inputs.x.shape) === 0 || axes.every((axis, i) => axis === length - axes.length + i);
}

function isFirst(call: Call): boolean {
  return axesOf(call).every((axis, i) => axis === i);
}

/** The output of a reduction, the number of values that each of its own is made of, and their number. */
function reduced(call: Call): { info: TensorInfo; pointer: number; count: number; size: number } {
  const { kernels, backend, inputs: { x }, attrs } = call, axes = axesOf(call);
  const shape = x.shape.flatMap((size, d) => axes.includes(d) ? (attrs.keepDims ? [1] : []) : [size]);
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  return { ...kernels.output(backend, shape), count, size: sizeOf(shape) };
}

function rowSums(call: Call, isMean: boolean): TensorInfo {
  const { kernels, inputs: { x } } = call, { info, pointer, count, size } = reduced(call);
  const grain = Math.max(1, Math.ceil(GRAIN_VALUES / Math.max(1, count))), from = kernels.pointerOf(x);
  kernels.runtime.pool.run("row_sums", size, grain, pointer, from, count, isMean ? count : 1);
  return info;
}

function columnSums(call: Call): TensorInfo {
  const { kernels, inputs: { x } } = call, { info, pointer, count, size } = reduced(call);
  const { pool, arena } = kernels.runtime, from = kernels.pointerOf(x), row = size * 4;
  const add = (sums: number, at: number, rows: number) =>
    pool.run("column_sums", Math.ceil(size / COLUMNS), 1, sums, at, rows, size, 0);
  if (count <= RUN) {
    add(pointer, from, count);
    return info;
  }
  const runs = Math.ceil(count / RUN), partial = arena.floats(runs * size); // [runs, size]
  for (let i = 0; i < runs; i++) add(partial + i * row, from + i * RUN * row, Math.min(RUN, count - i * RUN));
  add(pointer, partial, runs);
  return info;
}
