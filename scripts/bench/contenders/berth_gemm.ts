/** Our matrix products: `berth_gemm.ts THREADS NUMBERS`. */
import process from "node:process";
import { init, matMul } from "../../../src/runtime/mod.ts";
import { multiply } from "../../../src/tfjs/products.ts";
import { matrixA, matrixB, serveGemm } from "./gemm_cases.ts";

const [threads, numbers] = process.argv.slice(2);
const runtime = await init({ threads: Number(threads) }), { heap } = runtime;

await serveGemm(numbers.split(",").map(Number), (gemm) => {
  const { kind, m, n, k, batch } = gemm;
  const transposeA = kind === "dW", transposeB = kind === "forward" || kind === "QK^T";
  const put = (values: Float32Array) => {
    const pointer = heap.alloc(values.length * 4);
    heap.f32.set(values, pointer / 4);
    return pointer;
  };
  const a = put(matrixA(gemm, transposeA)),
    b = put(matrixB(gemm, transposeB)),
    c = heap.alloc(batch * m * n * 4);
  const starts = Int32Array.from(
    { length: batch * 3 },
    (_, i) => Math.floor(i / 3) * [m * n, m * k, k * n][i % 3],
  );
  const strides = { ldc: n, lda: k, ldb: transposeB ? k : n };
  return {
    run: () => {
      runtime.arena.reset();
      if (batch === 1) matMul(runtime, { c, a, b, m, n, k, transposeA, transposeB });
      else multiply(runtime, { c, a, b, bias: 0, m, n, k, ...strides, transposeA, transposeB, starts });
    },
    read: () => heap.floats(c, batch * m * n),
    free: () => [a, b, c].forEach((pointer) => heap.free(pointer)),
  };
});
