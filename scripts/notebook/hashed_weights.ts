/**
 * Weights of the full bert-base-uncased shape from a hash, so that every language makes the same ones without a
 * download:
 *
 *     seed(name) = FNV-1a of the parameter's name;  u(i) = (mix32(seed + i * 0x9e3779b9) >>> 8) / 2^24 - 0.5
 *     value(i) = u(i) * 0.06928203230275509, + 1 for LayerNorm.weight; rounded to float32
 */
import type { PreTrainedModel } from "../../mod.ts";

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Fills `values` with the hash weights of the parameter of that name. */
export function fillHashed(values: Float32Array, name: string): void {
  const seed = fnv1a(name), shift = name.endsWith("LayerNorm.weight") ? 1 : 0;
  for (let i = 0; i < values.length; i++) {
    let x = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    values[i] = ((x >>> 8) / 2 ** 24 - 0.5) * 0.06928203230275509 + shift;
  }
}

/** Gives every parameter of a model its hash weights. */
export function hashWeights(model: PreTrainedModel, onProgress: (done: number, total: number) => void): void {
  const parameters = [...model.named_parameters()];
  parameters.forEach(([name, parameter], i) => {
    fillHashed(parameter.values(), name);
    parameter.markWritten();
    onProgress(i + 1, parameters.length);
  });
}
