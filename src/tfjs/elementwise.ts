/**
 * Exp, Erf, Tanh, Softmax and Identity.
 *
 * @module
 */
import { ACTIVATIONS, type Runtime } from "../runtime/mod.ts";
import { allFloats, type Kernel, sizeOf } from "./kernel.ts";

/** Values of a block of the elementwise kernels, and blocks that a thread takes at a time. */
const BLOCK = 1024, GRAIN = 8;

type Compute = (runtime: Runtime, y: number, x: number, size: number) => void;

function elementwise(name: string, compute: Compute): Kernel {
  return {
    name,
    accepts: allFloats,
    run({ kernels, backend, inputs: { x } }) {
      const { info, pointer } = kernels.output(backend, x.shape);
      compute(kernels.runtime, pointer, kernels.pointerOf(x), sizeOf(x.shape));
      return info;
    },
  };
}

/** tf.exp, within 2 ulp. */
export const exp: Kernel = elementwise("Exp", ({ pool }, y, x, size) => {
  pool.run("exp_forward", Math.ceil(size / BLOCK), GRAIN, y, x, size);
});

/** tf.erf, within 2 ulp. */
export const erf: Kernel = elementwise("Erf", ({ pool }, y, x, size) => {
  pool.run("erf_forward", Math.ceil(size / BLOCK), GRAIN, y, x, size);
});

/** tf.tanh, within 2 ulp. */
export const tanh: Kernel = elementwise("Tanh", ({ pool }, y, x, size) => {
  pool.run("activation_forward", Math.ceil(size / BLOCK), GRAIN, y, 0, x, ACTIVATIONS.tanh, size);
});

/** tf.softmax over the last dimension. */
export const softmax: Kernel = {
  name: "Softmax",
  accepts: allFloats,
  run({ kernels, backend, inputs: { logits } }) {
    const { info, pointer } = kernels.output(backend, logits.shape), n = logits.shape.at(-1) ?? 1;
    const rows = n === 0 ? 0 : sizeOf(logits.shape) / n, grain = Math.max(1, Math.ceil(BLOCK * 4 / n));
    kernels.runtime.pool.run("softmax_forward", rows, grain, pointer, kernels.pointerOf(logits), n);
    return info;
  },
};

/**
 * tf.clone, which shares the memory as tf.reshape does. tfjs's own copies it, for every tensor that a gradient keeps.
 */
export const identity: Kernel = {
  name: "Identity",
  accepts: ({ inputs: { x } }) => x.dtype !== "string",
  run({ backend, inputs: { x } }) {
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  },
};
