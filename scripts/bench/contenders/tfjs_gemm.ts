/** The products of tfjs's own WASM kernels, with threads: `tfjs_gemm.ts THREADS NUMBERS`. */
import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import { init } from "../../../src/runtime/mod.ts";
import type { Tensor } from "../../../src/runtime/tensor.ts";
import { type GemmCase, matrixA, matrixB, serveGemm } from "./gemm_cases.ts";

const [threads, numbers] = process.argv.slice(2);
await init({ threads: Number(threads) });

const shapeOf = (batch: number, rows: number, columns: number) =>
  batch === 1 ? [rows, columns] : [batch, rows, columns];

await serveGemm(numbers.split(",").map(Number), (gemm: GemmCase) => {
  const { kind, m, n, k, batch } = gemm;
  const transposeA = kind === "dW", transposeB = kind === "dX" || kind === "QK^T";
  const put = (values: Float32Array, rows: number, columns: number, transposed: boolean) =>
    tf.tensor(values, transposed ? shapeOf(batch, columns, rows) : shapeOf(batch, rows, columns)) as Tensor;
  const a = put(matrixA(gemm, transposeA), m, k, transposeA),
    b = put(matrixB(gemm, transposeB), k, n, transposeB);
  const product = () => tf.matMul(a, b, transposeA, transposeB) as Tensor;
  return {
    run: () => product().dispose(),
    read: () => tf.tidy(() => product().dataSync()),
    free: () => tf.dispose([a, b]),
  };
});
