/**
 * Einsum of one or two tensors, and its gradient, which tfjs-core lacks.
 *
 * The labels of two tensors fall into four groups: batch (in both and in the output), rows m (in the first and the
 * output), columns n (in the second and the output), depth k (in both, summed). Where each group has one stride in each
 * tensor, which attention's "bthd,bshd->bhts" has, the tensors are multiplied where they are; else they are transposed.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { RuntimeError } from "../errors.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { type Call, type Kernel, sizeOf, type TensorInfo } from "./kernel.ts";
import { multiply, startsOf, stridesOf } from "./products.ts";

/** A tensor with a label for each dimension. */
interface Labelled {
  info: TensorInfo;
  labels: string;
}

/** tf.einsum. */
export const einsum: Kernel = {
  name: "Einsum",
  accepts: () => true,
  run(call) {
    const operands = Object.keys(call.inputs).map((key) => call.inputs[key]);
    const { terms, output } = parse(call.attrs.equation, operands);
    const work = new Work(call);
    try {
      const [a, b] = operands.map((info, i) =>
        work.sum(
          { info, labels: terms[i] },
          without(terms[i], output + terms.filter((_, j) => j !== i).join("")),
        )
      );
      return work.take(b ? work.product(a, b, output) : work.permute(a, output));
    } finally {
      work.free();
    }
  },
};

/** tfjs's own checks of an equation, and its parts. */
function parse(equation: string, operands: TensorInfo[]): { terms: string[]; output: string } {
  const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, operands.length);
  tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, operands as Tensor[]);
  const [left, output] = equation.replace(/\s/g, "").split("->");
  const terms = left.split(",");
  if (new Set(output).size !== output.length) {
    throw new RuntimeError(`Cannot compute einsum "${equation}": the output repeats a label`);
  }
  terms.forEach((term, i) => {
    const { shape, dtype } = operands[i];
    if (term.length !== shape.length || dtype !== operands[0].dtype) {
      throw new RuntimeError(
        `Cannot compute einsum "${equation}": tensor ${i} is ${dtype} [${shape.join(", ")}], expected ` +
          `${operands[0].dtype} with ${term.length} dimensions`,
      );
    }
  });
  return { terms, output };
}

/** The labels of `labels` that `others` has too, in their order. */
function both(labels: string, others: string): string {
  return [...labels].filter((label) => others.includes(label)).join("");
}

function without(labels: string, others: string): string {
  return [...labels].filter((label) => !others.includes(label)).join("");
}

/** The stride of each label of a tensor. */
function labelStrides({ info, labels }: Labelled): Map<string, number> {
  const strides = stridesOf(info.shape);
  return new Map([...labels].map((label, d) => [label, strides[d]]));
}

/** How a matrix stands in a tensor: rows `ld` apart, or, transposed, its columns. */
interface Layout {
  ld: number;
  transposed: boolean;
}

/** One einsum under way, with its intermediate tensors. */
class Work {
  readonly #call: Call;
  readonly #made = new Set<TensorInfo>();

  constructor(call: Call) {
    this.#call = call;
  }

