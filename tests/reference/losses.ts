/** Losses in plain f64 loops. */

/** PyTorch's CrossEntropyLoss of rows of scores: -100 is ignored; the mean is weighted. */
export function crossEntropy(
  scores: Float64Array,
  labels: ArrayLike<number>,
  k: number,
  { smoothing = 0, weights = new Array<number>(k).fill(1) }: {
    smoothing?: number;
    weights?: ArrayLike<number>;
  } = {},
): number {
  let total = 0, loss = 0;
  Array.from(labels).forEach((label, i) => {
    if (label === -100) return;
    const row = scores.subarray(i * k, (i + 1) * k), top = Math.max(...row);
    const log = top + Math.log(row.reduce((all, x) => all + Math.exp(x - top), 0));
    total += weights[label];
    loss += (1 - smoothing) * weights[label] * (log - row[label]);
    row.forEach((x, j) => loss += smoothing / k * weights[j] * (log - x));
  });
  return loss / total;
}

/** Mean squared error. */
export function meanSquaredError(scores: Float64Array, labels: ArrayLike<number>): number {
  return Array.from(labels).reduce((all, label, i) => all + (scores[i] - label) ** 2, 0) / labels.length;
}

/** PyTorch's BCEWithLogitsLoss; `weights` is its pos_weight. */
export function binaryCrossEntropy(
  scores: Float64Array,
  labels: ArrayLike<number>,
  weights?: ArrayLike<number>,
): number {
  const log = (x: number) => Math.min(0, x) - Math.log1p(Math.exp(-Math.abs(x))); // of the sigmoid
  const at = (x: number, label: number, weight: number) => -weight * label * log(x) - (1 - label) * log(-x);
  return Array.from(labels).reduce(
    (all, label, i) => all + at(scores[i], label, weights?.[i % weights.length] ?? 1),
    0,
  ) /
    labels.length;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** The cosine of two vectors. */
export const cosine = (a: Float64Array, b: Float64Array): number =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** Distances of two vectors, by sentence-transformers' names. */
export const distances = {
  cosine: (a: Float64Array, b: Float64Array): number => 1 - cosine(a, b),
  euclidean: (a: Float64Array, b: Float64Array): number =>
    Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0)),
  manhattan: (a: Float64Array, b: Float64Array): number =>
    a.reduce((sum, x, i) => sum + Math.abs(x - b[i]), 0),
};

/** A loss of vectors, column after column, `count` in each. */
export type VectorLoss = (rows: Float64Array[], count: number) => number;

/** MultipleNegativesRankingLoss. */
export function ranking(scale: number): VectorLoss {
  return (rows, count) => {
    const scores = rows.slice(0, count)
      .flatMap((anchor) => rows.slice(count).map((other) => scale * cosine(anchor, other)));
    return crossEntropy(Float64Array.from(scores), [...Array(count).keys()], rows.length - count);
  };
}

/** CosineSimilarityLoss. */
export function squaredCosineErrors(labels: readonly number[]): VectorLoss {
  return (rows, count) =>
    meanSquaredError(
      Float64Array.from({ length: count }, (_, i) => cosine(rows[i], rows[count + i])),
      labels.slice(0, count),
    );
}

/** TripletLoss. */
export function triplet(distance: keyof typeof distances, margin: number): VectorLoss {
  const of = distances[distance];
  return (rows, count) => {
    const at = (i: number) => of(rows[i], rows[count + i]) - of(rows[i], rows[2 * count + i]) + margin;
    return Array.from({ length: count }, (_, i) => Math.max(0, at(i))).reduce((a, b) => a + b, 0) / count;
  };
}

/** The vectors of one sequence pooled: x [n, H]. */
export function poolRows(x: Float64Array, h: number, mode: string): Float64Array {
  const n = x.length / h;
  if (mode === "cls") return x.slice(0, h);
  return Float64Array.from({ length: h }, (_, j) => {
    const column = Array.from({ length: n }, (_, i) => x[i * h + j]),
      total = column.reduce((a, b) => a + b, 0);
    if (mode === "max") return Math.max(...column);
    return mode === "mean" ? total / n : total / Math.sqrt(n);
  });
}
