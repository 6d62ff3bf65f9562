/**
 * Gradients of tfjs's ops. tfjs-core alone has none (they come with the package @tensorflow/tfjs, or a bundler's import
 * of register_all_gradients); a program on tfjs-core becomes trainable by these. They cover what language models are
 * made of: arithmetic, activations, reductions, shapes, gather; not convolutions and images.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { RuntimeError } from "../errors.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { sizeOf } from "./kernel.ts";

type Gradients = Record<string | number, () => Tensor>;
// deno-lint-ignore no-explicit-any
type Attributes = any;
type Rule = (dy: Tensor, saved: Tensor[], attrs: Attributes) => Gradients;

/** Sums over what was broadcast, and takes the shape of the input. */
export function sumTo(x: Tensor, shape: number[]): Tensor {
  if (x.size === sizeOf(shape)) return tf.reshape(x, shape);
  return tf.reshape(tf.sum(x, tf.broadcast_util.getReductionAxes(shape, x.shape)), shape);
}

function ofInputs(kernelName: string, inputsToSave: string[], rule: Rule): tf.GradConfig {
  return { kernelName, inputsToSave, gradFunc: rule as tf.GradFunc };
}

/** y = f(x), and dx from dy and x. */
function ofX(kernelName: string, dx: (dy: Tensor, x: Tensor, attrs: Attributes) => Tensor): tf.GradConfig {
  return ofInputs(kernelName, ["x"], (dy, [x], attrs) => ({ x: () => dx(dy, x, attrs) }));
}

/** y = f(x), and dx from dy and y. */
function ofY(kernelName: string, dx: (dy: Tensor, y: Tensor) => Tensor): tf.GradConfig {
  const rule: Rule = (dy, [y]) => ({ x: () => dx(dy, y) });
  return { kernelName, outputsToSave: [true], gradFunc: rule as tf.GradFunc };
}

/** y = f(a, b) with broadcasting, and da and db from dy, a and b. */
function ofAB(
  kernelName: string,
  ...[da, db]: ((dy: Tensor, a: Tensor, b: Tensor) => Tensor)[]
): tf.GradConfig {
  return ofInputs(kernelName, ["a", "b"], (dy, [a, b]) => ({
    a: () => sumTo(da(dy, a, b), a.shape),
    b: () => sumTo(db(dy, a, b), b.shape),
  }));
}

/** 1 where a condition holds, else 0. */
function mask(condition: Tensor): Tensor {
  return tf.cast(condition, "float32");
}

