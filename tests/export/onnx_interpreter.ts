/** Runs an ONNX graph in 64-bit floats, operation by operation as https://onnx.ai/onnx/operators defines them. */
import type { OnnxGraph, OnnxNode, OnnxTensor } from "./onnx_reader.ts";

export interface Values {
  dims: number[];
  data: ArrayLike<number>;
}

const sizeOf = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

function stepsOf(dims: readonly number[]): number[] {
  const steps = dims.map(() => 1);
  for (let i = dims.length - 2; i >= 0; i--) steps[i] = steps[i + 1] * dims[i + 1];
  return steps;
}

/** Makes a tensor from the value at each index. */
function fill(dims: number[], value: (index: number[]) => number): Values {
  const steps = stepsOf(dims);
  const data = Float64Array.from(
    { length: sizeOf(dims) },
    (_, at) => value(dims.map((n, i) => Math.floor(at / steps[i]) % n)),
  );
  return { dims, data };
}

/** Reads with numpy's broadcasting. */
function reader({ dims, data }: Values): (index: number[]) => number {
  const steps = stepsOf(dims);
  return (index) => {
    let at = 0;
    for (let i = 0; i < dims.length; i++) {
      if (dims[i] !== 1) at += steps[i] * index[index.length - dims.length + i];
    }
    return data[at];
  };
}

function elementwise(a: Values, b: Values, f: (a: number, b: number) => number): Values {
  const rank = Math.max(a.dims.length, b.dims.length);
  const sizeAt = ({ dims }: Values, i: number) => dims[i - rank + dims.length] ?? 1;
  const dims = Array.from({ length: rank }, (_, i) => Math.max(sizeAt(a, i), sizeAt(b, i)));
  const readA = reader(a), readB = reader(b);
  return fill(dims, (index) => f(readA(index), readB(index)));
}

const map = (x: Values, f: (x: number) => number): Values => ({
  dims: x.dims,
  data: Float64Array.from(x.data, f),
});

function matMul(a: Values, b: Values): Values {
  const inner = a.dims.at(-1)!, outer = a.dims.slice(0, -1), readA = reader(a), readB = reader(b);
  return fill([...outer, b.dims.at(-1)!], (index) => {
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += readA([...index.slice(0, -1), k]) * readB([...index.slice(0, -2), k, index.at(-1)!]);
    }
    return sum;
  });
}

/** Applies f to each row of the last axis. */
function byRow(x: Values, f: (row: number[]) => number[]): Values {
  const width = x.dims.at(-1)!, rows = sizeOf(x.dims) / width, all = Array.from(x.data);
  return {
    dims: x.dims,
    data: Array.from({ length: rows }, (_, r) => f(all.slice(r * width, (r + 1) * width))).flat(),
  };
}

/** erf by its series, exact to 1e-15 where |x| < 6. */
function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
    if (n > 300) break;
  }
  return 2 / Math.sqrt(Math.PI) * sum;
}

type Operation = (inputs: Values[], attributes: OnnxNode["attributes"]) => Values[];
const one =
  (f: (inputs: Values[], attributes: OnnxNode["attributes"]) => Values): Operation => (i, a) => [f(i, a)];
const binary = (f: (a: number, b: number) => number) => one(([a, b]) => elementwise(a, b, f));
const unary = (f: (x: number) => number) => one(([x]) => map(x, f));

const OPERATIONS: Record<string, Operation> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Pow: binary((a, b) => a ** b),
  Erf: unary(erf),
  Tanh: unary(Math.tanh),
  Relu: unary((x) => Math.max(0, x)),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Cast: unary((x) => x),
  Identity: unary((x) => x),
  MatMul: one(([a, b]) => matMul(a, b)),
  Gather: one(([x, indices], { axis = 0 }) => {
    const before = x.dims.slice(0, axis as number),
      after = x.dims.slice(axis as number + 1),
      read = reader(x);
    const at = reader(indices), rank = indices.dims.length;
    return fill([...before, ...indices.dims, ...after], (index) => {
      const chosen = at(index.slice(before.length, before.length + rank));
      return read([...index.slice(0, before.length), chosen, ...index.slice(before.length + rank)]);
    });
  }),
  Slice: one(([x, starts, ends, axes]) => {
    const axis = axes.data[0], read = reader(x);
    const dims = x.dims.with(axis, Math.min(ends.data[0], x.dims[axis]) - starts.data[0]);
    return fill(dims, (index) => read(index.with(axis, index[axis] + starts.data[0])));
  }),
  Shape: one(([x], { start, end }) => {
    const data = x.dims.slice(start as number, end as number);
    return { dims: [data.length], data };
  }),
  Unsqueeze: one(([x, axes]) => {
    const rank = x.dims.length + 1, axis = (axes.data[0] + rank) % rank;
    return { dims: x.dims.toSpliced(axis, 0, 1), data: x.data };
  }),
  Concat: one((inputs) => {
    const data = inputs.flatMap(({ data }) => Array.from(data));
    return { dims: [data.length], data };
  }),
  Reshape: one(([x, shape]) => {
    const dims = Array.from(shape.data, (n, i) => n === 0 ? x.dims[i] : n), free = dims.indexOf(-1);
    if (free >= 0) dims[free] = sizeOf(x.dims) / -sizeOf(dims);
    return { dims, data: x.data };
  }),
  Transpose: one(([x], { perm }) => {
    const order = perm as number[], read = reader(x);
    return fill(order.map((i) => x.dims[i]), (index) => read(order.map((_, i) => index[order.indexOf(i)])));
  }),
  Softmax: one(([x]) =>
    byRow(x, (row) => {
      const top = Math.max(...row), powers = row.map((v) => Math.exp(v - top));
      const sum = powers.reduce((a, b) => a + b);
      return powers.map((v) => v / sum);
    })
  ),
  LayerNormalization: one(([x, scale, bias], { epsilon }) =>
    byRow(x, (row) => {
      const mean = row.reduce((a, b) => a + b) / row.length;
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
      return row.map((v, i) =>
        (v - mean) / Math.sqrt(variance + (epsilon as number)) * scale.data[i] + bias.data[i]
      );
    })
  ),
  DynamicQuantizeLinear: ([x]) => {
    const all = Array.from(x.data), low = Math.min(0, ...all), high = Math.max(0, ...all);
    const scale = (high - low) / 255, clip = (v: number) => Math.max(0, Math.min(255, v));
    const zero = clip(Math.round(-low / scale));
    return [map(x, (v) => clip(Math.round(v / scale) + zero)), { dims: [], data: [scale] }, {
      dims: [],
      data: [zero],
    }];
  },
  MatMulInteger: one(([a, b, zeroA, zeroB]) => {
    const minus = (x: Values, zero: Values) => elementwise(x, zero, (v, z) => v - z);
    return matMul(minus(a, zeroA), minus(b, zeroB));
  }),
};

/** The outputs of a graph, by name. */
export function runOnnx(graph: OnnxGraph, feeds: Record<string, Values>): Map<string, Values> {
  const values = new Map<string, Values>(graph.initializers as Map<string, OnnxTensor>);
  for (const name of graph.inputs.keys()) values.set(name, feeds[name]);
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    const results = OPERATIONS[op](inputs.map((name) => values.get(name)!), attributes);
    outputs.forEach((name, i) => values.set(name, results[i]));
  }
  return new Map([...graph.outputs.keys()].map((name) => [name, values.get(name)!]));
}
