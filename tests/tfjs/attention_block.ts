/** A small classifier in tfjs's ops, as an ordinary program writes it, and the same in f64 loops. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../../src/runtime/tensor.ts";
import { activations, attention, layerNorm } from "../reference/layers.ts";

export const [B, T, N, D, V, K] = [2, 4, 2, 3, 7, 3];
export const H = N * D, EPS = 1e-5;

/** Parameters by name, with their shapes. */
export const SHAPES: Record<string, number[]> = {
  ...{ words: [V, H], positions: [T, H] },
  ...{ q: [H, H], k: [H, H], v: [H, H], out: [H, H] },
  ...{ weight: [H], bias: [H], dense: [H, 2 * H], denseBias: [2 * H], classifier: [2 * H, K] },
};

export const ids = [[1, 3, 3, 6], [0, 2, 5, 1]], labels = [2, 0];

/** Embeddings, attention by einsum, LayerNorm of tfjs's ops, gelu by erf, tanh, softmax cross-entropy. */
export function lossOf(
  p: Record<string, Tensor>,
  tokens: number[][] = ids,
  classes: number[] = labels,
): Tensor {
  const [rows, length] = [tokens.length, tokens[0].length];
  const x = tf.add(tf.gather(p.words, tf.tensor2d(tokens, [rows, length], "int32")), p.positions);
  const heads = (w: Tensor) => tf.reshape(tf.matMul(x, w), [rows, length, N, D]);
  const scores = tf.div(tf.einsum("bthd,bshd->bhts", heads(p.q), heads(p.k)), Math.sqrt(D));
  const attended = tf.einsum("bhts,bshd->bthd", tf.softmax(scores), heads(p.v));
  const z = tf.add(x, tf.matMul(tf.reshape(attended, [rows, length, H]), p.out));
  const mean = tf.mean(z, -1, true), variance = tf.mean(tf.squaredDifference(z, mean), -1, true);
  const n = tf.add(tf.mul(tf.mul(tf.sub(z, mean), tf.rsqrt(tf.add(variance, EPS))), p.weight), p.bias);
  const u = tf.add(tf.matMul(n, p.dense), p.denseBias);
  const gelu = tf.mul(tf.mul(u, 0.5), tf.add(1, tf.erf(tf.div(u, Math.SQRT2))));
  const logits = tf.matMul(tf.tanh(tf.mean(gelu, 1)), p.classifier);
  const chosen = tf.oneHot(tf.tensor1d(classes, "int32"), K);
  return tf.neg(tf.div(tf.sum(tf.mul(tf.logSoftmax(logits as Tensor), chosen)), rows));
}

/** x[n, k] w[k, m] */
function linear(x: ArrayLike<number>, w: ArrayLike<number>, k: number, m: number): Float64Array {
  const y = new Float64Array(x.length / k * m);
  for (let i = 0; i < y.length; i++) {
    for (let j = 0; j < k; j++) y[i] += x[Math.floor(i / m) * k + j] * w[j * m + i % m];
  }
  return y;
}

/** The same loss in f64. */
export function lossReference(p: Record<string, ArrayLike<number>>): number {
  let loss = 0;
  ids.forEach((sequence, b) => {
    const x = Float64Array.from(
      { length: T * H },
      (_, i) => p.words[sequence[Math.floor(i / H)] * H + i % H] + p.positions[i],
    );
    const [q, k, v] = [p.q, p.k, p.v].map((w) => linear(x, w, H, H));
    const projected = linear(attention(q, k, v, T, T, N, D), p.out, H, H);
    const n = layerNorm(x.map((value, i) => value + projected[i]), p.weight, p.bias, H, EPS);
    const gelu = linear(n, p.dense, H, 2 * H).map((u, i) => activations.gelu(u + p.denseBias[i % (2 * H)]));
    const pooled = Float64Array.from({ length: 2 * H }, (_, j) => {
      let sum = 0;
      for (let t = 0; t < T; t++) sum += gelu[t * 2 * H + j];
      return Math.tanh(sum / T);
    });
    const logits = linear(pooled, p.classifier, 2 * H, K);
    loss += Math.log(logits.reduce((sum, l) => sum + Math.exp(l), 0)) - logits[labels[b]];
  });
  return loss / B;
}
