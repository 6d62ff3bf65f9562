/**
 * How similar vectors are, as sentence-transformers measures it: the larger, the more similar.
 *
 * @module
 */
import type { SimilarityFunction } from "./sentence_files.ts";

type Vector = ArrayLike<number>;

/** sum of a[i] b[i] */
export function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** The cosine of the angle between two vectors; 0 if one is 0. */
export function cosineSimilarity(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

function distance(a: Vector, b: Vector, of: (difference: number) => number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += of(a[i] - b[i]);
  return sum;
}

const FUNCTIONS: Readonly<Record<SimilarityFunction, (a: Vector, b: Vector) => number>> = {
  cosine: cosineSimilarity,
  dot,
  euclidean: (a, b) => -Math.sqrt(distance(a, b, (x) => x * x)),
  manhattan: (a, b) => -distance(a, b, Math.abs),
};

/** [a.length][b.length] */
export function similarityMatrix(
  name: SimilarityFunction,
  a: readonly Vector[],
  b: readonly Vector[],
): number[][] {
  return a.map((one) => b.map((other) => FUNCTIONS[name](one, other)));
}
