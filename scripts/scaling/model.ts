/**
 * The cost of a data-parallel training step: what is computed, what is sent, and how long both take. docs/scaling.md
 * says what each assumption is; figures come from docs/scaling/measured.json.
 *
 * The sum over n ranks by halving and doubling is Rabenseifner's: 2 log2(n) messages, 2 (n - 1) / n of the bytes
 * (Thakur, Rabenseifner, Gropp: Optimization of Collective Communication Operations in MPICH, 2005).
 */

/** A BERT's sizes: H, I, N layers, V, and longest text. */
export interface Shape {
  name: string;
  hidden: number;
  intermediate: number;
  layers: number;
  vocabulary: number;
  positions: number;
}

export const BERT_BASE: Shape = {
  ...{ name: "bert-base", hidden: 768, intermediate: 3072, layers: 12, vocabulary: 30_522, positions: 512 },
};
export const BERT_LARGE: Shape = {
  ...{ name: "bert-large", hidden: 1024, intermediate: 4096, layers: 24, vocabulary: 30_522, positions: 512 },
};

/** Weights that take part in products: of attention, feed-forward and pooler. */
function productWeights({ hidden: H, intermediate: I, layers }: Shape): number {
  return layers * (4 * H * H + 2 * H * I) + H * H;
}

/** Parameters whose whole gradient is summed: all but the embeddings' tables; with a classifier of 2 labels. */
export function denseParameters(shape: Shape): number {
  const { hidden: H, intermediate: I, layers } = shape;
  return productWeights(shape) + layers * (4 * H + I + H + 4 * H) + H + 2 * H + 2 * (H + 1);
}

/** All parameters. */
export function parameters(shape: Shape): number {
  return denseParameters(shape) + (shape.vocabulary + shape.positions + 2) * shape.hidden;
}

/** How much is computed at a time. */
export interface Work {
  /** Texts of a pass on each rank. */
  batch: number;
  /** Tokens of a text. */
  tokens: number;
  /** Passes of a step on each rank. */
  accumulation: number;
}

/** Additions and multiplications of a step on one rank: a forward pass, and a backward pass of twice as many. */
export function operations(shape: Shape, { batch, tokens, accumulation }: Work): number {
  const perToken = 2 * productWeights(shape) + shape.layers * 4 * tokens * shape.hidden;
  return 3 * perToken * batch * tokens * accumulation;
}

/** Bytes whose sum a step needs: dense gradients, and the tables' rows that some rank's texts have. */
export function gradientBytes(shape: Shape, { batch, tokens, accumulation }: Work, ranks: number): number {
  const rows = Math.min(shape.vocabulary, batch * tokens * accumulation * ranks) +
    Math.min(shape.positions, tokens) + 2;
  return 4 * (denseParameters(shape) + rows * shape.hidden);
}

/** A way between two ranks. */
export interface Network {
  name: string;
  /** Seconds of one small message. */
  latency: number;
  bytesPerSecond: number;
}

/** How the engine sums over ranks. */
export type Algorithm = "halving" | "tree";

/**
 * Seconds of a sum over n ranks.
 *
 * @param algorithm `"halving"`: every rank sends its share only. `"tree"`: whole values go up a binary tree and down again.
 */
export function sumSeconds(
  bytes: number,
  ranks: number,
  network: Network,
  algorithm: Algorithm = "halving",
): number {
  if (ranks === 1) return 0;
  const messages = 2 * Math.ceil(Math.log2(ranks)), { latency, bytesPerSecond } = network;
  const sent = algorithm === "tree" ? messages * bytes : 2 * (ranks - 1) / ranks * bytes;
  return messages * latency + sent / bytesPerSecond;
}

/** What a run is made of. */
export interface Run {
  shape: Shape;
  work: Work;
  network: Network;
  /** Operations per second of a rank, its optimizer included. */
  rate: number;
  algorithm?: Algorithm;
  /** The share of the last backward pass behind which sums hide: 0 none, 1 all of it. */
  overlap: number;
  /** With ZeRO-1 the second half, the new weights, can only begin after the step. */
  zero?: boolean;
}

/** Bytes of a bucket of gradients, which is summed as one. */
export const BUCKET_BYTES = 4 * 2 ** 20;

/** Seconds of a step: of computing, of sums, and of the sums that computing does not hide. */
export function step(run: Run, ranks: number): { compute: number; sums: number; total: number } {
  const { shape, work, network, rate, algorithm, overlap, zero = false } = run;
  const compute = operations(shape, work) / rate;
  const bytes = gradientBytes(shape, work, ranks), buckets = Math.ceil(bytes / BUCKET_BYTES);
  const sums = buckets * sumSeconds(bytes / buckets, ranks, network, algorithm);
  const backward = compute / work.accumulation * 2 / 3, early = zero ? sums / 2 : sums;
  const hidden = overlap * Math.min(early * (buckets - 1) / buckets, backward);
  return { compute, sums, total: compute + sums - hidden };
}

/** Tokens per second of all ranks. */
export function tokensPerSecond(run: Run, ranks: number): number {
  const { batch, tokens, accumulation } = run.work;
  return ranks * batch * tokens * accumulation / step(run, ranks).total;
}

/** The share of n single ranks' speed that n ranks reach. */
export function efficiency(run: Run, ranks: number): number {
  return tokensPerSecond(run, ranks) / (ranks * tokensPerSecond(run, 1));
}

/** Bytes of weights, gradients and AdamW's moments on each rank; activations aside. */
export function stateBytes(shape: Shape, ranks: number, zero: boolean): number {
  return parameters(shape) * 4 * (2 + (zero ? 2 / ranks : 2));
}
