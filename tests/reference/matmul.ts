/** C = op(A) op(B) + bias or + C in plain f64 loops, with the sum of magnitudes that errors are measured by. */
export interface Product {
  m: number;
  n: number;
  k: number;
  transposeA?: boolean;
  transposeB?: boolean;
  accumulate?: boolean;
}

export function matMulReference(
  { m, n, k, transposeA, transposeB, accumulate }: Product,
  [a, b, c, bias]: Float32Array[],
): { sums: Float64Array; magnitudes: Float64Array } {
  const sums = new Float64Array(m * n), magnitudes = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const start = accumulate ? c[i * n + j] : bias[j];
      let sum = start, magnitude = Math.abs(start);
      for (let x = 0; x < k; x++) {
        const product = (transposeA ? a[x * m + i] : a[i * k + x]) *
          (transposeB ? b[j * k + x] : b[x * n + j]);
        sum += product;
        magnitude += Math.abs(product);
      }
      sums[i * n + j] = sum;
      magnitudes[i * n + j] = magnitude;
    }
  }
  return { sums, magnitudes };
}