const ARITHMETIC: tf.GradConfig[] = [
  ofAB("Add", (dy) => dy, (dy) => dy),
  ofAB("Sub", (dy) => dy, (dy) => tf.neg(dy)),
  ofAB("Multiply", (dy, _, b) => tf.mul(dy, b), (dy, a) => tf.mul(dy, a)),
  ofAB(
    "RealDiv",
    (dy, _, b) => tf.div(dy, tf.cast(b, "float32")),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, a), tf.square(tf.cast(b, "float32")))),
  ),
  ofAB(
    "SquaredDifference",
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
  ),
  ofAB(
    "Maximum",
    (dy, a, b) => tf.mul(dy, mask(tf.greaterEqual(a, b))),
    (dy, a, b) => tf.mul(dy, mask(tf.less(a, b))),
  ),
  ofAB(
    "Minimum",
    (dy, a, b) => tf.mul(dy, mask(tf.lessEqual(a, b))),
    (dy, a, b) => tf.mul(dy, mask(tf.greater(a, b))),
  ),
  ofAB(
    "Pow",
    (dy, a, b) => tf.mul(dy, tf.mul(b, tf.pow(a, tf.sub(tf.cast(b, "float32"), 1)))),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.pow(a, b), tf.where(tf.greater(a, 0), tf.log(a), tf.zerosLike(a)))),
  ),
  ofX("Neg", (dy) => tf.neg(dy)),
  ofX("Abs", (dy, x) => tf.mul(dy, tf.sign(x))),
  ofX("Square", (dy, x) => tf.mul(dy, tf.mul(2, tf.cast(x, "float32")))),
  ofY("Sqrt", (dy, y) => tf.div(dy, tf.mul(2, y))),
  ofY("Rsqrt", (dy, y) => tf.mul(dy, tf.mul(-0.5, tf.mul(y, tf.square(y))))),
  ofY("Reciprocal", (dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
  ofY("Exp", (dy, y) => tf.mul(dy, y)),
  ofX("Expm1", (dy, x) => tf.mul(dy, tf.exp(x))),
  ofX("Log", (dy, x) => tf.div(dy, tf.cast(x, "float32"))),
  ofX("Log1p", (dy, x) => tf.div(dy, tf.add(x, 1))),
  ofX("Sin", (dy, x) => tf.mul(dy, tf.cos(tf.cast(x, "float32")))),
  ofX("Cos", (dy, x) => tf.neg(tf.mul(dy, tf.sin(tf.cast(x, "float32"))))),
  ofX(
    "ClipByValue",
    (dy, x, { clipValueMin: low, clipValueMax: high }) =>
      tf.mul(dy, mask(tf.logicalAnd(tf.greaterEqual(x, low), tf.lessEqual(x, high)))),
  ),
  ...["Sign", "Step", "Floor", "Ceil", "Round", "ZerosLike", "OnesLike"].map((name) =>
    ofX(name, (dy) => tf.zerosLike(dy))
  ),
];

const ACTIVATIONS: tf.GradConfig[] = [
  ofY("Sigmoid", (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  ofY("Tanh", (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  ofX("Erf", (dy, x) => tf.mul(dy, tf.mul(2 / Math.sqrt(Math.PI), tf.exp(tf.neg(tf.square(x)))))),
  ofX("Relu", (dy, x) => tf.mul(dy, tf.step(x))),
  ofX("Relu6", (dy, x) => tf.mul(dy, tf.mul(mask(tf.lessEqual(x, 6)), tf.step(x)))),
  ofX("LeakyRelu", (dy, x, { alpha }) => tf.mul(dy, tf.step(x, alpha))),
  ofY("Elu", (dy, y) => tf.engine().runKernel("EluGrad", { dy, y }) as Tensor),
  ofX("Softplus", (dy, x) => tf.mul(dy, tf.sigmoid(x))),
  ofInputs("Prelu", ["x", "alpha"], (dy, [x, alpha]) => ({
    x: () => tf.where(tf.greater(x, 0), dy, tf.mul(dy, alpha)),
    alpha: () => sumTo(tf.where(tf.greater(x, 0), tf.zerosLike(dy), tf.mul(dy, x)), alpha.shape),
  })),
  {
    kernelName: "Softmax",
    outputsToSave: [true],
    gradFunc: ((dy, [y], { dim }) => {
      const weighted = tf.mul(dy, y);
      return { logits: () => tf.sub(weighted, tf.mul(tf.sum(weighted, [dim], true), y)) };
    }) as Rule as tf.GradFunc,
  },
];

/** The shape of x with 1 for each axis that was reduced. */
function keptShape(x: Tensor, axis: number | number[]): number[] {
  const axes = tf.util.parseAxisParam(axis, x.shape);
  return x.shape.map((size, d) => axes.includes(d) ? 1 : size);
}

/** Brings a reduction's gradient back to the shape of x. */
function spread(dy: Tensor, x: Tensor, axis: number | number[]): Tensor {
  return tf.mul(tf.reshape(dy, keptShape(x, axis)), tf.ones(x.shape));
}

/** Of all largest or smallest values alike. */
function ofExtreme(kernelName: "Max" | "Min"): tf.GradConfig {
  const rule: Rule = (dy, [x, y], { axis, reductionIndices = axis }) => ({
    x: () => {
      const shape = keptShape(x, reductionIndices);
      return tf.mul(tf.reshape(dy, shape), mask(tf.equal(x, tf.reshape(y, shape))));
    },
  });
  return { kernelName, inputsToSave: ["x"], outputsToSave: [true], gradFunc: rule as tf.GradFunc };
}

const REDUCTIONS: tf.GradConfig[] = [
  ofX("Sum", (dy, x, { axis }) => spread(dy, x, axis)),
  ofX("Mean", (dy, x, { axis }) => spread(tf.div(dy, x.size / sizeOf(keptShape(x, axis))), x, axis)),
  ofExtreme("Max"),
  ofExtreme("Min"),
];

/** dx[indices] += dy along an axis. */
function gatherGradient(dy: Tensor, x: Tensor, indices: Tensor, { axis, batchDims }: Attributes): Tensor {
  if (batchDims !== 0) {
    throw new RuntimeError(
      `Cannot compute the gradient of a gather with batchDims ${batchDims}: 0 is wanted`,
    );
  }
  const [at] = tf.util.parseAxisParam(axis, x.shape);
  const count = x.shape[at], others = x.shape.map((_, d) => d).filter((d) => d !== at);
  const flat = tf.reshape(dy, [...x.shape.slice(0, at), indices.size, ...x.shape.slice(at + 1)]);
  const rows = at === 0 ? flat : tf.transpose(flat, [at, ...others]);
  const sums = tf.unsortedSegmentSum(rows, tf.reshape(indices, [indices.size]) as never, count);
  return at === 0 ? sums : tf.transpose(sums, x.shape.map((_, d) => d === at ? 0 : d < at ? d + 1 : d));
}

/** Sums over the copies: each repeated dimension is split into copies and size. */
function tileGradient(dy: Tensor, x: Tensor, { reps }: Attributes): Tensor {
  const shape: number[] = [], axes: number[] = [];
  x.shape.forEach((size, d) => {
    if (reps[d] !== 1) axes.push(shape.push(reps[d]) - 1);
    shape.push(size);
  });
  return tf.reshape(tf.sum(tf.reshape(dy, shape), axes), x.shape);
}

function each(tensors: Tensor[]): Gradients {
  return Object.fromEntries(tensors.map((tensor, i) => [i, () => tensor]));
}

/** Gradients of several inputs or outputs, of which nothing or only shapes matter. */
function ofMany(
  kernelName: string,
  rule: (dy: Tensor & Tensor[], saved: Tensor[], attrs: Attributes) => Gradients,
): tf.GradConfig {
  return {
    kernelName,
    saveAllInputs: ["AddN", "Concat", "Pack"].includes(kernelName),
    gradFunc: rule as tf.GradFunc,
  };
}

const SHAPES: tf.GradConfig[] = [
  ofX("Reshape", (dy, x) => tf.reshape(dy, x.shape)),
  ofInputs("ExpandDims", ["input"], (dy, [input]) => ({ input: () => tf.reshape(dy, input.shape) })),
  ...["Identity", "Cast"].map((name) => ofMany(name, (dy) => ({ x: () => tf.cast(dy, "float32") }))),
  ofMany("Transpose", (dy, _, { perm }) => ({
    x: () => tf.transpose(dy, perm.map((_: number, d: number) => perm.indexOf(d))),
  })),
  ofX("Slice", (dy, x, { begin, size }) => {
    const [from, sizes] = tf.slice_util.parseSliceParams(x, begin, size);
    return tf.pad(dy, x.shape.map((all, d) => [from[d], all - from[d] - sizes[d]] as [number, number]));
  }),
  ofX("PadV2", (dy, x, { paddings }) => tf.slice(dy, paddings.map(([before]: number[]) => before), x.shape)),
  ofX("Tile", tileGradient),
  ofMany("Reverse", (dy, _, { dims }) => ({ x: () => tf.reverse(dy, dims) })),
  ofMany("Concat", (dy, saved, { axis }) => {
    const [at] = tf.util.parseAxisParam(axis, saved[0].shape);
    return each(tf.split(dy, saved.map(({ shape }) => shape[at]), at));
  }),
  ofMany("Pack", (dy, _, { axis }) => each(tf.unstack(dy, axis))),
  ofMany("AddN", (dy, saved) => each(saved.map(() => dy))),
  ofMany("Unpack", (dy, _, { axis }) => ({ value: () => tf.stack(dy, axis) })),
  ofMany("SplitV", (dy, _, { axis }) => ({ x: () => tf.concat(dy, axis) })),
  ofInputs("Select", ["condition"], (dy, [condition]) => ({
    t: () => tf.where(condition, dy, tf.zerosLike(dy)),
    e: () => tf.where(condition, tf.zerosLike(dy), dy),
    condition: () => tf.zeros(condition.shape),
  })),
  ofInputs("GatherV2", ["x", "indices"], (dy, [x, indices], attrs) => ({
    x: () => gatherGradient(dy, x, indices, attrs),
  })),
  ofInputs("UnsortedSegmentSum", ["x", "segmentIds"], (dy, [x, ids], { numSegments }) => ({
    x: () => {
      const inside = tf.logicalAnd(tf.greaterEqual(ids, 0), tf.less(ids, numSegments));
      const rows = tf.gather(dy, tf.cast(tf.mul(ids, inside), "int32"));
      return tf.mul(rows, tf.reshape(mask(inside), [ids.size, ...x.shape.slice(1).map(() => 1)]));
    },
  })),
];

/** All of them. */
export const CORE_GRADIENTS: readonly tf.GradConfig[] = [
  ...ARITHMETIC,
  ...ACTIVATIONS,
  ...REDUCTIONS,
  ...SHAPES,
];
