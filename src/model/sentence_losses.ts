/**
 * Losses over sentence vectors, as in sentence-transformers: each gives its mean and the gradient of every vector.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import { matMul, type Runtime } from "../runtime/mod.ts";
import { crossEntropy } from "./losses.ts";
import { normalizeRows, normalizeRowsBackward } from "./sentence_pooling.ts";

/** The vectors of a batch, column after column: first those of all anchors, then of all positives, and so on. */
export interface SentenceVectors {
  /** What computes. */
  readonly runtime: Runtime;
  /** [columns * count, H] in the arena. */
  readonly vectors: number;
  /** Texts of an example. */
  readonly columns: number;
  /** Examples. */
  readonly count: number;
  /** H */
  readonly size: number;
  /** One a example, for losses that want them. */
  readonly labels: ArrayLike<number> | undefined;
}

/** A loss of examples that are tuples of sentences. */
export interface SentenceLoss {
  /** Its name in sentence-transformers. */
  readonly name: string;
  /** @ignore The mean, and the gradient [columns * count, H] in the arena. */
  compute(batch: SentenceVectors): { value: number; dvectors: number };
}

function checkColumns(
  { columns }: SentenceVectors,
  name: string,
  least: number,
  most: number,
  wanted: string,
): void {
  if (columns >= least && columns <= most) return;
  throw new DataError(`Cannot compute ${name}: each example has ${columns} sentences, ${wanted} are wanted`);
}

/**
 * Each anchor is to be nearer to its own positive than to those of all other examples, and to all hard negatives: softmax
 * cross entropy over `scale` times the cosines (Henderson et al., https://arxiv.org/abs/1705.00652). Examples are
 * (anchor, positive) or (anchor, positive, negative, ...).
 */
export class MultipleNegativesRankingLoss implements SentenceLoss {
  /** Its name in sentence-transformers. */
  readonly name: string = "MultipleNegativesRankingLoss";
  /** The factor of the cosines. */
  readonly scale: number;

  /**
   * A loss with that scale.
   *
   * @param options `scale`: the factor of the cosines, default 20.
   */
  constructor(options: { scale?: number } = {}) {
    this.scale = options.scale ?? 20;
    if (!(this.scale > 0)) throw new RangeError(`Cannot use scale ${this.scale}: a number above 0 is wanted`);
  }

  /** @ignore */
  compute(batch: SentenceVectors): { value: number; dvectors: number } {
    const { runtime, vectors, columns, count, size: h } = batch, all = columns * count, m = all - count;
    checkColumns(batch, this.name, 2, Infinity, "an anchor, a positive and any number of negatives");
    const unit = normalizeRows(runtime, vectors, all, h),
      anchors = unit.units,
      others = anchors + count * h * 4;
    const scores = runtime.arena.floats(count * m); // [count, m], then their gradient
    const rescale = () =>
      runtime.pool.run("scale", Math.ceil(count * m / 1024), 4, scores, scores, this.scale, count * m);
    matMul(runtime, { c: scores, a: anchors, b: others, m: count, n: m, k: h, transposeB: true });
    rescale();
    const own = Array.from({ length: count }, (_, i) => i);
    const { value } = crossEntropy(runtime, scores, own, m, {}, { inPlace: true });
    rescale();
    const dunits = runtime.arena.floats(all * h); // [columns * count, H]
    matMul(runtime, { c: dunits, a: scores, b: others, m: count, n: h, k: m });
    matMul(runtime, {
      c: dunits + count * h * 4,
      a: scores,
      b: anchors,
      m,
      n: h,
      k: count,
      transposeA: true,
    });
    return { value, dvectors: normalizeRowsBackward(runtime, dunits, unit, all, h) };
  }
}

/** The cosine of two sentences is to be their label: mean squared error. Examples are pairs with a label. */
export class CosineSimilarityLoss implements SentenceLoss {
  /** Its name in sentence-transformers. */
  readonly name: string = "CosineSimilarityLoss";

  /** @ignore */
  compute(batch: SentenceVectors): { value: number; dvectors: number } {
    checkColumns(batch, this.name, 2, 2, "2");
    const { count, labels } = batch;
    if (labels?.length !== count) {
      throw new DataError(
        `Cannot compute ${this.name}: there are ${labels?.length ?? 0} labels, ${count} are wanted`,
      );
    }
    return rowLoss(batch, ([a, b], [da, db], i) => {
      const { value, gradient } = METRICS.cosine(a, b), error = 1 - value - labels[i];
      gradient(da, db, -2 * error / count);
      return error * error / count;
    });
  }
}

/** How far two vectors are from each other. */
export type DistanceMetric = "euclidean" | "cosine" | "manhattan";

/**
 * The negative is to be further from the anchor than the positive, by `triplet_margin` at least:
 * max(d(anchor, positive) - d(anchor, negative) + margin, 0). Examples are (anchor, positive, negative).
 */
