/**
 * BatchMatMul and _FusedMatMul: any transposes, any broadcasting of batches, bias and activation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs-core";
import { sumTo } from "./gradients.ts";
import { allFloats, type Call, type Kernel, sizeOf, type TensorInfo } from "./kernel.ts";
import { multiply, startsOf, stridesOf } from "./products.ts";
import type { Tensor } from "../runtime/tensor.ts";

/** tf.matMul: [..., m, n] = op(a) op(b); batch dimensions broadcast. */
export const batchMatMul: Kernel = {
  name: "BatchMatMul",
  accepts: areMatrices,
  run: (call) => product(call, undefined),
};

/** The kernels of activations, by tf.fused's names. */
const ACTIVATIONS: Record<string, string | undefined> = {
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  sigmoid: "Sigmoid",
  leakyrelu: "LeakyRelu",
  prelu: "Prelu",
};

/** tf.fused.matMul: activation(op(a) op(b) + bias). The bias is any shape that broadcasts. */
export const fusedMatMul: Kernel = {
  name: "_FusedMatMul",
  accepts: (call) =>
    areMatrices(call) && (call.attrs.activation === "linear" || call.attrs.activation in ACTIVATIONS),
  run(call) {
    const { kernels, backend, attrs, inputs } = call, { bias, preluActivationWeights: alpha } = inputs;
    const columns = inputs.b.shape.at(attrs.transposeB ? -2 : -1);
    const fused = bias != null && bias.shape.length === 1 && bias.shape[0] === columns;
    let y = product(call, fused ? bias : undefined);
    const replace = (name: string, more: Record<string, TensorInfo>, settings: object = {}) => {
      const first: Record<string, TensorInfo> = name === "Add" ? { a: y } : { x: y };
      const next = kernels.call(name, backend, { ...first, ...more }, settings);
      backend.disposeData(y.dataId);
      y = next;
    };
    if (bias != null && !fused) replace("Add", { b: bias });
    const activation = ACTIVATIONS[attrs.activation];
    if (activation) replace(activation, alpha == null ? {} : { alpha }, { alpha: attrs.leakyreluAlpha });
    return y;
  },
};

function areMatrices(call: Call): boolean {
  return allFloats(call) && call.inputs.a.shape.length >= 2 && call.inputs.b.shape.length >= 2;
}

function product(
  { kernels, backend, inputs: { a, b }, attrs }: Call,
  bias: TensorInfo | undefined,
): TensorInfo {
  const { transposeA, transposeB } = attrs;
  const [aRows, aColumns] = a.shape.slice(-2), [bRows, bColumns] = b.shape.slice(-2);
  const m = transposeA ? aColumns : aRows, k = transposeA ? aRows : aColumns;
  const n = transposeB ? bRows : bColumns, depth = transposeB ? bColumns : bRows;
  tf.util.assert(
    k === depth,
    () =>
      `Error in matMul: inner shapes (${k}) and (${depth}) of Tensors with shapes ${a.shape} and ${b.shape} and ` +
      `transposeA=${transposeA} and transposeB=${transposeB} must match.`,
  );
  const aBatch = a.shape.slice(0, -2), bBatch = b.shape.slice(0, -2);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const { info, pointer } = kernels.output(backend, [...batch, m, n]);
  const common = {
    ...{
      c: pointer,
      a: kernels.pointerOf(a),
      b: kernels.pointerOf(b),
      bias: bias ? kernels.pointerOf(bias) : 0,
    },
    ...{ n, k, ldc: n, lda: aColumns, ldb: bColumns, transposeA, transposeB },
  };
  if (sizeOf(bBatch) === 1 && !transposeA) {
    // All matrices share B: their rows are those of one matrix.
    multiply(kernels.runtime, { ...common, m: sizeOf(batch) * m, starts: new Int32Array(3) });
  } else {
    const strides = [
      stridesOf(batch).map((s) => s * m * n),
      broadcastStrides(aBatch, batch.length, m * k),
      broadcastStrides(bBatch, batch.length, k * n),
    ];
    multiply(kernels.runtime, { ...common, m, starts: startsOf(batch, strides) });
  }
  return info;
}

/** Strides of a batch over `rank` dimensions, 0 where it repeats. */
function broadcastStrides(batch: number[], rank: number, matrix: number): number[] {
  const strides = stridesOf(batch).map((stride, d) => batch[d] === 1 ? 0 : stride * matrix);
  return [...new Array(rank - batch.length).fill(0), ...strides];
}

/** The gradient of tf.matMul, which tfjs-core has only for batches that do not broadcast. */
export const batchMatMulGradient: tf.GradConfig = {
  kernelName: "BatchMatMul",
  inputsToSave: ["a", "b"],
  gradFunc(dy, saved, attrs) {
    let [a, b] = saved, g = dy as Tensor;
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const aShape = a.shape, bShape = b.shape;
    if (sizeOf(bShape.slice(0, -2)) === 1 && !transposeA) {
      const rows = (x: Tensor) => tf.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
      [a, g, b] = [rows(a), rows(g), tf.reshape(b, bShape.slice(-2))];
    }
    const da = () => transposeA ? tf.matMul(b, g, transposeB, true) : tf.matMul(g, b, false, !transposeB);
    const db = () => transposeB ? tf.matMul(g, a, true, transposeA) : tf.matMul(a, g, !transposeA, false);
    return { a: () => sumTo(da(), aShape), b: () => sumTo(db(), bShape) };
  },
};
