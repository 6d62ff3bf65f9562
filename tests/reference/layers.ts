/** Layers in plain f64 loops: forward, and gradients by central differences of the forward pass. */

/** Central differences of sum(f(x) * dy) with respect to x. */
export function numericalGradient(
  f: (x: Float64Array) => Float64Array,
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  step = 1e-5,
): Float64Array {
  const at = Float64Array.from(x), gradient = new Float64Array(at.length);
  const value = () => f(at).reduce((sum, y, i) => sum + y * dy[i], 0);
  for (let i = 0; i < at.length; i++) {
    const kept = at[i];
    at[i] = kept + step;
    const above = value();
    at[i] = kept - step;
    gradient[i] = (above - value()) / (2 * step);
    at[i] = kept;
  }
  return gradient;
}

/** y[n, h] = LayerNorm(x) */
export function layerNorm(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  h: number,
  eps: number,
): Float64Array {
  const y = new Float64Array(x.length);
  for (let row = 0; row < x.length / h; row++) {
    let mean = 0, variance = 0;
    for (let j = 0; j < h; j++) mean += x[row * h + j] / h;
    for (let j = 0; j < h; j++) variance += (x[row * h + j] - mean) ** 2 / h;
    for (let j = 0; j < h; j++) {
      y[row * h + j] = (x[row * h + j] - mean) / Math.sqrt(variance + eps) * weight[j] + bias[j];
    }
  }
  return y;
}

/** Attention of one sequence: q [rows, N * D], k and v [keys, N * D]. */
export function attention(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  rows: number,
  keys: number,
  heads: number,
  d: number,
): Float64Array {
  const h = heads * d, out = new Float64Array(rows * h);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < rows; i++) {
      const scores = Array.from({ length: keys }, (_, j) => {
        let sum = 0;
        for (let c = 0; c < d; c++) sum += q[i * h + head * d + c] * k[j * h + head * d + c];
        return sum / Math.sqrt(d);
      });
      const top = Math.max(...scores), powers = scores.map((s) => Math.exp(s - top));
      const total = powers.reduce((a, b) => a + b, 0);
      for (let j = 0; j < keys; j++) {
        for (let c = 0; c < d; c++) out[i * h + head * d + c] += powers[j] / total * v[j * h + head * d + c];
      }
    }
  }
  return out;
}

/** erf by its Taylor series, or the continued fraction of erfc where |x| > 2.5. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a <= 2.5) {
    let term = a, sum = a;
    for (let n = 1; Math.abs(term) > 1e-18 * sum && n < 200; n++) {
      term *= -a * a / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * 2 / Math.sqrt(Math.PI) * sum;
  }
  let fraction = 0;
  for (let n = 120; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

/** transformers' activations. */
export const activations: Record<string, (x: number) => number> = {
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  relu: (x) => Math.max(0, x),
  gelu_new: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};
