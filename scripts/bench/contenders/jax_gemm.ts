/** The products of jax-js on its wasm device: `jax_gemm.ts MODULES THREADS NUMBERS`. */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { matrixA, matrixB, serveGemm } from "./gemm_cases.ts";

const [modules, threads, numbers] = process.argv.slice(2);
// jax-js starts as many workers as this says.
Object.defineProperty(navigator, "hardwareConcurrency", { value: Number(threads), configurable: true });

/** What is used of jax-js. Functions own their arguments; `ref` keeps one. */
interface JaxArray {
  readonly ref: JaxArray;
  reshape(shape: number[]): JaxArray;
  blockUntilReady(): Promise<JaxArray>;
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface Jax {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  jit(f: (a: JaxArray, b: JaxArray) => JaxArray): (a: JaxArray, b: JaxArray) => JaxArray;
  numpy: {
    array(values: Float32Array): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    matrixTranspose(a: JaxArray): JaxArray;
  };
}

const jax: Jax = await import(pathToFileURL(`${modules}/@jax-js/jax/dist/index.js`).href);
await jax.init("wasm");
jax.defaultDevice("wasm");
const np = jax.numpy;

await serveGemm(numbers.split(",").map(Number), (gemm) => {
  const { kind, m, n, k, batch } = gemm;
  const transposeA = kind === "dW", transposeB = kind === "dX" || kind === "QK^T";
  const put = (values: Float32Array, rows: number, columns: number, transposed: boolean) => {
    const shape = transposed ? [columns, rows] : [rows, columns];
    return np.array(values).reshape(batch === 1 ? shape : [batch, ...shape]);
  };
  const a = put(matrixA(gemm, transposeA), m, k, transposeA),
    b = put(matrixB(gemm, transposeB), k, n, transposeB);
  const product = jax.jit((x, y) =>
    np.matmul(transposeA ? np.matrixTranspose(x) : x, transposeB ? np.matrixTranspose(y) : y)
  );
  return {
    run: async () => (await product(a.ref, b.ref).blockUntilReady()).dispose(),
    read: () => product(a.ref, b.ref).data(),
    free: () => [a, b].forEach((array) => array.dispose()),
  };
});