  /** The result: it is not freed, and it is no input. */
  take({ info }: Labelled): TensorInfo {
    if (this.#made.delete(info)) return info;
    return this.#call.kernels.call("Identity", this.#call.backend, { x: info });
  }

  free(): void {
    for (const { dataId } of this.#made) this.#call.backend.disposeData(dataId);
  }

  /** Sums over labels. */
  sum(x: Labelled, labels: string): Labelled {
    if (labels === "") return x;
    const axis = [...labels].map((label) => x.labels.indexOf(label));
    const info = this.#kernel("Sum", { x: x.info }, { axis, keepDims: false });
    return { info, labels: without(x.labels, labels) };
  }

  /** Brings the labels into an order. */
  permute(x: Labelled, labels: string): Labelled {
    if (x.labels === labels) return x;
    const perm = [...labels].map((label) => x.labels.indexOf(label));
    return { info: this.#kernel("Transpose", { x: x.info }, { perm }), labels };
  }

  /** Multiplies two tensors and sums over the labels that both have and the output lacks. */
  product(a: Labelled, b: Labelled, output: string): Labelled {
    const batch = both(both(output, a.labels), b.labels), depth = without(both(a.labels, b.labels), output);
    const sizes = new Map(
      [a, b].flatMap(({ info, labels }) => [...labels].map((l, d) => [l, info.shape[d]] as const)),
    );
    const rows = without(both(output, a.labels), batch), columns = without(both(output, b.labels), batch);
    const outputs = sizeOf([...rows + columns].map((label) => sizes.get(label)!));
    if (depth === "" || outputs === 1 || a.info.dtype !== "float32") {
      return this.#broadcast(a, b, { batch, rows, columns, depth }, output);
    }
    return this.#matrices(a, b, { batch, rows, columns, depth }, output, sizes);
  }

  /** Elementwise product with broadcasting, then the sum. */
  #broadcast(a: Labelled, b: Labelled, { batch, rows, columns, depth }: Groups, output: string): Labelled {
    const labels = batch + rows + columns + depth;
    const expand = (x: Labelled) => {
      const { info, labels: own } = this.permute(x, both(labels, x.labels));
      return {
        ...info,
        shape: [...labels].map((label) => own.includes(label) ? info.shape[own.indexOf(label)] : 1),
      };
    };
    const info = this.#kernel("Multiply", { a: expand(a), b: expand(b) }, {});
    return this.permute(this.sum({ info, labels }, depth), output);
  }

  /** Products of matrices, without transposes where the layouts allow. */
  #matrices(a: Labelled, b: Labelled, groups: Groups, output: string, sizes: Map<string, number>): Labelled {
    const { kernels, backend } = this.#call, { batch, depth } = groups;
    let { rows, columns } = groups, order = output;
    const shape = (labels: string) => [...labels].map((label) => sizes.get(label)!);
    const strides = (labels: string) => {
      const all = stridesOf(shape(labels));
      return new Map([...labels].map((label, d) => [label, all[d]]));
    };
    let layout = layoutOf(strides(order), sizes, rows, columns);
    if (layout?.transposed) {
      // C^T = B^T A^T has its rows where C has its columns.
      [a, b, rows, columns] = [b, a, columns, rows];
      layout = layoutOf(strides(order), sizes, rows, columns);
    }
    if (!layout || layout.transposed) {
      order = batch + rows + columns;
      layout = layoutOf(strides(order), sizes, rows, columns)!;
    }
    let inA = layoutOf(labelStrides(a), sizes, rows, depth),
      inB = layoutOf(labelStrides(b), sizes, depth, columns);
    if (!inA) {
      a = this.permute(a, batch + rows + depth);
      inA = layoutOf(labelStrides(a), sizes, rows, depth)!;
    }
    if (!inB) {
      b = this.permute(b, batch + depth + columns);
      inB = layoutOf(labelStrides(b), sizes, depth, columns)!;
    }
    const { info, pointer } = kernels.output(backend, shape(order));
    this.#made.add(info);
    const ofBatch = [strides(order), labelStrides(a), labelStrides(b)]
      .map((all) => [...batch].map((label) => all.get(label)!));
    multiply(kernels.runtime, {
      ...{ c: pointer, a: kernels.pointerOf(a.info), b: kernels.pointerOf(b.info), bias: 0 },
      ...{ m: sizeOf(shape(rows)), n: sizeOf(shape(columns)), k: sizeOf(shape(depth)) },
      ...{ ldc: layout.ld, lda: inA.ld, ldb: inB.ld, transposeA: inA.transposed, transposeB: inB.transposed },
      starts: startsOf(shape(batch), ofBatch),
    });
    return this.permute({ info, labels: order }, output);
  }

  #kernel(name: string, inputs: Record<string, TensorInfo>, attrs: object): TensorInfo {
    const info = this.#call.kernels.call(name, this.#call.backend, inputs, attrs);
    this.#made.add(info);
    return info;
  }
}

interface Groups {
  batch: string;
  rows: string;
  columns: string;
  depth: string;
}

/** How the matrix of two groups of labels stands in a tensor, or undefined if a group has no single stride. */
function layoutOf(
  strides: Map<string, number>,
  sizes: Map<string, number>,
  rows: string,
  columns: string,
): Layout | undefined {
  const merged = [rows, columns].map((group) => {
    const real = [...group].filter((label) => sizes.get(label) !== 1);
    const chained = real.every((label, i) =>
      i === 0 || strides.get(real[i - 1]) === strides.get(label)! * sizes.get(label)!
    );
    return chained
      ? { size: sizeOf(real.map((l) => sizes.get(l)!)), stride: strides.get(real.at(-1) ?? "") ?? 1 }
      : undefined;
  });
  const [r, c] = merged;
  if (!r || !c) return undefined;
  if (c.size === 1 || c.stride === 1) return { ld: r.size === 1 ? c.size : r.stride, transposed: false };
  if (r.size === 1 || r.stride === 1) return { ld: c.stride, transposed: true };
  return undefined;
}

/** The gradient of tf.einsum: each tensor's is the einsum of the output's gradient with the other tensor. */
export const einsumGradient: tf.GradConfig = {
  kernelName: "Einsum",
  saveAllInputs: true,
  gradFunc(dy, saved, attrs) {
    const [left, output] = (attrs.equation as string).replace(/\s/g, "").split("->"), terms = left.split(",");
    return Object.fromEntries(saved.map((x, i) => [i, () => {
      const others = saved.filter((_, j) => j !== i), otherTerms = terms.filter((_, j) => j !== i);
      const known = both(terms[i], output + otherTerms.join(""));
      const dx = tf.einsum(`${[output, ...otherTerms].join()}->${known}`, dy as Tensor, ...others);
      if (known === terms[i]) return dx;
      // Labels that were summed away at once: the gradient is the same all along them.
      const shape = x.shape.map((size, d) => known.includes(terms[i][d]) ? size : 1);
      return tf.mul(tf.reshape(dx, shape), tf.onesLike(x));
    }]));
  },
};