export class TripletLoss implements SentenceLoss {
  /** Its name in sentence-transformers. */
  readonly name: string = "TripletLoss";
  /** The distance. */
  readonly distance_metric: DistanceMetric;
  /** By how much the negative is to be further away. */
  readonly triplet_margin: number;

  /**
   * A loss with that distance and margin.
   *
   * @param options `distance_metric`: default `euclidean`; `triplet_margin`: default 5.
   */
  constructor(options: { distance_metric?: DistanceMetric; triplet_margin?: number } = {}) {
    this.distance_metric = options.distance_metric ?? "euclidean";
    this.triplet_margin = options.triplet_margin ?? 5;
    if (!Object.hasOwn(METRICS, this.distance_metric)) {
      throw new RangeError(
        `Cannot use distance_metric "${this.distance_metric}": one of ${
          Object.keys(METRICS).join(", ")
        } is wanted`,
      );
    }
  }

  /** @ignore */
  compute(batch: SentenceVectors): { value: number; dvectors: number } {
    checkColumns(batch, this.name, 3, 3, "an anchor, a positive and a negative");
    const distance = METRICS[this.distance_metric], { count } = batch;
    return rowLoss(batch, ([anchor, positive, negative], [da, dp, dn]) => {
      const near = distance(anchor, positive), far = distance(anchor, negative);
      const loss = near.value - far.value + this.triplet_margin;
      if (loss <= 0) return 0;
      near.gradient(da, dp, 1 / count);
      far.gradient(da, dn, -1 / count);
      return loss / count;
    });
  }
}

/** A distance, and how its gradient times a factor is added to those of its two vectors. */
interface Distance {
  value: number;
  gradient(da: Float32Array, db: Float32Array, factor: number): void;
}

/** PyTorch's limit of the lengths in a cosine. */
const COSINE_EPS = 1e-8;

const METRICS: Readonly<Record<DistanceMetric, (a: Float32Array, b: Float32Array) => Distance>> = {
  /** |a - b|; where that is 0, its gradient is taken as 0. */
  euclidean(a, b) {
    let squares = 0;
    for (let j = 0; j < a.length; j++) squares += (a[j] - b[j]) ** 2;
    const value = Math.sqrt(squares);
    return {
      value,
      gradient(da, db, factor) {
        const share = value > 0 ? factor / value : 0;
        for (let j = 0; j < a.length; j++) {
          da[j] += share * (a[j] - b[j]);
          db[j] -= share * (a[j] - b[j]);
        }
      },
    };
  },
  /** 1 - a . b / (|a| |b|) */
  cosine(a, b) {
    let product = 0, ofA = 0, ofB = 0;
    for (let j = 0; j < a.length; j++) {
      product += a[j] * b[j];
      ofA += a[j] * a[j];
      ofB += b[j] * b[j];
    }
    const lengthA = Math.max(Math.sqrt(ofA), COSINE_EPS), lengthB = Math.max(Math.sqrt(ofB), COSINE_EPS);
    const cosine = product / (lengthA * lengthB);
    return {
      value: 1 - cosine,
      gradient(da, db, factor) {
        const across = factor / (lengthA * lengthB);
        const alongA = factor * cosine / (lengthA * lengthA), alongB = factor * cosine / (lengthB * lengthB);
        for (let j = 0; j < a.length; j++) {
          da[j] += alongA * a[j] - across * b[j];
          db[j] += alongB * b[j] - across * a[j];
        }
      },
    };
  },
  /** sum |a - b| */
  manhattan(a, b) {
    let value = 0;
    for (let j = 0; j < a.length; j++) value += Math.abs(a[j] - b[j]);
    return {
      value,
      gradient(da, db, factor) {
        for (let j = 0; j < a.length; j++) {
          da[j] += factor * Math.sign(a[j] - b[j]);
          db[j] -= factor * Math.sign(a[j] - b[j]);
        }
      },
    };
  },
};

/** A loss that is a sum over the examples; `one` adds to the gradients of an example's vectors. */
function rowLoss(
  { runtime, vectors, columns, count, size: h }: SentenceVectors,
  one: (rows: Float32Array[], gradients: Float32Array[], i: number) => number,
): { value: number; dvectors: number } {
  const dvectors = runtime.arena.floats(columns * count * h); // [columns * count, H]
  const row = (pointer: number, i: number) => runtime.heap.floats(pointer + i * h * 4, h);
  runtime.heap.floats(dvectors, columns * count * h).fill(0);
  let value = 0;
  for (let i = 0; i < count; i++) {
    const numbers = Array.from({ length: columns }, (_, column) => column * count + i);
    value += one(numbers.map((n) => row(vectors, n)), numbers.map((n) => row(dvectors, n)), i);
  }
  return { value, dvectors };
}
