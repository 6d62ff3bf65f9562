/**
 * What every layer of one step shares.
 *
 * @module
 */
import type { Runtime } from "../runtime/mod.ts";
import type { RaggedBatch } from "./batch.ts";

/** One forward pass and the backward pass that belongs to it. */
export interface StepContext {
  readonly runtime: Runtime;
  readonly batch: RaggedBatch;
  /** Dropout is on. */
  readonly training: boolean;
  /** Activations are kept for a backward pass. */
  readonly keep: boolean;
  /** Of a layer only the input is kept; its backward pass computes the rest again. */
  readonly checkpointing: boolean;
  /** Counts the forward passes: each has its own dropout masks. */
  readonly step: number;
  readonly seed: readonly [number, number];
  /** Where each layer is to write its probabilities [B, N, T, T], which are zero before; empty unless asked for. */
  readonly attentions: readonly number[];
}

/** The same step for a part of the model that no backward pass visits, unless `needed`. */
export function keepIf(context: StepContext, needed: boolean): StepContext {
  return needed || !context.keep ? context : { ...context, keep: false };
}

/** What a forward pass is to give besides its result. */
export interface Extras {
  hidden: boolean;
  attentions: boolean;
}

/** Dropout sites, so that no two places of a model share a mask: three a layer after those outside. */
export const SITES = { embeddings: 0, classifier: 1, firstLayer: 8, perLayer: 4 } as const;

/** The first of a layer's dropout sites. */
export function firstSite(layer: number): number {
  return SITES.firstLayer + layer * SITES.perLayer;
}
