/** One number for many: FNV-1a over the bits of a model's weights, and of losses. */
import type { PreTrainedModel } from "../../../mod.ts";

const SEED = 0x811c9dc5 | 0;

/** Of the losses as float64, then of every parameter in order. */
export function hashRun(losses: readonly number[], model: PreTrainedModel): string {
  let hash = mix(SEED, new Int32Array(Float64Array.from(losses).buffer));
  for (const [, parameter] of model.named_parameters()) {
    const { buffer, byteOffset, length } = parameter.values();
    hash = mix(hash, new Int32Array(buffer, byteOffset, length));
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function mix(hash: number, words: Int32Array): number {
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i], 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** Token numbers as a text's: the same for every program, without padding. */
export function tokens(batch: number, width: number, vocabulary: number): number[][] {
  const ids = vocabulary - 1000;
  return Array.from(
    { length: batch },
    (_, b) => Array.from({ length: width }, (_, t) => 1000 + (b * 7919 + t * 104729) % ids),
  );
}
